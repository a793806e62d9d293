"""Bearer tokens: by name and password, by an identity token, or for nobody; for one scope, and from one realm."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from chassis.errors import Refusal
from hypothesis import given
from hypothesis import strategies as st
from registry.authentication import parse_challenges
from registry.errors import RegistryAnswerInvalid, RegistryUnauthorized, RegistryUnavailable
from registry.manifests import OCI_MANIFEST

from tests.fakes.registry import FakeRegistry, status
from tests.fakes.token_server import SERVICE, TokenServer
from tests.unit.registry.conftest import Connect

MANIFEST = b'{"schemaVersion": 2}'
SECRET = "1dentity+t0k3n/&="


def identity_config(folder: Path, host: str, **entry: str) -> Path:
    """A Docker config file whose only secret is an identity token, as `docker login` leaves it for a registry."""
    config = folder / "config.json"
    config.write_text(json.dumps({"auths": {host: {"identitytoken": SECRET, **entry}}}))
    return config


async def test_a_token_is_fetched_for_the_scope_and_kept(connect: Connect) -> None:
    tokens = TokenServer()
    async with FakeRegistry(tokens=tokens) as fake:
        fake.put_manifest("team/app", OCI_MANIFEST, MANIFEST, "v1")
        client = connect(fake)
        for _ in range(2):
            assert (await client.get_manifest(fake.host, "team/app", "v1")).body == MANIFEST
        assert tokens.asked == ["repository:team/app:pull"]
        await client.push_blob(fake.host, "team/app", b"layer")
        assert tokens.asked[1:] == ["repository:team/app:pull,push"]


async def test_a_token_that_ran_out_is_replaced(connect: Connect) -> None:
    tokens = TokenServer()
    async with FakeRegistry(tokens=tokens) as fake:
        fake.put_manifest("a", OCI_MANIFEST, MANIFEST, "v1")
        client = connect(fake)
        for _ in range(2):
            await client.get_manifest(fake.host, "a", "v1")
            tokens.forget()
        assert tokens.asked == ["repository:a:pull"] * 2


async def test_many_at_once_ask_for_one_token(connect: Connect) -> None:
    tokens = TokenServer()
    async with FakeRegistry(tokens=tokens) as fake:
        fake.put_manifest("a", OCI_MANIFEST, MANIFEST, "v1")
        client = connect(fake, timeout=5)
        for asked in (1, 2):
            await asyncio.gather(*(client.get_manifest(fake.host, "a", "v1") for _ in range(20)))
            assert len(tokens.asked) == asked
            tokens.forget()


async def test_the_number_of_kept_tokens_is_bounded(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.tokens._MOST_KEPT", 2)
    tokens = TokenServer()
    async with FakeRegistry(tokens=tokens) as fake:
        client = connect(fake)
        for repository in ("a", "b", "a", "c", "a", "b"):
            fake.put_manifest(repository, OCI_MANIFEST, MANIFEST, "v1")
            await client.get_manifest(fake.host, repository, "v1")
        assert [scope.split(":")[1] for scope in tokens.asked] == ["a", "b", "c", "b"]


async def test_name_and_password_get_a_token(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    async with FakeRegistry(tokens=TokenServer(password="robot:hunter2")) as fake:
        fake.put_manifest("a", OCI_MANIFEST, MANIFEST, "v1")
        known = connect(fake, username="robot", password_file=tmp_path / "password")
        assert (await known.get_manifest(fake.host, "a", "v1")).body == MANIFEST
        with pytest.raises(RegistryUnauthorized):
            await connect(fake).get_manifest(fake.host, "a", "v1")
        passwords = [request for request in fake.requests if "Basic" in request.headers.get("Authorization", "")]
        assert {request.path for request in passwords} == {"/token"}


@pytest.mark.parametrize("entry", [{}, {"auth": base64.b64encode(b"00000000:").decode()}], ids=["alone", "with a name"])
async def test_an_identity_token_gets_a_token(connect: Connect, tmp_path: Path, entry: dict[str, str]) -> None:
    tokens = TokenServer(identity_token=SECRET)
    async with FakeRegistry(tokens=tokens) as fake:
        fake.put_manifest("a", OCI_MANIFEST, MANIFEST, "v1")
        client = connect(fake, docker_config=identity_config(tmp_path, fake.host, **entry))
        for _ in range(2):
            assert (await client.get_manifest(fake.host, "a", "v1")).body == MANIFEST
            tokens.forget()
        assert tokens.asked == ["repository:a:pull"] * 2
        assert not any(SECRET in str(request.headers) + str(request.url) for request in fake.requests)


@pytest.mark.parametrize("how", ["helper", "credHelpers", "credsStore"])
async def test_a_helper_may_know_an_identity_token(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    program = tmp_path / "docker-credential-ours"
    program.write_text(f"#!/bin/sh\necho '{json.dumps({'Username': '<token>', 'Secret': SECRET})}'\n")
    program.chmod(0o755)
    async with FakeRegistry(tokens=TokenServer(identity_token=SECRET)) as fake:
        fake.put_manifest("a", OCI_MANIFEST, MANIFEST, "v1")
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"credHelpers": {fake.host: "ours"}} if "H" in how else {"credsStore": "ours"}))
        given: dict[str, Any] = {"credential_helper": "ours"} if how == "helper" else {"docker_config": config}
        assert (await connect(fake, **given).get_manifest(fake.host, "a", "v1")).body == MANIFEST


async def test_an_identity_token_that_is_not_accepted_is_said_so(connect: Connect, tmp_path: Path) -> None:
    async with FakeRegistry(tokens=TokenServer(identity_token="another")) as fake:
        client = connect(fake, docker_config=identity_config(tmp_path, fake.host))
        with pytest.raises(RegistryUnauthorized) as refusal:
            await client.get_manifest(fake.host, "a", "v1")
        assert SECRET not in refusal.value.message


async def test_an_identity_token_is_no_password(fake: FakeRegistry, connect: Connect, tmp_path: Path) -> None:
    fake.always = status(401, WWW_Authenticate='Basic realm="x"')
    client = connect(fake, docker_config=identity_config(tmp_path, fake.host))
    with pytest.raises(RegistryUnauthorized, match="identity token"):
        await client.get_manifest(fake.host, "a", "v1")
    assert len(fake.requests) == 1


@pytest.mark.parametrize("secret", ["password", "identity token"])
async def test_a_realm_elsewhere_gets_nothing_unless_it_is_allowed(
    fake: FakeRegistry, connect: Connect, tmp_path: Path, secret: str
) -> None:
    async with FakeRegistry() as other:

        async def elsewhere(_request: web.Request) -> web.StreamResponse:
            realm = f'Bearer realm="http://{other.host}/token?account=x",service="{SERVICE}"'
            return web.Response(status=401, headers={"WWW-Authenticate": realm})

        fake.always = elsewhere
        other.faults["GET", "/token"] = other.faults["POST", "/token"] = status(401)
        (tmp_path / "password").write_text("hunter2")
        given: dict[str, Any] = {"docker_config": identity_config(tmp_path, fake.host)}
        if secret == "password":
            given = {"username": "u", "password_file": tmp_path / "password"}
        with pytest.raises(RegistryUnauthorized, match=f"{other.host}, which is not allowed"):
            await connect(fake, **given).get_manifest(fake.host, "a", "v1")
        assert other.requests == []
        with pytest.raises(RegistryUnauthorized, match="does not accept our credentials"):
            await connect(fake, **given, token_hosts=(other.host,)).get_manifest(fake.host, "a", "v1")
        assert [request.query.get("account") for request in other.requests] == ["x"]


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (web.Response(status=500), RegistryUnavailable),
        (web.Response(status=429), RegistryUnavailable),
        (web.Response(status=307, headers={"Location": "/elsewhere"}), RegistryUnavailable),
        (web.Response(status=403), RegistryUnauthorized),
        (web.Response(text="<html>"), RegistryAnswerInvalid),
        (web.Response(body=b'{"token": "\xff"}'), RegistryAnswerInvalid),
        (web.Response(body=b'{"token": "a\\r\\nX-Injected: b"}'), RegistryAnswerInvalid),
        (web.Response(body=b'{"token": ""}'), RegistryAnswerInvalid),
        (web.Response(body=b'{"token": "' + b"x" * 20_000 + b'"}'), RegistryAnswerInvalid),
        (web.Response(body=b"[" * 60_000), RegistryAnswerInvalid),
        (web.Response(body=b" " * (1 << 20)), Refusal),
    ],
    ids=range(11),
)
async def test_what_is_no_token_is_a_refusal(
    fake: FakeRegistry, connect: Connect, answer: web.Response, refusal: type[Refusal]
) -> None:
    async def give(_request: web.Request) -> web.StreamResponse:
        return answer

    fake.faults["GET", "/v2/a/manifests/v1"] = status(401, WWW_Authenticate=f'Bearer realm="http://{fake.host}/token"')
    fake.faults["GET", "/token"] = give
    with pytest.raises(refusal):
        await connect(fake).get_manifest(fake.host, "a", "v1")


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer realm="http://tokens.example/t"',
        'Bearer realm="http://u@{host}/t"',
        'Bearer realm="http://:p@{host}/t"',
        'Bearer realm="http://{host}:pw@evil.example/t"',
        'Bearer realm="file:///etc/passwd"',
        'Bearer realm="http://["',
        'Bearer realm="http://{host}9/t"',
        'Bearer realm="//{host}/t"',
        'Bearer realm=""',
        "Bearer",
        'Basic realm="x"',
        "Negotiate abc",
        "",
        "Bearer " + "x" * 5000,
    ],
)
async def test_a_demand_that_cannot_be_met_is_a_refusal(fake: FakeRegistry, connect: Connect, challenge: str) -> None:
    demanded = challenge.replace("{host}", fake.host)
    fake.faults["GET", "/v2/a/manifests/v1"] = status(401, WWW_Authenticate=demanded)
    with pytest.raises(Refusal) as refusal:
        await connect(fake).get_manifest(fake.host, "a", "v1")
    assert refusal.value.message.encode()
    assert {request.path for request in fake.requests} == {"/v2/a/manifests/v1"}


async def test_the_first_demand_that_is_known_is_met(fake: FakeRegistry, connect: Connect, tmp_path: Path) -> None:
    async def demanding(request: web.Request) -> web.StreamResponse:
        if "Authorization" in request.headers:
            return web.Response(body=MANIFEST, content_type=OCI_MANIFEST)
        answer = web.Response(status=401)
        for demanded in ("Negotiate", 'Basic realm="x"', 'Bearer realm="http://elsewhere.example/"'):
            answer.headers.add("WWW-Authenticate", demanded)
        return answer

    (tmp_path / "password").write_text("hunter2")
    fake.faults["GET", "/v2/a/manifests/v1"] = demanding
    client = connect(fake, username="u", password_file=tmp_path / "password")
    assert (await client.get_manifest(fake.host, "a", "v1")).body == MANIFEST


WORDS = st.sampled_from(
    ["Bearer ", "Basic ", "realm=", '"', "http://a", ",", " ", "=", "x" * 50, "\\", "\x00", "\u00e9"]
)


@given(st.lists(st.text(max_size=60) | st.lists(WORDS, max_size=12).map("".join), max_size=3))
def test_any_demand_is_read_or_refused(headers: list[str]) -> None:
    try:
        challenge = parse_challenges(headers)
    except RegistryAnswerInvalid:
        return
    assert challenge.scheme in {"basic", "bearer"}
    assert all(value.isascii() and value.isprintable() for value in challenge.parameters.values())
