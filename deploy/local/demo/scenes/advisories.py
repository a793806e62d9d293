"""A new advisory appears for an image that runs already."""

from pathlib import Path
from typing import Any

from deploy.local.demo.admission import Admission
from deploy.local.demo.scenes.deploying import told
from deploy.local.demo.stage import CLUSTER, SHOP, Stage
from deploy.local.demo.waiting import until

TITLE = "Later: an advisory appears for what is running"
RISK = "the risk of the running image, after a new advisory"
DEPLOYMENT = "its next deployment"
TITLES = (RISK, DEPLOYMENT)
NEW = Path(__file__).parents[2] / "advisories" / "later" / "PyPI"
RECORD = "HALLMARK-DEMO-0001"
SECONDS = 30


def play(stage: Stage) -> None:
    """Import the advisory; nothing is scanned again, and yet the image is another risk."""
    hallmark, adapter = stage.hallmark, stage.adapter()
    good = stage.reference(SHOP, stage.good)
    stage.narration.say(f"{RECORD} is fictional, as is the package that it names: the demonstration's own shop.")
    hallmark.do("feeds", "import", str(NEW), "--as-of", "now")

    def look() -> str:
        shown: dict[str, Any] = hallmark.read("images", "show", good)
        return shown["image"]["risk"]["worst_severity"] or "none"

    risen = until(look, lambda severity: severity != "none", SECONDS)
    hallmark.do("vulns", "show", RECORD)
    hallmark.do("images", "show", good)
    stage.cases.add(RISK, "HIGH, by itself", f"{risen}, by itself")

    def deploy() -> Admission:
        return adapter.deploy("deployment", good)

    admission = until(deploy, lambda answered: not answered.allowed, SECONDS)
    stage.narration.deployment("Deployment", good, told(admission), admission.message)
    stage.cases.add(DEPLOYMENT, "denied: SEVERITY_EXCEEDED", told(admission))
    hallmark.do("decisions", "list", "--cluster", CLUSTER, "--limit", "8")
