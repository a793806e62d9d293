"""Certificates: what is refused at start by a sentence, and what is replaced while a service runs."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import grpc.aio
import pytest
from chassis.client import open_channel
from chassis.config import ConfigError, Server, Tls, Upstream
from chassis.health import Health, operations
from chassis.http import HttpServer
from chassis.server import GrpcServer
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from grpc_health.v1 import health_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from tests.factories.certificates import Authority, Issued

AUTHORITY = Authority()
CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
CODEC = (health_pb2.HealthCheckRequest.SerializeToString, health_pb2.HealthCheckResponse.FromString)
SIGNER = "spiffe://test.example/signer/1"


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return AUTHORITY.write(AUTHORITY.service("signer"), tmp_path / "server")


def server_of(tls: Tls, address: str = "127.0.0.1:0") -> GrpcServer:
    return GrpcServer(
        settings=Server(address=address, drain=1.0), tls=tls, area="signer", offered=[], metrics=CollectorRegistry()
    )


@asynccontextmanager
async def serving(tls: Tls) -> AsyncIterator[str]:
    server = server_of(tls)
    await server.start()
    try:
        yield f"127.0.0.1:{server.port}"
    finally:
        await server.stop()


async def status(channel: grpc.aio.Channel) -> str:
    """Ask for the health; return SERVING, or the code of the refusal."""
    try:
        await channel.unary_unary(CHECK, *CODEC)(health_pb2.HealthCheckRequest(), timeout=10)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "SERVING"


def replace(tls: Tls, issued: Issued) -> None:
    """Replace both files as tools do: each by a rename."""
    for path, content in ((tls.certificate, issued.certificate), (tls.key, issued.key)):
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(content)
        fresh.rename(path)


def other_key(tls: Tls) -> None:
    tls.key.write_bytes(AUTHORITY.service("signer").key)


def encrypted_key(tls: Tls) -> None:
    key = serialization.load_pem_private_key(tls.key.read_bytes(), None)
    form = serialization.PrivateFormat.PKCS8
    tls.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.BestAvailableEncryption(b"word"))
    )


def rsa_key(tls: Tls) -> None:
    form, plain = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    key = rsa.generate_private_key(65537, 2048)
    tls.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))


REFUSED = {
    "a key of another certificate": (other_key, r"key\.pem is not that of the certificate .*cert\.pem"),
    "a key of another kind": (rsa_key, r"key\.pem is not that of the certificate .*cert\.pem"),
    "a key under a password": (encrypted_key, r"key\.pem holds no private key"),
    "garbage for a key": (lambda tls: tls.key.write_bytes(b"garbage"), r"key\.pem holds no private key"),
    "an open key": (lambda tls: tls.key.chmod(0o640), r"key\.pem: run chmod 600"),
    "garbage for a certificate": (lambda tls: tls.certificate.write_bytes(b"\xff\x00"), r"cert\.pem holds no cert"),
    "an empty certificate": (lambda tls: tls.certificate.write_bytes(b""), r"cert\.pem holds no certificate"),
    "garbage for an authority": (lambda tls: tls.ca.write_bytes(b"garbage"), r"ca\.pem holds no certificate"),
    "no certificate": (lambda tls: tls.certificate.unlink(), r"cert\.pem cannot be read .*mutual TLS"),
    "no key": (lambda tls: tls.key.unlink(), r"key\.pem cannot be read .*mutual TLS"),
    "no authority": (lambda tls: tls.ca.unlink(), r"ca\.pem cannot be read .*mutual TLS"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_used_is_refused_at_start_by_the_name_of_the_file(tls: Tls, name: str) -> None:
    spoil, sentence = REFUSED[name]
    spoil(tls)
    with pytest.raises(ConfigError, match=sentence):
        await server_of(tls).start()
    with pytest.raises(ConfigError, match=sentence):
        open_channel(Upstream(address="127.0.0.1:1", role="signer"), tls)
    with pytest.raises(ConfigError, match=sentence):
        HttpServer(
            operations(Health({}), CollectorRegistry()),
            "127.0.0.1:0",
            certificate=tls.certificate,
            key=tls.key,
            client_ca=tls.ca,
        )


@pytest.mark.parametrize(
    ("age", "sentence"),
    [
        (timedelta(days=2), "expired at .*replace it"),
        (timedelta(days=-1), "counts from .*clock"),
    ],
)
async def test_a_certificate_out_of_its_time_is_refused_at_start(tls: Tls, age: timedelta, sentence: str) -> None:
    replace(tls, AUTHORITY.issue(SIGNER, dns=("signer.test.example",), age=age))
    with pytest.raises(ConfigError, match=sentence):
        await server_of(tls).start()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_are_refused_and_nothing_else_happens(tls: Tls, data: st.DataObject) -> None:
    whole = {path: path.read_bytes() for path in (tls.certificate, tls.key, tls.ca)}
    path = data.draw(st.sampled_from(list(whole)))
    cut = data.draw(st.integers(0, len(whole[path]) - 40))
    path.write_bytes(whole[path][:cut] + data.draw(st.binary(max_size=50)))
    try:
        with pytest.raises(ConfigError):
            open_channel(Upstream(address="127.0.0.1:1", role="signer"), tls)
    finally:
        for restored, content in whole.items():
            restored.write_bytes(content)


async def test_a_caller_whose_certificate_expired_is_refused(tls: Tls) -> None:
    auditor = "spiffe://test.example/auditor/pat"
    expired = AUTHORITY.issue(auditor, age=timedelta(days=2))
    async with serving(tls) as address:
        async with AUTHORITY.channel(address, AUTHORITY.person("auditor"), "signer") as fresh:
            assert await status(fresh) == "SERVING"
        async with AUTHORITY.channel(address, expired, "signer") as old:
            assert await status(old) == "UNAVAILABLE"


async def test_a_server_shows_a_replaced_certificate_without_a_restart(tls: Tls) -> None:
    async with serving(tls) as address:
        host, port = address.split(":")
        before = await shown(host, int(port), tls)
        fresh = AUTHORITY.service("signer")
        replace(tls, fresh)
        after = await shown(host, int(port), tls)
    assert before != after
    assert after == x509.load_pem_x509_certificate(fresh.certificate).public_bytes(serialization.Encoding.DER)


async def test_a_server_keeps_its_certificate_while_the_files_do_not_fit(tls: Tls) -> None:
    async with serving(tls) as address:
        host, port = address.split(":")
        before = await shown(host, int(port), tls)
        fresh = AUTHORITY.service("signer")
        tls.key.write_bytes(fresh.key)
        assert await shown(host, int(port), tls) == before
        tls.certificate.write_bytes(fresh.certificate)
        assert await shown(host, int(port), tls) != before


async def shown(host: str, port: int, tls: Tls) -> bytes:
    """The certificate that a server shows now, in DER."""
    person = AUTHORITY.person("auditor")
    folder = tls.ca.parent / "asking"
    asking = AUTHORITY.write(person, folder)
    context = ssl.create_default_context(cafile=str(tls.ca))
    context.check_hostname = False
    context.load_cert_chain(asking.certificate, asking.key)
    context.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection(host, port, ssl=context)
    found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return found


async def test_a_client_shows_a_replaced_certificate_in_the_next_call(tls: Tls, tmp_path: Path) -> None:
    mine = AUTHORITY.write(Authority().person("auditor"), tmp_path / "client")
    async with (
        serving(tls) as address,
        open_channel(Upstream(address=address, role="signer"), mine) as channel,
    ):
        assert await status(channel) == "UNAVAILABLE"
        replace(mine, AUTHORITY.person("auditor"))
        assert await status(channel) == "SERVING"


async def test_a_client_trusts_a_replaced_authority_in_the_next_call(tls: Tls, tmp_path: Path) -> None:
    mine = AUTHORITY.write(AUTHORITY.person("auditor"), tmp_path / "client")
    other = Authority()
    mine.ca.write_bytes(other.certificate)
    async with serving(tls) as address, open_channel(Upstream(address=address, role="signer"), mine) as channel:
        assert await status(channel) == "UNAVAILABLE"
        mine.ca.write_bytes(other.certificate + AUTHORITY.certificate)
        assert await status(channel) == "SERVING"


async def test_calls_in_flight_outlive_a_replaced_certificate(tls: Tls, tmp_path: Path) -> None:
    mine = AUTHORITY.write(AUTHORITY.person("auditor"), tmp_path / "client")
    async with serving(tls) as address, open_channel(Upstream(address=address, role="signer"), mine) as channel:
        watching = aiter(channel.unary_stream(WATCH, *CODEC)(health_pb2.HealthCheckRequest()))
        assert (await anext(watching)).status == health_pb2.HealthCheckResponse.SERVING
        replace(mine, AUTHORITY.person("auditor"))
        assert await status(channel) == "SERVING"
        waiting = asyncio.ensure_future(anext(watching))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_an_https_listener_shows_a_replaced_certificate_and_trusts_a_replaced_authority(tmp_path: Path) -> None:
    tls = AUTHORITY.write(AUTHORITY.listener(), tmp_path / "listener")
    clients = Authority()
    tls.ca.write_bytes(clients.certificate)
    server = HttpServer(
        operations(Health({}), CollectorRegistry()),
        "127.0.0.1:0",
        certificate=tls.certificate,
        key=tls.key,
        client_ca=tls.ca,
    )
    running = asyncio.create_task(server.run())
    try:
        before = await asked(server.port, clients, tmp_path)
        fresh = AUTHORITY.listener()
        replace(tls, fresh)
        after = await asked(server.port, clients, tmp_path)
        assert (before != after, after) == (True, ssl.PEM_cert_to_DER_cert(fresh.certificate.decode()))
        others = Authority()
        tls.ca.write_bytes(others.certificate)
        await asked(server.port, others, tmp_path)
        with pytest.raises((OSError, AssertionError)):
            await asked(server.port, clients, tmp_path)
    finally:
        server.stop()
        await running


async def asked(port: int, clients: Authority, folder: Path) -> bytes:
    """Ask over HTTPS with a certificate of this authority; return the certificate that the listener shows, in DER."""
    mine = clients.write(clients.person("auditor"), folder / "caller")
    context = ssl.create_default_context(cadata=AUTHORITY.certificate.decode())
    context.load_cert_chain(mine.certificate, mine.key)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return found
    finally:
        writer.close()
