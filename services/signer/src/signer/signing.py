"""Signing an image: gate, record, signature, registry, in this order."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from chassis.audit import AuditLog
from chassis.clock import Clock
from chassis.errors import Kind, Refusal
from chassis.identity import Caller
from registry.references import Reference

from signer.envelopes.payloads import Envelopes, Payloads, enclose, payloads
from signer.errors import ImageRevoked, KeyChanged, KeyVersionRevoked, SigningOutdated, WrongPurpose
from signer.gate import Gate, GateChange, tighten
from signer.gatekeeping import Gatekeeper
from signer.images import Image, Images
from signer.keyring import demand_enabled, demand_version
from signer.keys.model import KeyVersion, Purpose
from signer.keys.vault import Vault
from signer.metrics import Metrics
from signer.publishing import Publisher, Written
from signer.records import demand_signing
from signer.risk import GateEvidence
from signer.signings import SignedDigest, Signing, SigningState
from signer.store import Store, Work


@dataclass(frozen=True, slots=True)
class SignRequest:
    """What to sign and with what. `image` has a digest; `reviewed` is a risk_digest, or empty."""

    image: Reference
    key: str
    claims: Mapping[str, str]
    gate: GateChange
    reviewed: str


class ImageSigner:
    """Signs images that pass the gate of their key."""

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        images: Images,
        gatekeeper: Gatekeeper,
        publisher: Publisher,
        audit: AuditLog,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._vault = vault
        self._images = images
        self._gatekeeper = gatekeeper
        self._publisher = publisher
        self._audit = audit
        self._clock = clock
        self._metrics = metrics

    async def sign(self, caller: Caller, wanted: SignRequest) -> Signing:
        """Sign an image and, where it is an index, its platform manifests; return the record, DONE.

        Raises KeyNotFound, KeyDisabled, KeyVersionRevoked, WrongPurpose, ImageNotFound, ImageUnsupported, TagMoved,
        GateLoosened, GateRefused, RiskChanged, RiskUnavailable, ImageRevoked, KeyChanged, VaultFaulty, SignaturesFull,
        SignatureLost, PermissionDenied, and what the registry refuses.
        """
        return await self._audited(caller, wanted, lambda: self._sign(caller, wanted))

    async def resume(self, caller: Caller, wanted: SignRequest, signing_id: str) -> Signing:
        """Go on with a signing that was recorded and not finished; what is signed is what was recorded.

        Raises what `sign` raises: what was true when it began must be true again.
        """
        return await self._audited(caller, wanted, lambda: self._resume(wanted, signing_id))

    async def _audited(self, caller: Caller, wanted: SignRequest, work: Callable[[], Awaitable[Signing]]) -> Signing:
        caller.scope.demand_key(wanted.key)
        caller.scope.demand_repository(wanted.image.name)
        with self._metrics.signing():
            intent = await self._audit.intend("image.sign", str(wanted.image), {"key": wanted.key})
            try:
                signing = await work()
            except Refusal as refusal:
                await self._audit.failed(intent, {"reason": refusal.reason})
                raise
            await self._audit.done(intent, {"signing_id": signing.signing_id})
            return signing

    async def _sign(self, caller: Caller, wanted: SignRequest) -> Signing:
        async with self._store.read() as work:
            version, gate = await _demand_signer(work, wanted.key)
        image = await self._images.read(wanted.image)
        passed = await self._gatekeeper.admit(tighten(gate, wanted.gate), image, wanted.reviewed)
        signing = self._signing(caller, wanted, version)
        to_sign = payloads(signing, image, passed)
        signing = replace(signing, digests=_signed(image, passed, to_sign))
        async with self._store.begin() as work:
            await _demand_unchanged(work, signing, gate)
            await work.signings.add(signing)
            await work.keep_answer(signing)
        try:
            return await self._publish(signing, version, image, to_sign)
        except Refusal as refusal:
            await self._fail(signing, refusal)
            raise

    async def _resume(self, wanted: SignRequest, signing_id: str) -> Signing:
        async with self._store.read() as work:
            signing = await demand_signing(work, signing_id)
        try:
            async with self._store.read() as work:
                version, gate = await _demand_signer(work, wanted.key)
            image = await self._images.read(wanted.image)
            await self._gatekeeper.admit(tighten(gate, wanted.gate), image, wanted.reviewed)
            async with self._store.read() as work:
                await _demand_unchanged(work, signing, gate)
            return await self._publish(signing, version, image, _recorded(signing, image))
        except Refusal as refusal:
            if refusal.kind is not Kind.UNAVAILABLE:
                await self._fail(signing, refusal)
            raise

    async def _publish(
        self, signing: Signing, version: KeyVersion, image: Image, to_sign: Sequence[Payloads]
    ) -> Signing:
        with self._metrics.vault():
            enclosed = [await enclose(self._vault, version, payloads_) for payloads_ in to_sign]
        await self._store_all(signing, image, enclosed)
        done = replace(signing, state=SigningState.DONE)
        async with self._store.begin() as work:
            await work.signings.set_state(signing.signing_id, SigningState.DONE)
            await work.trust.signed(signing.signing_id)
            await work.keep_answer(done)
        return done

    async def _store_all(self, signing: Signing, image: Image, enclosed: Sequence[Envelopes]) -> None:
        published, written = 0, list[Written]()
        try:
            # The image itself comes last: where an index is signed, its platforms are.
            for part, envelopes in reversed(list(zip(image.parts, enclosed, strict=True))):
                written += await self._publisher.publish(signing, part, envelopes)
                published += 1
            await self._publisher.confirm(written)
        except Refusal as refusal:
            refusal.metadata["published"] = f"{published} of {len(image.parts)} manifests"
            raise

    async def _fail(self, signing: Signing, refusal: Refusal) -> None:
        published = refusal.metadata.get("published")
        failure = f"After {published}: {refusal.message}" if published else refusal.message
        async with self._store.begin() as work:
            await work.signings.set_state(signing.signing_id, SigningState.FAILED, failure)
            await work.forget_answer()

    def _signing(self, caller: Caller, wanted: SignRequest, version: KeyVersion) -> Signing:
        return Signing(
            signing_id=str(uuid4()),
            repository=wanted.image.name,
            tag=wanted.image.tag or "",
            key=version.key,
            key_version=version.version,
            fingerprint=version.fingerprint,
            signer=caller.spiffe_id,
            signed_at=self._clock.now(),
            claims=wanted.claims,
            state=SigningState.PENDING,
            digests=(),
        )


def _signed(image: Image, passed: Sequence[GateEvidence], to_sign: Sequence[Payloads]) -> tuple[SignedDigest, ...]:
    parts = zip(image.parts, passed, to_sign, strict=True)
    return tuple(SignedDigest(part.digest, gate, payloads_.recorded()) for part, gate, payloads_ in parts)


def _recorded(signing: Signing, image: Image) -> tuple[Payloads, ...]:
    """The payloads of a signing as they were recorded. Raises SigningOutdated where they come out otherwise."""
    passed = [signed.gate for signed in signing.digests]
    if [part.digest for part in image.parts] == [signed.digest for signed in signing.digests]:
        to_sign = payloads(signing, image, passed)
        if _signed(image, passed, to_sign) == signing.digests:
            return to_sign
    raise SigningOutdated("The signing was begun by another release of the signer, which signs otherwise; sign again.")


async def _demand_signer(work: Work, name: str) -> tuple[KeyVersion, Gate]:
    key = await demand_enabled(work, name)
    if key.purpose is not Purpose.IMAGE_SIGNATURE or key.gate is None:
        raise WrongPurpose(
            f"The key {name} is of purpose {key.purpose.value}; images are signed by a key of purpose IMAGE_SIGNATURE.",
            metadata={"key": name, "purpose": key.purpose.value},
        )
    version = await demand_version(work, name, key.current_version)
    if version.revoked_from is not None:
        raise KeyVersionRevoked(
            f"{name}@{version.version}, the newest version of the key, is revoked; a custodian must rotate the key.",
            metadata={"key": name, "version": str(version.version)},
        )
    return version, key.gate


async def _demand_unchanged(work: Work, signing: Signing, passed: Gate) -> None:
    """What was true before the gate must still be, in the transaction that records the signing."""
    version, gate = await _demand_signer(work, signing.key)
    if version.version != signing.key_version:
        raise KeyChanged(f"The key {signing.key} was rotated while it should sign; sign again.")
    if gate != passed:
        raise KeyChanged(f"The gate of the key {signing.key} was changed while it should sign; sign again.")
    digests = [signed.digest for signed in signing.digests]
    if covering := await work.revocations.covering(digests):
        digest, revocation = covering
        raise ImageRevoked(
            f"{digest} is revoked ({revocation.revocation_id}: {revocation.reason}); no signature on it would count.",
            metadata={"digest": digest, "revocation_id": revocation.revocation_id},
        )
    if revocation_ := await work.revocations.revoked(digests, signing.key, version.version):
        raise ImageRevoked(
            f"The signatures of {signing.key}@{version.version} on this image are revoked"
            f" ({revocation_.revocation_id}: {revocation_.reason}); another version or key may sign it.",
            metadata={"revocation_id": revocation_.revocation_id},
        )
