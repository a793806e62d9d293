"""What the use cases need of the world."""

from typing import Protocol

from registry.digests import Digest
from registry.references import Reference

from verifier.risk import Risks
from verifier.rules.policy import Policy, Unsupported
from verifier.trust import Trust


class Policies(Protocol):
    """The active policies of all clusters, as streamed."""

    def of(self, cluster: str) -> Policy | Unsupported | None:
        """The cluster's; None where it has none."""

    def age(self) -> float:
        """Seconds since the stream last spoke; infinite before its first snapshot."""


class TrustFeed(Protocol):
    """The signer's keys and revocations, as streamed."""

    def current(self) -> Trust:
        """All of them as of now."""

    def age(self) -> float:
        """Seconds since the stream last spoke; infinite before its first snapshot."""


class RiskFeed(Protocol):
    """The risk of all images, as streamed."""

    def current(self) -> Risks:
        """All of it as of now."""

    def age(self) -> float:
        """Seconds since the stream last spoke; infinite before its first snapshot."""


class Tags(Protocol):
    """The registries' tags; never remembered."""

    async def resolve(self, image: Reference) -> Digest:
        """The digest behind the image's tag now. Raises Rejection: INVALID_REFERENCE where there is no such tag,
        REGISTRY_NOT_ALLOWED, REGISTRY_UNAVAILABLE, DIGEST_MISMATCH, LIMIT_EXCEEDED.
        """
