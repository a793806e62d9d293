"""Where the credential of a registry comes from."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from registry.credentials import Credential, IdentityToken, credential
from registry.errors import RegistryUnauthorized
from registry.settings import RegistrySettings

AUTH = base64.b64encode(b"robot:s3cret:colon").decode()


def settings(host: str = "reg.example", **given: Any) -> RegistrySettings:
    return RegistrySettings(host=host, **given)


@pytest.fixture
def helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


def helper(folder: Path, script: str) -> None:
    program = folder / "docker-credential-ours"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("reg.example", "reg.example"),
        ("reg.example", "https://reg.example"),
        ("reg.example:5000", "http://reg.example:5000/v2/"),
        ("docker.io", None),
    ],
)
async def test_a_docker_config_is_read(tmp_path: Path, host: str, key: str | None) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"auths": {key or "https://index.docker.io/v1/": {"auth": AUTH}}}))
    found = await credential(settings(host, docker_config=config))
    assert isinstance(found, Credential)
    assert (found.username, found.password) == ("robot", "s3cret:colon")
    assert "s3cret" not in repr(found)


async def test_a_credential_is_not_given_for_another_host(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    others = ("other.example", "https://reg.example.org", "https://reg.example:5000", "reg.example/team")
    config.write_text(json.dumps({"auths": {other: {"auth": AUTH, "identitytoken": "t"} for other in others}}))
    assert await credential(settings(docker_config=config)) is None


async def test_an_identity_token_comes_before_the_name_beside_it(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"auths": {"reg.example": {"auth": AUTH, "identitytoken": "s3cret"}}}))
    found = await credential(settings(docker_config=config))
    assert found == IdentityToken("s3cret")
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize("content", ["", "[]", '{"auths": {"reg.example": {"auth": "%"}}}', '{"credsStore": "../x"}'])
async def test_a_config_that_cannot_be_read_is_said_so(tmp_path: Path, content: str) -> None:
    config = tmp_path / "config.json"
    config.write_text(content)
    with pytest.raises(RegistryUnauthorized, match=r"reg\.example"):
        await credential(settings(docker_config=config))


async def test_a_helper_is_asked_for_the_host(helpers: Path, tmp_path: Path) -> None:
    helper(helpers, 'read -r host; echo "{\\"Username\\": \\"u-$host-$1\\", \\"Secret\\": \\"s3cret\\"}"')
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"credHelpers": {"reg.example": "ours"}}))
    for given in (settings(credential_helper="ours"), settings(docker_config=config)):
        found = await credential(given)
        assert isinstance(found, Credential)
        assert (found.username, found.password) == ("u-reg.example-get", "s3cret")


async def test_a_helper_may_know_nothing(helpers: Path) -> None:
    helper(helpers, "echo credentials not found in native keychain; exit 1")
    assert await credential(settings(credential_helper="ours")) is None


@pytest.mark.parametrize("script", ["exit 3", "echo no json s3cret", "while :; do echo s3cret; done"])
async def test_a_helper_that_fails_is_said_so(helpers: Path, script: str) -> None:
    helper(helpers, script)
    with pytest.raises(RegistryUnauthorized) as refusal:
        await credential(settings(credential_helper="ours"))
    assert "s3cret" not in refusal.value.message


async def test_a_helper_that_is_not_there_is_said_so(helpers: Path) -> None:
    with pytest.raises(RegistryUnauthorized, match="does not start"):
        await credential(settings(credential_helper="nowhere"))


@pytest.mark.parametrize(
    "given",
    [
        {"username": "u"},
        {"password_file": Path("p")},
        {"credential_helper": "ours", "docker_config": Path("c")},
        {"username": "u", "password_file": Path("p"), "credential_helper": "ours"},
    ],
)
def test_a_registry_takes_one_credential(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="one credential"):
        settings(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"host": "https://reg.example"},
        {"host": "Reg.example"},
        {"host": "registry-1.docker.io"},
        {"host": "reg.example/team"},
        {"host": ""},
        {"token_hosts": ("https://auth.example/token",)},
        {"redirect_hosts": ("*",)},
        {"timeout": 0},
        {"deadline": -1},
        {"retries": 11},
    ],
)
def test_settings_that_could_never_work_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="registry"):
        settings(**given)
