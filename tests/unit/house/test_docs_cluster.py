"""The webhooks of docs/cluster.md are those that the adapter serves, for every kind that has Pods, and fail closed."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from admission.workloads import KINDS

TOP = Path(__file__).parents[3]
# The plural of a resource, of every kind that has Pods.
RESOURCES = {f"{kind.lower()}s" for kind in KINDS}


def configurations() -> dict[str, Any]:
    (block,) = re.findall(r"^```yaml\n(.*?)^```", (TOP / "docs" / "cluster.md").read_text(), re.MULTILINE | re.DOTALL)
    return {one["kind"]: one["webhooks"] for one in yaml.safe_load_all(block)}


def resources(webhook: dict[str, Any]) -> set[str]:
    return {resource for rule in webhook["rules"] for resource in rule["resources"]}


def test_every_kind_with_pods_is_asked_about() -> None:
    (webhook,) = configurations()["ValidatingWebhookConfiguration"]
    assert resources(webhook) == RESOURCES | {"pods/ephemeralcontainers"}


@pytest.mark.parametrize(
    ("kind", "path"), [("ValidatingWebhookConfiguration", "/validate"), ("MutatingWebhookConfiguration", "/mutate")]
)
def test_no_answer_is_no(kind: str, path: str) -> None:
    (webhook,) = configurations()[kind]
    assert webhook["failurePolicy"] == "Fail"
    assert webhook["clientConfig"]["url"].endswith(path)
    assert webhook["admissionReviewVersions"] == ["v1"]
    assert {"pods", "pods/ephemeralcontainers"} <= resources(webhook)
    assert all(rule["operations"] == ["CREATE", "UPDATE"] for rule in webhook["rules"])
    assert "objectSelector" not in webhook
