"""The signer as a process: mutual TLS, roles, request ids, a kill in the middle, and what it refuses to start with."""

import asyncio
import base64
import json
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from chassis.client import RemoteRefusal, call
from chassis.errors import Kind
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from google.protobuf.field_mask_pb2 import FieldMask
from hallmark.common.v1 import severity_pb2, stream_pb2
from hallmark.signer.v1 import (
    gate_pb2,
    key_pb2,
    key_service_pb2,
    revocation_pb2,
    signature_pb2,
    signing_service_pb2,
    trust_pb2,
)
from signer.keys.algorithms import Algorithm, PrivateKey
from signer.keys.model import Purpose
from signer.keys.sealing import unseal
from signer.keys.vault import Identity

from tests.factories.certificates import Authority
from tests.factories.images import debian
from tests.factories.signer_process import RunningSigner, SignerHome
from tests.factories.workshop import REPOSITORY
from tests.fakes.registry import FakeRegistry
from tests.fakes.risk_scanner import RiskScanner, risk_scanner

GOOD = debian()
IMAGE_KEY = key_pb2.KEY_PURPOSE_IMAGE_SIGNATURE


@pytest.fixture
async def registry() -> AsyncIterator[FakeRegistry]:
    async with FakeRegistry() as running:
        running.put_manifest(REPOSITORY, GOOD.media_type, GOOD.body, "v1")
        yield running


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def scanner(authority: Authority, tmp_path: Path) -> AsyncIterator[RiskScanner]:
    async with risk_scanner(authority, tmp_path / "scanner") as running:
        yield running


@pytest.fixture
async def home(authority: Authority, scanner: RiskScanner, registry: FakeRegistry, tmp_path: Path) -> SignerHome:
    made = SignerHome(tmp_path, authority, scanner.address, registry.host)
    code, said = await made.run("migrate")
    assert code == 0, said
    return made


def sign_request(registry: FakeRegistry, **fields: Any) -> signing_service_pb2.SignImageRequest:
    image = f"{registry.host}/{REPOSITORY}:v1@{GOOD.digest}"
    return signing_service_pb2.SignImageRequest(image=image, key="release", **fields)


async def make_key(signer: RunningSigner, name: str = "release") -> key_pb2.Key:
    request = key_service_pb2.CreateKeyRequest(name=name, purpose=IMAGE_KEY, request_id="k1")
    return (await call((await signer.keys("custodian")).CreateKey, request, timeout=30)).key


async def test_the_whole_way_of_a_key(home: SignerHome, scanner: RiskScanner, registry: FakeRegistry) -> None:
    async with home.start() as signer:
        custodian, reviewer = await signer.keys("custodian"), await signer.signing("reviewer")
        key = await make_key(signer)
        assert (key.current_version, key.gate.max_severity) == (1, severity_pb2.SEVERITY_MEDIUM)
        assert await make_key(signer) == key

        stream = (await signer.keys("verifier")).WatchTrust(key_service_pb2.WatchTrustRequest())
        told = aiter(stream)

        with pytest.raises(RemoteRefusal) as refusal:
            await call(reviewer.SignImage, sign_request(registry), timeout=30)
        assert (refusal.value.kind, refusal.value.reason) == (Kind.FAILED_PRECONDITION, "GATE_REFUSED")
        assert GOOD.digest in refusal.value.metadata["NOT_SCANNED"]

        scanner.scanned([GOOD.digest])
        request = sign_request(registry, request_id="s1")
        signing = (await call(reviewer.SignImage, request, timeout=30)).signing
        assert signing.state == signature_pb2.SIGNING_STATE_DONE
        assert (await call(reviewer.SignImage, request, timeout=30)).signing == signing
        with pytest.raises(RemoteRefusal, match="another request"):
            await call(reviewer.SignImage, sign_request(registry, request_id="s1", reviewed="x"), timeout=30)

        listed = await call(
            (await signer.signing("auditor")).ListSignatures,
            signing_service_pb2.ListSignaturesRequest(digest=GOOD.digest, key="release"),
            timeout=30,
        )
        assert list(listed.signings) == [signing]

        target = revocation_pb2.RevocationTarget(signing_id=signing.signing_id)
        revoked = await call(
            reviewer.CreateRevocation,
            signing_service_pb2.CreateRevocationRequest(target=target, reason="found out", request_id="r1"),
            timeout=30,
        )
        assert list(revoked.revocation.digests) == [GOOD.digest]

        records: list[trust_pb2.TrustRecord] = []
        async for answer in told:
            records += answer.records
            if any(record.HasField("revocation") for record in records):
                break
        stream.cancel()
        assert records[0].key_version.fingerprint == signing.fingerprint
        assert any(record.signing.digests == [GOOD.digest] for record in records)

        update = key_service_pb2.UpdateKeyRequest(
            key=key_pb2.Key(name="release", gate=gate_pb2.Gate(max_severity=severity_pb2.SEVERITY_LOW)),
            update_mask=FieldMask(paths=["gate.max_severity"]),
        )
        changed = (await call(custodian.UpdateKey, update, timeout=30)).key
        assert changed.gate.max_severity == severity_pb2.SEVERITY_LOW
        assert changed.gate.max_age == key.gate.max_age


async def test_a_raw_key_is_told_by_its_fingerprint_alone(home: SignerHome) -> None:
    async with home.start() as signer:
        custodian = await signer.keys("custodian")
        request = key_service_pb2.CreateKeyRequest(name="raw", purpose=key_pb2.KEY_PURPOSE_RAW)
        await call(custodian.CreateKey, request, timeout=30)
        stream = (await signer.keys("verifier")).WatchTrust(key_service_pb2.WatchTrustRequest())
        async for answer in stream:
            if answer.head.event == stream_pb2.STREAM_EVENT_SNAPSHOT_BATCH:
                (record,) = answer.records
                break
        stream.cancel()
        assert record.key_version.public_key_pem == ""
        assert len(record.key_version.fingerprint) == 64


async def test_roles_keep_keys_and_signing_apart(home: SignerHome, registry: FakeRegistry) -> None:
    create = key_service_pb2.CreateKeyRequest(name="release", purpose=IMAGE_KEY)
    version = revocation_pb2.KeyVersionTarget(key="release", version=1)
    revoke = signing_service_pb2.CreateRevocationRequest(
        target=revocation_pb2.RevocationTarget(key_version=version), reason="leaked"
    )
    async with home.start() as signer:
        await make_key(signer)
        for refused in (
            call((await signer.keys("reviewer")).CreateKey, create, timeout=30),
            call((await signer.keys("developer")).CreateKey, create, timeout=30),
            call((await signer.signing("custodian")).SignImage, sign_request(registry), timeout=30),
            call((await signer.signing("auditor")).SignImage, sign_request(registry), timeout=30),
            call((await signer.signing("reviewer")).CreateRevocation, revoke, timeout=30),
        ):
            with pytest.raises(RemoteRefusal) as refusal:
                await refused
            assert refusal.value.kind is Kind.PERMISSION_DENIED
        await call((await signer.signing("custodian")).CreateRevocation, revoke, timeout=30)


async def test_a_signing_in_whose_middle_the_signer_was_killed_is_resumed_by_its_request_id(
    home: SignerHome, scanner: RiskScanner, registry: FakeRegistry
) -> None:
    scanner.scanned([GOOD.digest])
    tag = f"{GOOD.digest.replace(':', '-')}.sig"
    path = f"/v2/{REPOSITORY}/manifests/{tag}"
    writing = asyncio.Event()

    async def hold(request: web.Request) -> web.StreamResponse:
        registry.put_manifest(REPOSITORY, request.content_type, await request.read(), tag)
        writing.set()
        await asyncio.sleep(3600)
        raise AssertionError

    registry.faults["PUT", path] = hold
    async with home.start() as signer:
        await make_key(signer)
        request = sign_request(registry, request_id="s1")
        signing = asyncio.ensure_future(call((await signer.signing("reviewer")).SignImage, request, timeout=60))
        await asyncio.wait_for(writing.wait(), 30)
        signer.process.kill()
        with pytest.raises(RemoteRefusal):
            await signing
    del registry.faults["PUT", path]

    async with home.start() as signer:
        reviewer = await signer.signing("reviewer")
        again = (await call(reviewer.SignImage, request, timeout=30)).signing
        listed = await call(reviewer.ListSignatures, signing_service_pb2.ListSignaturesRequest(), timeout=30)
        assert list(listed.signings) == [again]
        assert again.state == signature_pb2.SIGNING_STATE_DONE
        assert (await call(reviewer.SignImage, request, timeout=30)).signing == again
    _, stored = registry.manifests[REPOSITORY, registry.tags[REPOSITORY, tag]]
    assert len(json.loads(stored)["layers"]) == 1


async def test_no_private_key_leaves_the_process_in_the_clear(
    home: SignerHome, scanner: RiskScanner, registry: FakeRegistry
) -> None:
    scanner.scanned([GOOD.digest])
    home.config.write_text(home.config.read_text() + '[logging]\nlevel = "DEBUG"\n')
    rsa = key_service_pb2.CreateKeyRequest(
        name="rsa", purpose=IMAGE_KEY, algorithm=key_pb2.ALGORITHM_RSA_2048_PKCS1V15_SHA256
    )
    async with home.start() as signer:
        await make_key(signer)
        await call((await signer.keys("custodian")).CreateKey, rsa, timeout=60)
        await call((await signer.signing("reviewer")).SignImage, sign_request(registry), timeout=30)
        keys = stored_keys(home)
        spoil_handles(home)
        with pytest.raises(RemoteRefusal, match="does not open") as refusal:
            await call((await signer.signing("reviewer")).SignImage, sign_request(registry), timeout=30)
        said = "".join(signer.service.said).encode() + str(refusal.value).encode()
    written = [path.read_bytes() for path in (home.folder / "store").iterdir()]
    sent = [*registry.blobs.values(), *(body for _, body in registry.manifests.values())]
    seen = b"\n".join([said, *written, *sent])
    assert len(keys) == 2
    for secret in (b"k" * 32, *(secret for key in keys for secret in secrets_of(key))):
        for form in (secret, secret.hex().encode(), secret.hex().upper().encode(), base64.b64encode(secret)):
            assert form not in seen
    for key in keys:
        assert key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) in seen


def stored_keys(home: SignerHome) -> list[PrivateKey]:
    """The private keys, opened as only the holder of the key file can."""
    query = "SELECT key, version, algorithm, purpose, handle FROM key_versions JOIN keys ON name = key"
    with closing(sqlite3.connect(home.folder / "store" / "signer.db")) as database:
        rows = database.execute(query).fetchall()
    opened = []
    for name, version, algorithm, purpose, handle in rows:
        identity = Identity(name, version, Algorithm(algorithm), Purpose(purpose))
        opened.append(load_der_private_key(unseal(b"k" * 32, identity, handle), None))
    return [key for key in opened if isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey)]


def spoil_handles(home: SignerHome) -> None:
    """Exchange what is sealed, as somebody who can write to the database could."""
    with closing(sqlite3.connect(home.folder / "store" / "signer.db")) as database:
        database.execute("UPDATE key_versions SET handle = (SELECT handle FROM key_versions WHERE key = 'rsa')")
        database.commit()


def secrets_of(key: PrivateKey) -> list[bytes]:
    """Every form of a private key that must not be seen: encoded, and its numbers."""
    encoded = [key.private_bytes(Encoding.DER, form, NoEncryption()) for form in (
        PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL
    )]  # fmt: skip
    if isinstance(key, EllipticCurvePrivateKey):
        return [*encoded, key.private_numbers().private_value.to_bytes(32)]
    numbers = key.private_numbers()
    return [*encoded, *(number.to_bytes(256).lstrip(b"\0") for number in (numbers.d, numbers.p, numbers.q))]


@pytest.mark.parametrize("section", ["SERVER", "HTTP"])
async def test_a_taken_port_ends_it_with_a_sentence(
    home: SignerHome, monkeypatch: pytest.MonkeyPatch, section: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv(f"HALLMARK_{section}__ADDRESS", address)
        code, said = await home.run("serve")
    assert code == 2
    assert f"The address {address} cannot be listened on: it is taken by another process" in said
    assert "Traceback" not in said


async def test_an_expired_certificate_ends_it_with_a_sentence(home: SignerHome, authority: Authority) -> None:
    expired = authority.issue("spiffe://test.example/signer/1", dns=("signer.test.example",), age=timedelta(days=2))
    shown = authority.write(expired, home.folder / "tls")
    code, said = await home.run("serve")
    assert (code, f"The certificate {shown.certificate} expired at" in said) == (2, True)
    assert "Traceback" not in said


async def test_what_it_refuses_to_start_with(home: SignerHome) -> None:
    home.key_file.chmod(0o640)
    code, said = await home.run("serve")
    assert (code, str(home.key_file) in said, "can be read by others" in said) == (1, True, True)

    home.key_file.chmod(0o600)
    async with home.start() as signer:
        await make_key(signer)
        code, said = await home.run("serve")
        assert (code, "in use by another process" in said) == (1, True)

    home.key_file.write_bytes(b"x" * 32)
    code, said = await home.run("serve")
    assert (code, "not the one it was sealed with" in said) == (1, True)
    assert "Traceback" not in said
    assert base64.b64encode(b"x" * 32).decode() not in said


async def test_a_vault_without_or_with_two_protections_is_no_configuration(home: SignerHome) -> None:
    text = home.config.read_text()
    for vault in ("", f'key_file = "{home.key_file}"\nsecret_file = "{home.key_file}"'):
        home.config.write_text(text.replace(f'key_file = "{home.key_file}"', vault))
        code, said = await home.run("serve")
        assert (code, "exactly one of vault.secret_file and vault.key_file" in said) == (2, True)


async def test_a_database_without_a_schema_is_refused(home: SignerHome, tmp_path: Path) -> None:
    (tmp_path / "store" / "signer.db").unlink()
    code, said = await home.run("serve")
    assert (code, "signer migrate" in said) == (1, True)
