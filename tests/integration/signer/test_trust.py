"""Revocations, and what verifiers are told of keys, revocations and signings."""

import asyncio
from datetime import UTC, timedelta
from uuid import uuid4

import pytest
from chassis.errors import InvalidArgument, PermissionDenied
from chassis.watch import Notifier, serve
from hallmark.common.v1 import stream_pb2
from registry.digests import Digest
from signer.errors import GateRefused, ImageRevoked, KeyNotFound, KeyVersionRevoked, SigningNotFound
from signer.keys.model import KeyState, KeyVersion
from signer.revocations import (
    DigestTarget,
    KeyVersionTarget,
    Revocation,
    SignatureTarget,
    SigningTarget,
    Target,
)
from signer.revoking import NewRevocation
from signer.signings import Signing, SigningState
from signer.store import trust as trust_rows
from signer.trust import EarlierSigning, EarlierSignings, SigningNotice, TrustRecord

from tests.factories.images import debian, file, image, index, layer
from tests.factories.workshop import Workshop, person

CUSTODIAN, REVIEWER = person("custodian"), person("reviewer")
GOOD = debian()
ARM = image(layer(file("arm")), platform="linux/arm64")
MULTI = index(GOOD, ARM)
OTHER_MULTI = index(ARM, image(layer(file("s390")), platform="linux/s390x"))


async def signed(shop: Workshop) -> Signing:
    await shop.key()
    shop.push(MULTI)
    shop.risks.scanned(MULTI)
    return await shop.sign(MULTI)


async def revoke(shop: Workshop, target: Target, *, custodian: bool = False) -> Revocation:
    return await shop.revoker.revoke(CUSTODIAN if custodian else REVIEWER, NewRevocation(target, "it leaked"))


def digests(signing: Signing) -> set[str]:
    return {one.digest for one in signing.digests}


async def everything(shop: Workshop) -> list[TrustRecord]:
    _, batches = await shop.trust.snapshot()
    return [record async for batch in batches for record in batch]


async def changes(shop: Workshop, after: int) -> list[TrustRecord]:
    found: list[TrustRecord] = []
    while read := await shop.trust.changes(after):
        found += [record for _, record in read]
        after = read[-1][0]
    return found


async def test_revoking_a_signing_covers_its_digests_and_keeps_it_from_being_signed_again(shop: Workshop) -> None:
    signing = await signed(shop)
    revocation = await revoke(shop, SigningTarget(signing.signing_id))
    assert set(revocation.digests) == digests(signing)
    for one in (MULTI, GOOD, ARM):
        with pytest.raises(ImageRevoked) as refusal:
            await shop.sign(one)
        assert revocation.revocation_id in refusal.value.message


async def test_revoking_a_digest_covers_every_signing_that_holds_it(shop: Workshop) -> None:
    first = await signed(shop)
    shop.push(OTHER_MULTI)
    shop.risks.scanned(OTHER_MULTI)
    second = await shop.sign(OTHER_MULTI)
    revocation = await revoke(shop, DigestTarget(Digest(ARM.digest)))
    assert set(revocation.digests) == digests(first) | digests(second)


async def test_a_digest_that_was_never_signed_can_be_revoked(shop: Workshop) -> None:
    await shop.key()
    shop.push(GOOD)
    shop.risks.scanned(GOOD)
    assert (await revoke(shop, DigestTarget(Digest(GOOD.digest)))).digests == (GOOD.digest,)
    with pytest.raises(ImageRevoked):
        await shop.sign(GOOD)


async def test_revoking_the_signatures_of_a_key_version_leaves_other_keys_and_versions(shop: Workshop) -> None:
    await signed(shop)
    await shop.key("second")
    revocation = await revoke(shop, SignatureTarget(Digest(GOOD.digest), "release", 1))
    assert revocation.digests == (GOOD.digest,)
    with pytest.raises(ImageRevoked):
        await shop.sign(MULTI)
    assert (await shop.sign(MULTI, key="second")).state is SigningState.DONE
    await shop.keyring.rotate(CUSTODIAN, "release", None)
    assert (await shop.sign(MULTI)).state is SigningState.DONE


async def test_a_revoked_key_version_signs_no_more_until_it_is_rotated(shop: Workshop) -> None:
    await signed(shop)
    await revoke(shop, KeyVersionTarget("release", 1, shop.clock.now()), custodian=True)
    with pytest.raises(KeyVersionRevoked):
        await shop.sign(MULTI)
    await shop.keyring.rotate(CUSTODIAN, "release", None)
    assert (await shop.sign(MULTI)).key_version == 2


async def test_what_was_recorded_before_a_key_version_was_revoked_goes_on_counting(shop: Workshop) -> None:
    before = await signed(shop)
    shop.clock.advance(60)
    moment = shop.clock.now()
    await shop.sign(MULTI)
    shop.clock.advance(60)
    revocation = await revoke(shop, KeyVersionTarget("release", 1, moment), custodian=True)
    (earlier,) = [record for record in await everything(shop) if isinstance(record, EarlierSignings)]
    assert earlier.revocation_id == revocation.revocation_id
    assert set(earlier.signings) == {
        EarlierSigning(before.signing_id, payload.sha256) for one in before.digests for payload in one.payloads
    }
    (version,) = [record for record in await everything(shop) if isinstance(record, KeyVersion)]
    assert version.revoked_from == moment


async def test_a_second_revocation_of_a_key_version_only_ever_moves_back_in_time(shop: Workshop) -> None:
    await signed(shop)
    now = shop.clock.now()
    for moment, expected in ((now, now), (now - timedelta(days=1), now - timedelta(days=1)), (now, now - timedelta(1))):
        await revoke(shop, KeyVersionTarget("release", 1, moment), custodian=True)
        (version,) = [record for record in await everything(shop) if isinstance(record, KeyVersion)]
        assert version.revoked_from == expected


async def test_reviewers_revoke_signatures_and_custodians_key_versions(shop: Workshop) -> None:
    signing = await signed(shop)
    now = shop.clock.now().astimezone(UTC)
    with pytest.raises(PermissionDenied, match=r"signer\.key_versions\.revoke"):
        await revoke(shop, KeyVersionTarget("release", 1, now))
    for target in (
        SigningTarget(signing.signing_id),
        DigestTarget(Digest(GOOD.digest)),
        SignatureTarget(Digest(GOOD.digest), "release", 1),
    ):
        with pytest.raises(PermissionDenied, match=r"signer\.signatures\.revoke"):
            await revoke(shop, target, custodian=True)


async def test_a_binding_limits_what_can_be_revoked(shop: Workshop) -> None:
    signing = await signed(shop)
    narrowed = person("reviewer", repositories=("reg.example.com/**",))
    for target in (SigningTarget(signing.signing_id), DigestTarget(Digest(GOOD.digest))):
        with pytest.raises(PermissionDenied):
            await shop.revoker.revoke(narrowed, NewRevocation(target, "no"))
    other_keys = person("reviewer", keys=("ci",))
    with pytest.raises(PermissionDenied):
        await shop.revoker.revoke(other_keys, NewRevocation(SignatureTarget(Digest(GOOD.digest), "release", 1), "no"))


async def test_what_does_not_exist_or_lies_ahead_cannot_be_revoked(shop: Workshop) -> None:
    await shop.key()
    with pytest.raises(SigningNotFound):
        await revoke(shop, SigningTarget(str(uuid4())))
    with pytest.raises(KeyNotFound):
        await revoke(shop, SignatureTarget(Digest(GOOD.digest), "release", 2))
    ahead = shop.clock.now() + timedelta(seconds=1)
    with pytest.raises(InvalidArgument, match="future"):
        await revoke(shop, KeyVersionTarget("release", 1, ahead), custodian=True)


async def test_each_change_is_told_once_in_order(shop: Workshop) -> None:
    signing = await signed(shop)
    await shop.keyring.rotate(CUSTODIAN, "release", None)
    await shop.keyring.set_state(CUSTODIAN, "release", KeyState.DISABLED)
    revocation = await revoke(shop, SigningTarget(signing.signing_id))
    told = await changes(shop, 0)
    versions = [(one.version, one.state) for one in told if isinstance(one, KeyVersion)]
    disabled = KeyState.DISABLED
    assert versions == [(1, disabled), (2, disabled), (2, disabled), (1, disabled)]
    assert told[1] == SigningNotice(signing.signing_id, shop.repository, tuple(one.digest for one in signing.digests))
    assert told[-1] == revocation
    assert await shop.trust.changes((await shop.trust.position()).counter) == []


async def test_a_signing_that_failed_is_not_announced(shop: Workshop) -> None:
    await shop.key()
    before = await shop.trust.position()
    shop.push(GOOD)
    with pytest.raises(GateRefused):
        await shop.sign(GOOD)
    assert await shop.trust.position() == before


async def test_changes_that_are_kept_no_more_or_lie_ahead_are_none(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust_rows, "_KEPT", 3)
    await shop.key()
    for _ in range(5):
        await shop.keyring.rotate(CUSTODIAN, "release", None)
    newest = (await shop.trust.position()).counter
    assert await shop.trust.changes(newest - 4) is None
    kept = await shop.trust.changes(newest - 3)
    assert kept is not None
    assert [counter for counter, _ in kept] == [newest - 2, newest - 1, newest]
    assert await shop.trust.changes(newest + 1) is None


async def test_earlier_signings_travel_in_bounded_records_and_add_up(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust_rows, "EARLIER_IN_A_RECORD", 4)
    await signed(shop)
    await shop.sign(MULTI)
    shop.clock.advance(1)
    before = (await shop.trust.position()).counter
    await revoke(shop, KeyVersionTarget("release", 1, shop.clock.now()), custodian=True)
    first = await shop.trust.changes(before)
    assert first is not None
    assert sum(isinstance(record, EarlierSignings) for _, record in first) == 1
    by_changes = [one for one in await changes(shop, before) if isinstance(one, EarlierSignings)]
    by_snapshot = [one for one in await everything(shop) if isinstance(one, EarlierSignings)]
    assert [len(one.signings) for one in by_changes] == [4, 4, 4]
    assert by_changes == by_snapshot
    assert len({pair for one in by_changes for pair in one.signings}) == 12


async def test_a_stream_sends_a_snapshot_then_changes_then_heartbeats(shop: Workshop) -> None:
    await shop.key()
    stream = serve(shop.trust, "", Notifier())
    events = [await anext(stream) for _ in range(4)]
    assert [head.event for head, _ in events] == [
        stream_pb2.STREAM_EVENT_SNAPSHOT_BEGIN,
        stream_pb2.STREAM_EVENT_SNAPSHOT_BATCH,
        stream_pb2.STREAM_EVENT_SNAPSHOT_END,
        stream_pb2.STREAM_EVENT_HEARTBEAT,
    ]
    following = asyncio.ensure_future(anext(stream))
    await shop.keyring.rotate(CUSTODIAN, "release", None)
    head, records = await following
    assert head.event == stream_pb2.STREAM_EVENT_CHANGE
    assert [record.version for record in records if isinstance(record, KeyVersion)] == [2]
