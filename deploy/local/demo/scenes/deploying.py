"""A policy comes into force, and deployments meet it."""

import re
from pathlib import Path

from deploy.local.demo.admission import Admission
from deploy.local.demo.layers import Image, image, layer
from deploy.local.demo.pushing import copy_signature, push
from deploy.local.demo.stage import CLUSTER, NAMESPACE, OTHER_KEY, SHOP, Stage
from deploy.local.demo.waiting import scanned, until

TITLE = "Deploy: the cluster admits what its policy allows"
SIGNED = "the signed image"
BY_TAG = "a Deployment that names the signed image by its tag"
POD_BY_TAG = "a Pod that names it by its tag"
UNSIGNED = "an image that nobody signed"
CHANGED = "the signed image, changed, its signature copied"
COPIED = "the signer is asked for its record of the copied signature"
OTHER = "an image signed by another key"
ELSEWHERE = "the signed digest in another repository"
TITLES = (SIGNED, BY_TAG, POD_BY_TAG, UNSIGNED, CHANGED, COPIED, OTHER, ELSEWHERE)

POLICY = Path(__file__).parents[1] / "policy.yaml"
SECONDS = 30
COULD_NOT_TELL = 3
CODE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")


def play(stage: Stage) -> None:
    """Put the policy in force, and deploy."""
    _put_in_force(stage)
    good = stage.reference(SHOP, stage.good)
    tagged = f"{stage.registry.host}/{SHOP}:2.0"
    _deploy(stage, SIGNED, "deployment", good, "admitted")
    _deploy(stage, BY_TAG, "deployment", tagged, "admitted, with a warning")
    _deploy(stage, POD_BY_TAG, "pod", tagged, "denied: TAG_NOT_PINNED")

    unsigned = _pushed(stage, "demo/reports", "1.0", stage.variant("reports"))
    _deploy(stage, UNSIGNED, "deployment", unsigned, "denied: NO_SIGNATURE")

    changed = image(*stage.good.layers, layer({"usr/local/bin/miner": b"#!/bin/sh\n"}))
    _pushed(stage, SHOP, "2.0", changed)
    copy_signature(stage.registry, SHOP, stage.good.digest, SHOP, changed.digest)
    _deploy(stage, CHANGED, "deployment", stage.reference(SHOP, changed), "denied: DIGEST_MISMATCH")
    answer = stage.hallmark.ask("signatures", "verify", stage.reference(SHOP, changed))
    stage.cases.add(COPIED, "no: SIGNATURES_DIFFER", "yes" if answer.exit_code == 0 else f"no: {answer.reason}")

    other = _pushed(stage, "demo/tools", "1.0", stage.variant("tools"))
    stage.hallmark.do("sign", other, "--key", OTHER_KEY)
    _deploy(stage, OTHER, "deployment", other, "denied: UNTRUSTED_KEY")

    elsewhere = _pushed(stage, "demo/copies", "2.0", stage.good)
    copy_signature(stage.registry, SHOP, stage.good.digest, "demo/copies", stage.good.digest)
    _deploy(stage, ELSEWHERE, "deployment", elsewhere, "denied: IDENTITY_MISMATCH")
    stage.hallmark.ask("why", elsewhere, "--cluster", CLUSTER, "--namespace", NAMESPACE, "--as", "developer")


def told(admission: Admission) -> str:
    """What became of a deployment."""
    if admission.allowed:
        return "admitted, with a warning" if admission.warnings else "admitted"
    return f"denied: {' '.join(dict.fromkeys(CODE.findall(admission.message)))}"


def _put_in_force(stage: Stage) -> None:
    file = stage.home.path / "policy.yaml"
    file.write_text(POLICY.read_text().replace("HOST", stage.registry.host))
    stage.hallmark.do("policy", "validate", str(file))
    stage.hallmark.do("policy", "apply", str(file), "--activate", "--comment", "Only what security has signed")
    stage.hallmark.do("policy", "show", "--cluster", CLUSTER)
    good = stage.reference(SHOP, stage.good)
    # The verifier follows the policy service by a stream; until it has heard, it cannot tell.
    until(
        lambda: stage.hallmark.run("verify", good, "--cluster", CLUSTER, "--namespace", NAMESPACE),
        lambda answer: answer.exit_code != COULD_NOT_TELL,
        SECONDS,
    )


def _deploy(stage: Stage, title: str, kind: str, image_named: str, expected: str) -> None:
    admission = stage.adapter().deploy(kind, image_named)
    said = admission.message or " ".join(admission.warnings)
    stage.narration.deployment(kind.capitalize(), image_named, told(admission), said)
    stage.cases.add(title, expected, told(admission))


def _pushed(stage: Stage, repository: str, tag: str, pushed: Image) -> str:
    """Push an image, and wait for its scan, so that nothing but its signature is at fault."""
    reference = push(stage.registry, repository, tag, pushed)
    scanned(stage.hallmark, reference)
    return reference
