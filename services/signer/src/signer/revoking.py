"""Revoking what was signed."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from chassis.clock import Clock
from chassis.errors import InvalidArgument, PermissionDenied
from chassis.identity import Caller
from registry.digests import Digest

from signer.keyring import demand_version
from signer.records import demand_signing
from signer.revocations import (
    DigestTarget,
    KeyVersionTarget,
    Revocation,
    SignatureTarget,
    SigningTarget,
    Target,
)
from signer.store import Store, Work

OF_SIGNATURES = "signer.signatures.revoke"
OF_KEY_VERSIONS = "signer.key_versions.revoke"


@dataclass(frozen=True, slots=True)
class NewRevocation:
    """What to revoke, and why."""

    target: Target
    reason: str


class Revoker:
    """Revokes signings, signatures, digests and key versions."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def revoke(self, caller: Caller, wanted: NewRevocation) -> Revocation:
        """Revoke. Raises PermissionDenied, SigningNotFound, KeyNotFound, InvalidArgument."""
        caller.demand(OF_KEY_VERSIONS if isinstance(wanted.target, KeyVersionTarget) else OF_SIGNATURES)
        now = self._clock.now()
        _demand_past(wanted.target, now)
        async with self._store.begin() as work:
            await _demand_scope(work, caller, wanted.target)
            revocation = Revocation(
                revocation_id=str(uuid4()),
                target=wanted.target,
                reason=wanted.reason,
                revoked_by=caller.spiffe_id,
                created_at=now,
                digests=await _covered(work, wanted.target),
            )
            await work.revocations.add(revocation)
            await work.record("revocation.create", revocation.revocation_id, _described(revocation))
            if isinstance(wanted.target, KeyVersionTarget):
                await _mark(work, wanted.target)
            await work.trust.revoked(revocation)
            await work.keep_answer(revocation)
        return revocation


def _demand_past(target: Target, now: datetime) -> None:
    if isinstance(target, KeyVersionTarget) and target.start > now:
        raise InvalidArgument(
            "A key version is revoked from a time that has come; this one is in the future.",
            field="target.key_version.from_time",
        )


async def _demand_scope(work: Work, caller: Caller, target: Target) -> None:
    match target:
        case SigningTarget(signing_id):
            signing = await demand_signing(work, signing_id)
            caller.scope.demand_key(signing.key)
            caller.scope.demand_repository(signing.repository)
        case SignatureTarget(_, key, version) | KeyVersionTarget(key, version, _):
            caller.scope.demand_key(key)
            await demand_version(work, key, version)
        case DigestTarget():
            _demand_every_repository(caller)


def _demand_every_repository(caller: Caller) -> None:
    if caller.scope.repositories is not None:
        raise PermissionDenied(
            "A digest is revoked in every repository, and your binding covers some only: revoke the signing instead."
        )


async def _covered(work: Work, target: Target) -> tuple[Digest, ...]:
    match target:
        case SigningTarget(signing_id):
            signing = await demand_signing(work, signing_id)
            return tuple(sorted(signed.digest for signed in signing.digests))
        case DigestTarget(digest):
            return tuple(sorted({digest} | await work.signings.digests_with([digest])))
        case SignatureTarget(digest, _, _):
            return (digest,)
        case KeyVersionTarget():
            return ()


async def _mark(work: Work, target: KeyVersionTarget) -> None:
    version = await demand_version(work, target.key, target.version)
    if version.revoked_from is None or target.start < version.revoked_from:
        marked = replace(version, revoked_from=target.start)
        await work.keys.change_version(marked)
        await work.trust.key_version_changed(marked)


def _described(revocation: Revocation) -> dict[str, str]:
    target = revocation.target
    named = {name: str(getattr(target, name)) for name in target.__slots__}
    return {"target": type(target).__name__, **named, "reason": revocation.reason}
