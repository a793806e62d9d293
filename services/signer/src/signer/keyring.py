"""Making keys, and changing what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from chassis.clock import Clock
from chassis.errors import InvalidArgument
from chassis.identity import Caller

from signer.errors import KeyChanged, KeyDisabled, KeyExists, KeyNotFound
from signer.gate import Gate, GateChange, change
from signer.keys.algorithms import Algorithm, fingerprint
from signer.keys.model import Key, KeyState, KeyVersion, Purpose
from signer.keys.vault import Identity, Vault
from signer.metrics import Metrics
from signer.store import Store, Work

DEFAULT_ALGORITHM: Final = Algorithm.ECDSA_P256_SHA256


@dataclass(frozen=True, slots=True)
class NewKey:
    """What to make; None means the default. `gate` is for image keys alone."""

    name: str
    purpose: Purpose
    algorithm: Algorithm | None
    gate: GateChange | None
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KeyUpdate:
    """What to change of a key; None leaves what is there. `reset_gate`: limits not given take their defaults."""

    name: str
    gate: GateChange | None
    reset_gate: bool
    labels: Mapping[str, str] | None


class Keyring:
    """Makes keys and changes them."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._metrics = metrics

    async def create(self, caller: Caller, wanted: NewKey) -> Key:
        """Make a key with its first version. Raises KeyExists."""
        caller.scope.demand_key(wanted.name)
        gate = _first_gate(wanted)
        algorithm = wanted.algorithm or DEFAULT_ALGORITHM
        async with self._store.read() as work:
            await _demand_new(work, wanted.name)
        first = await self._make(Identity(wanted.name, 1, algorithm, wanted.purpose))
        key = Key(
            name=wanted.name,
            vault=self._vault.name,
            purpose=wanted.purpose,
            state=KeyState.ENABLED,
            current_version=1,
            algorithm=algorithm,
            gate=gate,
            labels=wanted.labels,
            created_at=first.created_at,
        )
        async with self._store.begin() as work:
            await _demand_new(work, wanted.name)
            await work.keys.add(key, first)
            await work.record("key.create", key.name, _described(first))
            await work.trust.key_version_changed(first)
            await work.keep_answer(key)
        return key

    async def rotate(self, caller: Caller, name: str, algorithm: Algorithm | None) -> KeyVersion:
        """Make a new version, which signs from now on. Raises KeyNotFound, KeyDisabled, KeyChanged."""
        caller.scope.demand_key(name)
        async with self._store.read() as work:
            key = await demand_enabled(work, name)
        number = key.current_version + 1
        version = await self._make(Identity(name, number, algorithm or key.algorithm, key.purpose))
        async with self._store.begin() as work:
            if (await demand_enabled(work, name)).current_version != key.current_version:
                raise KeyChanged(f"The key {name} was rotated by somebody else at the same time; look at it again.")
            await work.keys.add_version(version)
            await work.record("key.rotate", name, _described(version))
            await work.trust.key_version_changed(version)
            await work.keep_answer(version)
        return version

    async def update(self, caller: Caller, wanted: KeyUpdate) -> Key:
        """Change gate or labels. Raises KeyNotFound, InvalidArgument for a gate on a key that has none."""
        caller.scope.demand_key(wanted.name)
        async with self._store.begin() as work:
            key = await demand_key(work, wanted.name)
            changed = replace(
                key,
                gate=_changed_gate(key, wanted),
                labels=key.labels if wanted.labels is None else wanted.labels,
            )
            await work.keys.change(changed)
            await work.record("key.update", key.name, _differences(key, changed))
        return changed

    async def set_state(self, caller: Caller, name: str, state: KeyState) -> Key:
        """Take a key into use or out of it. Raises KeyNotFound."""
        caller.scope.demand_key(name)
        async with self._store.begin() as work:
            key = replace(await demand_key(work, name), state=state)
            await work.keys.change(key)
            await work.record("key.enable" if state is KeyState.ENABLED else "key.disable", name, {})
            for version in await work.keys.versions(name, key.current_version + 1, key.current_version):
                await work.trust.key_version_changed(version)
        return key

    async def _make(self, identity: Identity) -> KeyVersion:
        if identity.algorithm not in self._vault.algorithms:
            raise InvalidArgument(
                f"The vault {self._vault.name} makes no keys for {identity.algorithm.value}.", field="algorithm"
            )
        with self._metrics.vault():
            made = await self._vault.create(identity)
        return KeyVersion(
            key=identity.key,
            version=identity.version,
            purpose=identity.purpose,
            algorithm=identity.algorithm,
            public_key=made.public_key,
            fingerprint=fingerprint(made.public_key),
            handle=made.handle,
            state=KeyState.ENABLED,
            created_at=self._clock.now(),
            revoked_from=None,
        )


async def demand_key(work: Work, name: str) -> Key:
    """Return the key of this name. Raises KeyNotFound."""
    key = await work.keys.get(name)
    if key is None:
        raise KeyNotFound(f"There is no key named {name}.", metadata={"key": name})
    return key


async def demand_enabled(work: Work, name: str) -> Key:
    """Return the key of this name. Raises KeyNotFound, KeyDisabled."""
    key = await demand_key(work, name)
    if key.state is not KeyState.ENABLED:
        raise KeyDisabled(f"The key {name} is DISABLED; a custodian can enable it.", metadata={"key": name})
    return key


async def demand_version(work: Work, name: str, number: int) -> KeyVersion:
    """Return a version of a key. Raises KeyNotFound."""
    version = await work.keys.version(name, number)
    if version is None:
        raise KeyNotFound(f"There is no key version {name}@{number}.", metadata={"key": name, "version": str(number)})
    return version


async def _demand_new(work: Work, name: str) -> None:
    if await work.keys.get(name) is not None:
        raise KeyExists(f"There is a key named {name} already; names are never used again.", metadata={"key": name})


def _first_gate(wanted: NewKey) -> Gate | None:
    if wanted.purpose is Purpose.IMAGE_SIGNATURE:
        return change(Gate(), wanted.gate or GateChange())
    if wanted.gate is not None:
        raise InvalidArgument("Only a key of purpose IMAGE_SIGNATURE has a gate.", field="gate")
    return None


def _changed_gate(key: Key, wanted: KeyUpdate) -> Gate | None:
    if wanted.gate is None:
        return key.gate
    if key.gate is None:
        raise InvalidArgument(
            f"The key {key.name} has no gate: it is of purpose {key.purpose.value}.", field="key.gate"
        )
    return change(Gate() if wanted.reset_gate else key.gate, wanted.gate)


def _described(version: KeyVersion) -> dict[str, str]:
    return {
        "version": str(version.version),
        "purpose": version.purpose.value,
        "algorithm": version.algorithm.value,
        "fingerprint": version.fingerprint,
    }


def _differences(before: Key, after: Key) -> dict[str, str]:
    changed = {"gate": (before.gate, after.gate), "labels": (dict(before.labels), dict(after.labels))}
    return {name: f"{old} -> {new}" for name, (old, new) in changed.items() if old != new}
