"""Two images are pushed, one of them with known vulnerabilities: both are scanned by themselves."""

from deploy.local.demo.layers import Image
from deploy.local.demo.pushing import push
from deploy.local.demo.stage import SHOP, Stage
from deploy.local.demo.waiting import scanned

TITLE = "Push: what comes into the registry is scanned"
VULNERABLE = "a vulnerable image is pushed"
GOOD = "a good image is pushed"
BUILD = "a build asks for nothing HIGH or worse"
TITLES = (VULNERABLE, BUILD, GOOD)


def play(stage: Stage) -> None:
    """Push both, and look at what was found."""
    old = _push(stage, "1.0", stage.old)
    scan = scanned(stage.hallmark, old)
    stage.hallmark.do("scans", "list")
    stage.hallmark.do("images", "show", old)
    stage.cases.add(VULNERABLE, "scanned by itself: SCANNED, CRITICAL", _outcome(scan))

    stage.hallmark.do("vulns", "show", "CVE-2022-21797")
    stage.narration.say("What a build would ask before it goes on:")
    answer = stage.hallmark.ask("scan", old, "--fail-on", "HIGH", "--limit", "1")
    stage.cases.add(
        BUILD, "no: exit code 1", f"{'yes' if answer.exit_code == 0 else 'no'}: exit code {answer.exit_code}"
    )

    good = _push(stage, "2.0", stage.good)
    scan = scanned(stage.hallmark, good)
    stage.hallmark.do("images", "show", good)
    stage.cases.add(GOOD, "scanned by itself: SCANNED, none", _outcome(scan))


def _push(stage: Stage, tag: str, image: Image) -> str:
    stage.narration.say(f"A developer pushes {SHOP}:{tag}...")
    return push(stage.registry, SHOP, tag, image)


def _outcome(scan: dict[str, str | None]) -> str:
    how = "by itself" if scan["trigger"] == "PUSH" else f"by {scan['trigger']}"
    return f"scanned {how}: {scan['risk_state']}, {scan['worst_severity'] or 'none'}"
