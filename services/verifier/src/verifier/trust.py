"""What the signer says of keys and revocations: the records of WatchTrust, indexed for judging signatures."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from verifier.evidence.claims import Signature
from verifier.evidence.keys import PublicKey
from verifier.reasons import Code, Rejection


class Purpose(Enum):
    """What a key may sign."""

    IMAGE_SIGNATURE = "IMAGE_SIGNATURE"
    ATTESTATION = "ATTESTATION"
    RAW = "RAW"


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One version of a key of the signer.

    `public` is None where it is not told (purpose RAW) or cannot be read here; `unreadable` says why the latter.
    """

    key: str
    version: int
    purpose: Purpose
    enabled: bool
    fingerprint: str
    public: PublicKey | None
    unreadable: str
    valid_from: datetime | None
    revoked: bool

    def __str__(self) -> str:
        return f"{self.key}@{self.version}"


@dataclass(frozen=True, slots=True)
class SignatureTarget:
    """The signatures on one digest by one key version."""

    digest: str
    key: str
    version: int


@dataclass(frozen=True, slots=True)
class KeyVersionTarget:
    """A key version from a time on: only signatures recorded before count, which the signer lists."""

    key: str
    version: int


@dataclass(frozen=True, slots=True)
class DigestsTarget:
    """Every digest of a signing, or of the signings that hold a digest; `signing_id` for the former."""

    signing_id: str | None


@dataclass(frozen=True, slots=True)
class Revocation:
    """Something signed that counts no more. `digests` are all those that it covers."""

    id: str
    target: SignatureTarget | KeyVersionTarget | DigestsTarget
    reason: str
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class EarlierSignings:
    """Signings that a key version's revocation leaves standing, as (signing_id, SHA-256 of the payload)."""

    revocation: str
    signings: frozenset[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class NewSigning:
    """An image was signed: who remembers no signature of these digests looks again."""

    repository: str
    digests: tuple[str, ...]


TrustRecord: TypeAlias = KeyVersion | Revocation | EarlierSignings | NewSigning


class Trust:
    """Keys and revocations as of now. Written by the stream's follower alone; revocations only ever add up."""

    def __init__(self, records: Iterable[TrustRecord] = ()) -> None:
        self._versions: dict[str, dict[int, KeyVersion]] = defaultdict(dict)
        self._holders: dict[str, dict[tuple[str, int], KeyVersion]] = defaultdict(dict)
        self._digests: dict[str, Revocation] = {}
        self._signing_ids: dict[str, Revocation] = {}
        self._signatures: dict[SignatureTarget, Revocation] = {}
        self._key_versions: dict[KeyVersionTarget, dict[str, Revocation]] = defaultdict(dict)
        self._standing: dict[str, set[tuple[str, bytes]]] = defaultdict(set)
        for record in records:
            self.apply(record)

    def apply(self, record: TrustRecord) -> None:
        """Takes in one record; it replaces the one of the same identity."""
        match record:
            case KeyVersion():
                self._versions[record.key][record.version] = record
                self._holders[record.fingerprint][record.key, record.version] = record
            case Revocation():
                self._revoke(record)
            case EarlierSignings():
                self._standing[record.revocation] |= record.signings
            case NewSigning():
                pass  # it concerns what is remembered of the registry, not trust

    def versions(self, key: str) -> tuple[KeyVersion, ...]:
        """Every version of a key, by number; none where the signer has no such key."""
        return tuple(version for _, version in sorted(self._versions.get(key, {}).items()))

    def holders(self, fingerprint: str) -> tuple[KeyVersion, ...]:
        """The key versions of the signer that have this public key."""
        return tuple(self._holders.get(fingerprint, {}).values())

    def public_keys(self) -> Iterator[PublicKey]:
        """Every public key of the signer that can be read, whatever its purpose and state."""
        for versions in self._holders.values():
            public = next((version.public for version in versions.values() if version.public), None)
            if public:
                yield public

    def check_digest(self, digest: str) -> None:
        """Raises Rejection SIGNATURE_REVOKED where the digest is revoked."""
        revocation = self._digests.get(digest)
        if revocation:
            raise revoked(f"The digest {digest} was revoked", revocation)

    def check_signature(self, signature: Signature, version: KeyVersion) -> None:
        """Raises Rejection SIGNATURE_REVOKED where this signature by this key version is revoked."""
        signing_id = signature.claims.signing_id
        by_id = self._signing_ids.get(signing_id or "")
        if by_id:
            raise revoked(f"The signing {signing_id} was revoked", by_id)
        target = SignatureTarget(signature.claims.digest, version.key, version.version)
        by_target = self._signatures.get(target)
        if by_target:
            raise revoked(f"The signatures by {version} on {target.digest} were revoked", by_target)
        self._check_version(signature, version)

    def _check_version(self, signature: Signature, version: KeyVersion) -> None:
        revocations = self._key_versions.get(KeyVersionTarget(version.key, version.version), {})
        if version.revoked and not revocations:
            raise Rejection(Code.SIGNATURE_REVOKED, f"The key version {version} was revoked.", key=str(version))
        recorded = (signature.claims.signing_id or "", signature.payload_sha256)
        for revocation in revocations.values():
            if recorded not in self._standing.get(revocation.id, ()):
                raise revoked(
                    f"The key version {version} was revoked from before this signature was recorded", revocation
                )

    def _revoke(self, revocation: Revocation) -> None:
        match revocation.target:
            case SignatureTarget():
                self._signatures[revocation.target] = revocation
                return
            case KeyVersionTarget():
                self._key_versions[revocation.target][revocation.id] = revocation
                return
            case DigestsTarget(signing_id):
                if signing_id:
                    self._signing_ids[signing_id] = revocation
        for digest in revocation.digests:
            self._digests[digest] = revocation


def revoked(what: str, revocation: Revocation) -> Rejection:
    """The refusal of something revoked, with the reason that was given."""
    return Rejection(Code.SIGNATURE_REVOKED, f"{what}: {revocation.reason}", revocation_id=revocation.id)
