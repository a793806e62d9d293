"""Where the credential of a registry comes from: a password file, Docker's config file, or a credential helper.

Formats: Docker's config.json (`auths`, `credHelpers`, `credsStore`) and the docker-credential-helpers protocol, in
which the name `<token>` says that the secret is an identity token.
"""

import asyncio
import base64
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from registry.errors import RegistryUnauthorized
from registry.settings import RegistrySettings

_DOCKER_HUB: Final = "https://index.docker.io/v1/"
_HELPER: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_HELPER_SECONDS: Final = 10.0
_LARGEST_FILE: Final = 1 << 20
_LARGEST_ANSWER: Final = 1 << 16
_NONE_KEPT: Final = b"credentials not found"
_TOKEN: Final = "<token>"  # noqa: S105  # the name that stands for no name


@dataclass(frozen=True, slots=True)
class Credential:
    """A name and its secret; the secret is never shown."""

    username: str
    password: str = field(repr=False)

    def basic(self) -> str:
        """The Authorization header of the Basic scheme (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """What a token endpoint gives bearer tokens for (OAuth2: a refresh token), and nobody else takes; never shown."""

    secret: str = field(repr=False)


class _Entry(msgspec.Struct, frozen=True):
    auth: str = ""
    identitytoken: str = ""


class _DockerConfig(msgspec.Struct, frozen=True, rename="camel"):
    auths: dict[str, _Entry] = {}
    cred_helpers: dict[str, str] = {}
    creds_store: str = ""


class _Answer(msgspec.Struct, frozen=True, rename="pascal"):
    username: str
    secret: str


async def credential(settings: RegistrySettings) -> Credential | IdentityToken | None:
    """The configured credential, read anew; None where there is none. Raises RegistryUnauthorized: unreadable."""
    if settings.password_file is not None:
        return Credential(settings.username, _read(settings, settings.password_file).rstrip("\n"))
    if settings.credential_helper:
        return await _asked(settings, settings.credential_helper)
    if settings.docker_config is not None:
        return await _from_docker_config(settings, settings.docker_config)
    return None


async def _from_docker_config(settings: RegistrySettings, path: Path) -> Credential | IdentityToken | None:
    try:
        config = msgspec.json.decode(_read(settings, path), type=_DockerConfig)
    except msgspec.MsgspecError:
        raise _unreadable(settings, f"{path} is no Docker config file") from None
    server = _server(settings.host)
    helper = config.cred_helpers.get(server) or config.creds_store
    if helper:
        return await _asked(settings, helper)
    entry = config.auths.get(server) or _of_url(config.auths, server)
    if entry is None:
        return None
    if entry.identitytoken:  # as Docker has it, before a name and password beside it, which may say nothing
        return IdentityToken(entry.identitytoken)
    try:
        username, colon, password = base64.b64decode(entry.auth, validate=True).decode().partition(":")
    except ValueError:
        raise _unreadable(settings, f"its entry in {path} is no base64 text") from None
    return Credential(username, password) if colon else None


def _of_url(auths: Mapping[str, _Entry], server: str) -> _Entry | None:
    """The entry of a server that is named by a URL, such as `https://reg.example/v2/`, as older clients wrote it."""
    for name, entry in auths.items():
        scheme, found, rest = name.partition("://")
        if found and scheme in {"http", "https"} and rest.partition("/")[0] == server:
            return entry
    return None


async def _asked(settings: RegistrySettings, helper: str) -> Credential | IdentityToken | None:
    if not _HELPER.fullmatch(helper):
        raise _unreadable(settings, f"{helper[:64]!a} is no name of a credential helper")
    program = f"docker-credential-{helper}"
    try:
        process = await asyncio.create_subprocess_exec(program, "get", stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    except OSError as error:
        raise _unreadable(settings, f"{program} does not start: {error.strerror}") from None
    try:
        async with asyncio.timeout(_HELPER_SECONDS):
            answer = await _exchanged(process, _server(settings.host))
            code = await process.wait()
    except TimeoutError:
        raise _unreadable(settings, f"{program} does not answer, or without end") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code != 0 and _NONE_KEPT in answer:
        return None
    try:
        given = msgspec.json.decode(answer if code == 0 else b"", type=_Answer)
    except msgspec.MsgspecError:
        raise _unreadable(settings, f"{program} failed with code {code}") from None
    return IdentityToken(given.secret) if given.username == _TOKEN else Credential(given.username, given.secret)


async def _exchanged(process: asyncio.subprocess.Process, server: str) -> bytes:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
    process.stdin.write(server.encode())
    process.stdin.close()
    answer = b""
    while piece := await process.stdout.read(_LARGEST_ANSWER):
        answer += piece
        if len(answer) > _LARGEST_ANSWER:
            raise TimeoutError
    return answer


def _server(host: str) -> str:
    return _DOCKER_HUB if host == "docker.io" else host


def _read(settings: RegistrySettings, path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_LARGEST_FILE)
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(settings, f"{path} cannot be read: {type(error).__name__}") from None


def _unreadable(settings: RegistrySettings, why: str) -> RegistryUnauthorized:
    return RegistryUnauthorized(f"The credential for the registry {settings.host} is not to be had: {why}.")
