"""Keys through their use cases and the real database."""

from datetime import timedelta

import pytest
from chassis.errors import InvalidArgument, PermissionDenied
from signer.errors import KeyDisabled, KeyExists, KeyNotFound
from signer.gate import Gate, GateChange
from signer.keyring import KeyUpdate
from signer.keys.algorithms import Algorithm
from signer.keys.model import KeyState, Purpose
from signer.risk import Severity
from sqlalchemy import text

from tests.factories.workshop import Workshop, person

CUSTODIAN = person("custodian")


async def test_a_key_has_the_default_gate_algorithm_and_state(shop: Workshop) -> None:
    key = await shop.key()
    assert key == await shop.records.key(person("auditor"), "release")
    assert (key.gate, key.algorithm, key.state) == (Gate(), Algorithm.ECDSA_P256_SHA256, KeyState.ENABLED)
    assert (key.current_version, key.vault, key.created_at) == (1, "embedded", shop.clock.now())


async def test_a_gate_is_for_image_keys_alone(shop: Workshop) -> None:
    given = GateChange(max_severity=Severity.HIGH)
    assert (await shop.key("a", gate=given)).gate == Gate(max_severity=Severity.HIGH)
    for purpose in (Purpose.ATTESTATION, Purpose.RAW):
        assert (await shop.key(purpose.value.lower(), purpose=purpose)).gate is None
        with pytest.raises(InvalidArgument):
            await shop.key("b", purpose=purpose, gate=given)


async def test_a_name_is_never_used_again(shop: Workshop) -> None:
    await shop.key()
    with pytest.raises(KeyExists):
        await shop.key(purpose=Purpose.RAW)
    await shop.keyring.set_state(CUSTODIAN, "release", KeyState.DISABLED)
    with pytest.raises(KeyExists):
        await shop.key()


async def test_rotation_makes_a_new_version_and_keeps_the_old_one(shop: Workshop) -> None:
    await shop.key()
    second = await shop.keyring.rotate(CUSTODIAN, "release", None)
    third = await shop.keyring.rotate(CUSTODIAN, "release", Algorithm.RSA_2048_PKCS1V15_SHA256)
    assert (second.version, second.algorithm) == (2, Algorithm.ECDSA_P256_SHA256)
    assert (third.version, third.algorithm) == (3, Algorithm.RSA_2048_PKCS1V15_SHA256)
    key = await shop.records.key(CUSTODIAN, "release")
    assert (key.current_version, key.algorithm) == (3, Algorithm.RSA_2048_PKCS1V15_SHA256)
    listed = await shop.records.versions(CUSTODIAN, "release", 100, 2)
    assert [version.version for version in listed.items] == [3, 2]
    assert [version.version for version in (await shop.records.versions(CUSTODIAN, "release", 2, 2)).items] == [1]


async def test_a_disabled_key_neither_rotates_nor_does_an_unknown_one(shop: Workshop) -> None:
    await shop.key()
    await shop.keyring.set_state(CUSTODIAN, "release", KeyState.DISABLED)
    with pytest.raises(KeyDisabled):
        await shop.keyring.rotate(CUSTODIAN, "release", None)
    with pytest.raises(KeyNotFound):
        await shop.keyring.rotate(CUSTODIAN, "other", None)
    enabled = await shop.keyring.set_state(CUSTODIAN, "release", KeyState.ENABLED)
    assert enabled.state is KeyState.ENABLED


async def test_updating_changes_what_is_named_and_nothing_else(shop: Workshop) -> None:
    await shop.key(gate=GateChange(max_age=timedelta(hours=1)), labels={"team": "pay"})
    wanted = KeyUpdate("release", GateChange(max_severity=Severity.LOW), reset_gate=False, labels=None)
    key = await shop.keyring.update(CUSTODIAN, wanted)
    assert key.gate == Gate(max_severity=Severity.LOW, max_age=timedelta(hours=1))
    assert key.labels == {"team": "pay"}
    whole = KeyUpdate("release", GateChange(max_severity=Severity.LOW), reset_gate=True, labels={})
    key = await shop.keyring.update(CUSTODIAN, whole)
    assert (key.gate, key.labels) == (Gate(max_severity=Severity.LOW), {})
    assert key == await shop.records.key(CUSTODIAN, "release")
    assert [action for action, _, _ in await shop.audited()] == ["key.create", "key.update", "key.update"]


async def test_a_key_without_a_gate_gets_none(shop: Workshop) -> None:
    await shop.key(purpose=Purpose.RAW)
    with pytest.raises(InvalidArgument):
        await shop.keyring.update(CUSTODIAN, KeyUpdate("release", GateChange(), reset_gate=True, labels=None))


async def test_a_binding_hides_keys_and_forbids_changing_them(shop: Workshop) -> None:
    for name in ("ci-1", "ci-2", "ci-3", "release", "zeta-ci"):
        await shop.key(name)
    narrowed = person("custodian", keys=("ci-*", "zeta-*"))
    first = await shop.records.keys(narrowed, "", 3)
    assert [key.name for key in first.items] == ["ci-1", "ci-2", "ci-3"]
    assert first.after == "ci-3"
    second = await shop.records.keys(narrowed, first.after, 3)
    assert ([key.name for key in second.items], second.after) == (["zeta-ci"], None)
    update = KeyUpdate("release", None, reset_gate=False, labels={})
    for forbidden in (
        shop.records.key(narrowed, "release"),
        shop.records.versions(narrowed, "release", 100, 1),
        shop.keyring.rotate(narrowed, "release", None),
        shop.keyring.update(narrowed, update),
        shop.keyring.set_state(narrowed, "release", KeyState.DISABLED),
    ):
        with pytest.raises(PermissionDenied):
            await forbidden


async def test_no_private_key_stands_in_the_database(shop: Workshop) -> None:
    await shop.key()
    async with shop.database.read() as session:
        rows = (await session.execute(text("SELECT public_key, handle FROM key_versions"))).all()
    ((public_key, handle),) = rows
    # PKCS #8 of an EC key holds the public point, which would show in a handle that is not encrypted.
    assert public_key[-64:] not in handle
