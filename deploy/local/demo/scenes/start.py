"""The suite starts, learns of vulnerabilities, and is told whose pushes to listen to."""

from pathlib import Path

from deploy.local.demo.stage import CLUSTER, TARGET, Stage

TITLE = "A suite on this machine: five processes over mutual TLS, and a registry"
TITLES = ()
ADVISORIES = Path(__file__).parents[2] / "advisories"


def play(stage: Stage) -> None:
    """Start everything."""
    hallmark, host = stage.hallmark, stage.registry.host
    hallmark.do("up", "--cluster", CLUSTER, "--registry", f"{host},plain")
    stage.narration.say(
        "A handful of advisories, written from public facts; the demonstration states their time as now."
    )
    for ecosystem in ("Debian", "PyPI"):
        hallmark.do("feeds", "import", str(ADVISORIES / ecosystem), "--as-of", "now")
    hallmark.do("feeds", "list")

    stage.narration.say("Every repository under demo/ is to be scanned on each push. The token goes to the registry.")
    made = hallmark.read("targets", "create", TARGET, "--registry", host, "--include", "demo/**")
    stage.registry.tell(stage.listener(made["token"]))
    hallmark.do("targets", "list")
