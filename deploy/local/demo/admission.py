"""Deploying, as the API server asks: an AdmissionReview over HTTPS to the adapter.

Format: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/. The requests in
`reviews/` have the shape in which a real API server sends them.
"""

import http.client
import json
import ssl
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.demo.commands import Unexpected

REVIEWS = Path(__file__).with_name("reviews")
PATH = "/validate?timeout=10s"
LONGEST_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Admission:
    """What the API server is told to do, and what the person who deploys reads."""

    allowed: bool
    message: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Adapter:
    """The admission adapter: where it listens, and the authority of its certificate."""

    address: str
    ca: Path

    def deploy(self, kind: str, image: str) -> Admission:
        """Ask whether a `pod` or `deployment` with this image may be created in the namespace `shop`."""
        review = json.loads((REVIEWS / f"{kind}.json").read_text())
        request = review["request"]
        request["uid"] = str(uuid.uuid4())
        _containers(request["object"])[0]["image"] = image
        answer = self._post(review)
        response = answer["response"]
        if response["uid"] != request["uid"]:
            raise Unexpected("The admission adapter answered another request.")
        return Admission(
            response["allowed"],
            response.get("status", {}).get("message", ""),
            tuple(response.get("warnings") or ()),
        )

    def _post(self, review: dict[str, Any]) -> dict[str, Any]:
        trusting = ssl.create_default_context(cafile=self.ca)
        connection = http.client.HTTPSConnection(self.address, context=trusting, timeout=LONGEST_SECONDS)
        try:
            connection.request("POST", PATH, json.dumps(review), {"Content-Type": "application/json"})
            answered: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise Unexpected(f"The admission adapter at {self.address} gives no answer: {problem}.") from None
        finally:
            connection.close()
        return answered


def _containers(target: dict[str, Any]) -> list[dict[str, Any]]:
    spec = target["spec"]
    containers: list[dict[str, Any]] = spec.get("template", {"spec": spec})["spec"]["containers"]
    return containers
