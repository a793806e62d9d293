"""The custodian makes keys, the reviewer signs: what passes the gate, and nothing else."""

from deploy.local.demo.commands import Answer
from deploy.local.demo.stage import KEY, OTHER_KEY, SHOP, Stage

TITLE = "Sign: a mark for what passes the gate"
VULNERABLE = "the vulnerable image is to be signed"
CUSTODIAN = "the custodian of the keys wants to sign"
GOOD = "the good image is to be signed"
TITLES = (VULNERABLE, CUSTODIAN, GOOD)


def play(stage: Stage) -> None:
    """Make the keys, and try to sign."""
    hallmark, cases = stage.hallmark, stage.cases
    hallmark.do("keys", "create", KEY)
    hallmark.do("keys", "create", OTHER_KEY)
    old, good = stage.reference(SHOP, stage.old), stage.reference(SHOP, stage.good)

    cases.add(VULNERABLE, "refused: GATE_REFUSED", _outcome(hallmark.ask("sign", old, "--key", KEY)))
    answer = hallmark.ask("sign", good, "--key", KEY, "--as", "custodian")
    cases.add(CUSTODIAN, "refused: PERMISSION_DENIED", _outcome(answer))

    answer = hallmark.ask("sign", good, "--key", KEY, "--claim", "ticket=SHOP-1")
    cases.add(GOOD, "signed", _outcome(answer))
    hallmark.do("signatures", "list", good)
    hallmark.do("signatures", "verify", good)


def _outcome(answer: Answer) -> str:
    return "signed" if answer.exit_code == 0 else f"refused: {answer.reason}"
