"""The embedded vault: what opens, what does not, and what a signature must withstand before it is returned."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from chassis.workers import Workers
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from signer.errors import KeyFileExposed, KeyFileUnusable, VaultFaulty, WrongSecret
from signer.keys.algorithms import Algorithm, verifies
from signer.keys.embedded import EmbeddedVault, new_seal
from signer.keys.model import Purpose
from signer.keys.secrets import KeySource
from signer.keys.vault import Identity, Made, sign

from tests.factories.keys import key_version

RELEASE = Identity("release", 1, Algorithm.ECDSA_P256_SHA256, Purpose.IMAGE_SIGNATURE)
DIGEST = hashlib.sha256(b"message").digest()
CHEAP_SCRYPT = 2**4


def private_file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


@pytest.fixture
def source(tmp_path: Path) -> KeySource:
    return KeySource(None, private_file(tmp_path / "key", b"k" * 32))


@pytest.fixture
def workers() -> Iterator[Workers]:
    threads = Workers(2)
    yield threads
    threads.close()


@pytest.fixture
def vault(source: KeySource, workers: Workers) -> EmbeddedVault:
    return EmbeddedVault.open(source, new_seal(source), workers)


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_signs_with_every_algorithm_it_offers(vault: EmbeddedVault, algorithm: Algorithm) -> None:
    identity = replace(RELEASE, algorithm=algorithm)
    made = await vault.create(identity)
    signature = await vault.sign(identity, made.handle, DIGEST)
    assert verifies(algorithm, made.public_key, signature, DIGEST)
    assert not verifies(algorithm, made.public_key, signature, hashlib.sha256(b"other").digest())


async def test_keys_are_of_the_size_that_the_algorithm_says(vault: EmbeddedVault) -> None:
    curve = load_der_public_key((await vault.create(RELEASE)).public_key)
    assert isinstance(curve, ec.EllipticCurvePublicKey)
    assert curve.curve.name == "secp256r1"
    for bits in (2048, 3072):
        made = await vault.create(replace(RELEASE, algorithm=Algorithm(f"RSA_{bits}_PKCS1V15_SHA256")))
        public = load_der_public_key(made.public_key)
        assert isinstance(public, rsa.RSAPublicKey)
        assert (public.key_size, public.public_numbers().e) == (bits, 65537)


async def test_a_signature_counts_only_under_the_algorithm_of_the_key(vault: EmbeddedVault) -> None:
    made = await vault.create(RELEASE)
    signature = await vault.sign(RELEASE, made.handle, DIGEST)
    assert not verifies(Algorithm.RSA_2048_PKCS1V15_SHA256, made.public_key, signature, DIGEST)


@pytest.mark.parametrize(
    "other",
    [
        replace(RELEASE, key="ci"),
        replace(RELEASE, version=2),
        replace(RELEASE, algorithm=Algorithm.RSA_2048_PKCS1V15_SHA256),
        replace(RELEASE, purpose=Purpose.RAW),
    ],
)
async def test_a_handle_moved_to_another_identity_does_not_open(vault: EmbeddedVault, other: Identity) -> None:
    made = await vault.create(RELEASE)
    with pytest.raises(WrongSecret):
        await vault.sign(other, made.handle, DIGEST)


async def test_no_byte_of_a_handle_can_be_changed(vault: EmbeddedVault) -> None:
    handle = (await vault.create(RELEASE)).handle
    for place in range(len(handle)):
        altered = handle[:place] + bytes([handle[place] ^ 1]) + handle[place + 1 :]
        with pytest.raises(WrongSecret):
            await vault.sign(RELEASE, altered, DIGEST)


@pytest.mark.parametrize("length", [0, 1, 12, 13, 28])
async def test_a_truncated_handle_does_not_open(vault: EmbeddedVault, length: int) -> None:
    handle = (await vault.create(RELEASE)).handle
    with pytest.raises(WrongSecret):
        await vault.sign(RELEASE, handle[:length], DIGEST)


async def test_the_private_key_is_not_in_the_handle_in_the_clear(vault: EmbeddedVault) -> None:
    first, second = await vault.create(RELEASE), await vault.create(RELEASE)
    assert first.public_key != second.public_key
    assert first.public_key[-64:] not in first.handle


async def test_a_refusal_does_not_show_the_handle(vault: EmbeddedVault) -> None:
    handle = (await vault.create(RELEASE)).handle
    with pytest.raises(WrongSecret) as refusal:
        await vault.sign(replace(RELEASE, key="ci"), handle, DIGEST)
    assert handle.hex() not in str(refusal.value)
    assert repr(handle) not in str(refusal.value)


async def test_the_check_passes_with_the_right_key(vault: EmbeddedVault) -> None:
    await vault.check()


def test_another_key_file_is_refused_at_the_start(source: KeySource, tmp_path: Path, workers: Workers) -> None:
    seal = new_seal(source)
    other = KeySource(None, private_file(tmp_path / "other", b"x" * 32))
    with pytest.raises(WrongSecret):
        EmbeddedVault.open(other, seal, workers)


async def test_a_secret_opens_what_it_sealed_and_another_one_does_not(tmp_path: Path, workers: Workers) -> None:
    right = KeySource(private_file(tmp_path / "right", b"correct horse battery\n"), None)
    seal = new_seal(right, right.new_protection(CHEAP_SCRYPT))
    made = await EmbeddedVault.open(right, seal, workers).create(RELEASE)
    again = EmbeddedVault.open(right, seal, workers)
    assert verifies(RELEASE.algorithm, made.public_key, await again.sign(RELEASE, made.handle, DIGEST), DIGEST)
    wrong = KeySource(private_file(tmp_path / "wrong", b"correct horse batterz\n"), None)
    with pytest.raises(WrongSecret):
        EmbeddedVault.open(wrong, seal, workers)


def test_two_vaults_of_one_secret_have_different_keys(tmp_path: Path) -> None:
    source = KeySource(private_file(tmp_path / "secret", b"correct horse battery"), None)
    first, second = source.new_protection(CHEAP_SCRYPT), source.new_protection(CHEAP_SCRYPT)
    assert source.key(first) != source.key(second)


def test_a_vault_made_with_one_kind_of_file_is_not_opened_with_the_other(source: KeySource, tmp_path: Path) -> None:
    secret = KeySource(private_file(tmp_path / "secret", b"correct horse battery"), None)
    with pytest.raises(KeyFileUnusable, match=r"vault\.key_file"):
        secret.key(source.new_protection())
    with pytest.raises(KeyFileUnusable, match=r"vault\.secret_file"):
        source.key(secret.new_protection())


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o601, 0o666])
def test_a_file_that_others_can_reach_is_refused_by_name(tmp_path: Path, mode: int) -> None:
    path = private_file(tmp_path / "key", b"k" * 32)
    path.chmod(mode)
    with pytest.raises(KeyFileExposed, match=str(path)):
        new_seal(KeySource(None, path))


def test_a_file_inside_the_store_is_refused_even_through_a_link(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    path = private_file(store / "key", b"k" * 32)
    link = tmp_path / "link"
    link.symlink_to(path)
    for given in (path, link):
        with pytest.raises(KeyFileExposed, match="directory of the database"):
            new_seal(KeySource(None, given, store))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_file_of_another_size_is_refused(tmp_path: Path, size: int) -> None:
    with pytest.raises(KeyFileUnusable, match="32 bytes"):
        new_seal(KeySource(None, private_file(tmp_path / "key", b"k" * size)))


@pytest.mark.parametrize("secret", [b"", b"\n", b"too short\n", b"x" * 5000])
def test_a_secret_that_is_too_short_or_long_is_refused_without_showing_it(tmp_path: Path, secret: bytes) -> None:
    with pytest.raises(KeyFileUnusable, match="16 to 4096 bytes") as refusal:
        new_seal(KeySource(private_file(tmp_path / "secret", secret), None))
    assert "too short" not in str(refusal.value).replace(str(tmp_path), "")


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileUnusable, match="No such file"):
        new_seal(KeySource(None, tmp_path / "nothing"))
    with pytest.raises(KeyFileUnusable):
        new_seal(KeySource(None, tmp_path))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyFileUnusable, match="no regular file"):
        new_seal(KeySource(None, tmp_path / "pipe"))


class Flipping:
    """A vault whose signatures have a bit turned over on their way."""

    name = "flipping"
    algorithms = frozenset(Algorithm)

    def __init__(self, inner: EmbeddedVault) -> None:
        self._inner = inner

    async def create(self, identity: Identity) -> Made:
        return await self._inner.create(identity)

    async def sign(self, identity: Identity, handle: bytes, digest: bytes) -> bytes:
        signature = await self._inner.sign(identity, handle, digest)
        return signature[:-1] + bytes([signature[-1] ^ 1])

    async def check(self) -> None:
        return None


async def test_a_signature_that_the_public_key_does_not_verify_is_never_returned(vault: EmbeddedVault) -> None:
    made = await vault.create(RELEASE)
    version = key_version(public_key=made.public_key, handle=made.handle)
    signature = await sign(vault, version, b"message")
    assert verifies(version.algorithm, version.public_key, signature, DIGEST)
    with pytest.raises(VaultFaulty):
        await sign(Flipping(vault), version, b"message")
