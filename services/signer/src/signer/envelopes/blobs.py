"""Blobs and manifests on their way to a registry."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.digests import Digest, sha256_of


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes to store, with their type and the annotations of the descriptor that names them."""

    media_type: str
    content: bytes
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> Digest:
        """The digest of the content."""
        return sha256_of(self.content)

    def descriptor(self) -> dict[str, object]:
        """Return the descriptor by which a manifest names this blob."""
        described: dict[str, object] = {"mediaType": self.media_type, "size": len(self.content), "digest": self.digest}
        return {**described, "annotations": dict(self.annotations)} if self.annotations else described
