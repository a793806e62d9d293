"""AdmissionReviews as an API server sends them, by what a test is about; everything else has a plain value."""

import json
from typing import Any

UID = "252ca140-6e75-429d-8408-5ca08e423615"
PINNED = "reg.example.com/pay/api@sha256:" + "a" * 64
Json = dict[str, Any]

GROUPS = {
    "Deployment": "apps",
    "ReplicaSet": "apps",
    "StatefulSet": "apps",
    "DaemonSet": "apps",
    "Job": "batch",
    "CronJob": "batch",
    "Scale": "autoscaling",
}


def container(image: str = PINNED, name: str = "app") -> Json:
    """A container with fields that are nobody's business here."""
    return {"name": name, "image": image, "resources": {}, "imagePullPolicy": "IfNotPresent"}


def pod_spec(*images: str, **more: Any) -> Json:
    """A Pod spec whose containers c0, c1 … have these images."""
    containers = [container(image, f"c{number}") for number, image in enumerate(images or (PINNED,))]
    return {"containers": containers, "restartPolicy": "Always", **more}


def pod(*images: str, annotations: dict[str, str] | None = None, **more: Any) -> Json:
    """A Pod."""
    metadata: Json = {"name": "api", "namespace": "pay-eu"}
    if annotations:
        metadata["annotations"] = annotations
    return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": pod_spec(*images, **more), "status": {}}


def owner(kind: str, *images: str, **more: Any) -> Json:
    """An object of a kind that has a template of Pods."""
    template = {"metadata": {"labels": {"app": "api"}}, "spec": pod_spec(*images, **more)}
    if kind == "PodTemplate":
        return {"kind": kind, "template": template}
    if kind == "CronJob":
        return {"kind": kind, "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}}
    return {"kind": kind, "spec": {"replicas": 1, "template": template}}


def request(
    obj: Json | None, *, operation: str = "CREATE", kind: str = "", old: Json | None = None, **more: Any
) -> Json:
    """The request about an object; its kind is the object's unless named."""
    kind = kind or (obj or {}).get("kind", "Pod")
    return {
        "uid": UID,
        "kind": {"group": GROUPS.get(kind, ""), "version": "v1", "kind": kind},
        "resource": {"group": GROUPS.get(kind, ""), "version": "v1", "resource": f"{kind.lower()}s"},
        "name": "api",
        "namespace": "pay-eu",
        "operation": operation,
        "userInfo": {"username": "jane", "groups": ["system:authenticated"]},
        "object": obj,
        "oldObject": old,
        "dryRun": False,
        **more,
    }


def review(given: Json) -> bytes:
    """The body that carries a request."""
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": given}).encode()
