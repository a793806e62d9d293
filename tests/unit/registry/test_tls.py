"""HTTPS: whom a registry must prove to be, and that plain HTTP is spoken only where it is configured."""

import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from registry.client import RegistryClient
from registry.digests import Digest
from registry.errors import RedirectRefused, RegistryUnauthorized, RegistryUnavailable
from registry.settings import RegistrySettings

from tests.factories.certificates import Authority, Issued
from tests.fakes.registry import FakeRegistry, digest_of, status
from tests.unit.registry.conftest import Connect

AUTHORITY = Authority()
LAYER = b"layer"
DIGEST = Digest(digest_of(LAYER))


def serving(folder: Path, issued: Issued) -> ssl.SSLContext:
    """What a server proves itself by; its authority then lies at `ca.pem` in the folder."""
    files = AUTHORITY.write(issued, folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    return context


def secure(folder: Path, issued: Issued | None = None) -> FakeRegistry:
    """A registry that speaks HTTPS."""
    fake = FakeRegistry(tls=serving(folder, issued or AUTHORITY.listener()))
    fake.put_blob("a", LAYER)
    return fake


async def read(connect: Connect, fake: FakeRegistry, **given: Any) -> bytes:
    chosen: dict[str, Any] = {"plain_http": False} | given
    return await connect(fake, **chosen).read_blob(fake.host, "a", DIGEST, 100)


async def test_a_registry_of_its_own_authority(connect: Connect, tmp_path: Path) -> None:
    async with secure(tmp_path) as fake:
        assert await read(connect, fake, ca=tmp_path / "ca.pem") == LAYER


@pytest.mark.parametrize(
    ("issued", "says"),
    [
        (AUTHORITY.issue(dns=("other.example",)), "not valid for '127.0.0.1'"),
        (AUTHORITY.issue(addresses=("127.0.0.2",)), "not valid for '127.0.0.1'"),
        (AUTHORITY.issue(addresses=("127.0.0.1",), age=timedelta(days=2)), "expired"),
        (AUTHORITY.issue(addresses=("127.0.0.1",), age=timedelta(days=-2)), "not yet valid"),
        (AUTHORITY.person("developer"), "127.0.0.1"),
        (Authority().listener(), "certificate"),
    ],
    ids=["another name", "another address", "expired", "from the future", "of a client", "another authority"],
)
async def test_who_is_not_who_it_should_be_is_not_talked_to(
    connect: Connect, tmp_path: Path, issued: Issued, says: str
) -> None:
    async with secure(tmp_path, issued) as fake:
        with pytest.raises(RegistryUnavailable, match="is not trusted") as refusal:
            await read(connect, fake, ca=tmp_path / "ca.pem")
        assert says in refusal.value.message
        assert fake.requests == []


async def test_the_systems_authorities_do_not_know_ours(connect: Connect, tmp_path: Path) -> None:
    async with secure(tmp_path) as fake:
        with pytest.raises(RegistryUnavailable, match="is not trusted"):
            await read(connect, fake)
        assert fake.requests == []


async def test_an_authority_is_that_of_one_registry(tmp_path: Path) -> None:
    async with secure(tmp_path) as ours, secure(tmp_path) as other:
        trusted = RegistrySettings(host=ours.host, ca=tmp_path / "ca.pem", retries=0)
        client = RegistryClient([trusted, RegistrySettings(host=other.host, retries=0)])
        assert await client.read_blob(ours.host, "a", DIGEST, 100) == LAYER
        with pytest.raises(RegistryUnavailable, match="is not trusted"):
            await client.read_blob(other.host, "a", DIGEST, 100)
        await client.close()


async def test_https_is_spoken_where_nothing_else_is_configured(fake: FakeRegistry, connect: Connect) -> None:
    fake.put_blob("a", LAYER)
    with pytest.raises(RegistryUnavailable):
        await read(connect, fake)
    assert fake.requests == []


async def test_a_redirect_from_https_to_http_is_refused(fake: FakeRegistry, connect: Connect, tmp_path: Path) -> None:
    fake.put_blob("a", LAYER)
    async with secure(tmp_path) as safe:
        safe.faults["GET", f"/v2/a/blobs/{DIGEST}"] = status(307, Location=f"http://{fake.host}/v2/a/blobs/{DIGEST}")
        with pytest.raises(RedirectRefused, match="http://"):
            await read(connect, safe, ca=tmp_path / "ca.pem", redirect_hosts=(fake.host,))
        safe.faults["GET", f"/v2/a/blobs/{DIGEST}"] = status(307, Location=f"http://{safe.host}/v2/a/blobs/{DIGEST}")
        with pytest.raises(RedirectRefused, match="http://"):
            await read(connect, safe, ca=tmp_path / "ca.pem")
    assert fake.requests == []


async def test_a_redirect_is_held_to_the_same_authority(connect: Connect, tmp_path: Path) -> None:
    async with secure(tmp_path) as safe, secure(tmp_path / "storage") as storage:
        safe.faults["GET", f"/v2/a/blobs/{DIGEST}"] = status(
            307, Location=f"https://{storage.host}/v2/a/blobs/{DIGEST}"
        )
        given = {"ca": tmp_path / "ca.pem", "redirect_hosts": (storage.host,)}
        assert await read(connect, safe, **given) == LAYER
    async with secure(tmp_path) as safe, secure(tmp_path / "storage", Authority().listener()) as storage:
        safe.faults["GET", f"/v2/a/blobs/{DIGEST}"] = status(
            307, Location=f"https://{storage.host}/v2/a/blobs/{DIGEST}"
        )
        with pytest.raises(RegistryUnavailable, match="is not trusted"):
            await read(connect, safe, ca=tmp_path / "ca.pem", redirect_hosts=(storage.host,))


async def test_a_token_is_not_asked_for_over_http(fake: FakeRegistry, connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2")
    async with secure(tmp_path) as safe:
        safe.always = status(401, WWW_Authenticate=f'Bearer realm="http://{fake.host}/token"')
        with pytest.raises(RegistryUnauthorized, match="not allowed"):
            await read(
                connect,
                safe,
                ca=tmp_path / "ca.pem",
                username="u",
                password_file=tmp_path / "password",
                token_hosts=(fake.host,),
            )
    assert fake.requests == []


@pytest.mark.parametrize("content", [None, "no certificate", ""])
def test_an_authority_that_cannot_be_read_is_said_so_at_start(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(ValueError, match=r"ca\.pem of the registry reg\.example cannot be read"):
        RegistrySettings(host="reg.example", ca=tmp_path / "ca.pem")


def test_an_authority_means_nothing_to_plain_http(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="plain HTTP"):
        RegistrySettings(host="reg.example", ca=tmp_path / "ca.pem", plain_http=True)
