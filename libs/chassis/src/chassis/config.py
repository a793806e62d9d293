"""Settings: a TOML file, overridden by the environment, frozen and checked before anything starts.

A service composes the pieces below into a struct of its own. `HALLMARK_SERVER__ADDRESS=…` overrides `address` in the
table `[server]`.
"""

import os
import tomllib
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

_PREFIX: Final = "HALLMARK_"
_LARGEST_FILE: Final = 1 << 20

SettingsType = TypeVar("SettingsType", bound=msgspec.Struct)


class ConfigError(Exception):
    """The configuration cannot be used; the sentence names file and key."""


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The identity of a process: paths of PEM files, and the trust domain of its SPIFFE ids."""

    ca: Path
    certificate: Path
    key: Path
    trust_domain: str


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a gRPC server listens (`host:port`, port 0: any free one), and its bounds in seconds and calls."""

    address: str
    default_deadline: Annotated[float, Meta(gt=0, le=3600)] = 30.0
    drain: Annotated[float, Meta(ge=0, le=600)] = 20.0
    most_calls: Annotated[int, Meta(ge=1, le=100_000)] = 500


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where probes and metrics are served, in plain HTTP (`host:port`)."""

    address: str


class Upstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A neighbour: its address, the role its certificate must show, the epoch of its store, seconds to wait for it."""

    address: str
    role: str
    epoch: Annotated[int, Meta(ge=1)] = 1
    timeout: Annotated[float, Meta(gt=0, le=300)] = 5.0


class Binding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who may act in a role, and within which patterns. Once a role has a binding, only those bound act in it."""

    role: str
    name: str
    keys: tuple[str, ...] | None = None
    repositories: tuple[str, ...] | None = None
    clusters: tuple[str, ...] | None = None


RoleTable = Mapping[str, tuple[str, ...]]
"""Roles with their permissions. A role named here replaces the built-in one of that name; the others stay."""


class Logging(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is logged: DEBUG, INFO, WARNING or ERROR, and above."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


def load(settings: type[SettingsType], path: Path, environ: Mapping[str, str] | None = None) -> SettingsType:
    """Read a settings file and the overrides. Raises ConfigError."""
    table = _read(path)
    overrides = {
        name: value
        for name, value in sorted((os.environ if environ is None else environ).items())
        if name.startswith(_PREFIX) and "__" in name
    }
    for name, value in overrides.items():
        _override(table, name, value)
    try:
        return msgspec.convert(table, settings, strict=False, dec_hook=_decoded)
    except msgspec.ValidationError as error:
        beside = f", with {', '.join(overrides)}" if overrides else ""
        raise ConfigError(f"{path}{beside}: {error}") from None


def _decoded(kind: type[Any], value: Any) -> Any:
    """What msgspec does not know by itself: a path is written as text."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"a {kind.__name__} cannot be read from this value")


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.loads(file.read(_LARGEST_FILE).decode())
    except OSError as error:
        raise ConfigError(f"The settings file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no TOML: {error}") from None


def _override(table: MutableMapping[str, Any], name: str, value: str) -> None:
    *sections, key = name.removeprefix(_PREFIX).lower().split("__")
    for section in sections:
        below = table.setdefault(section, {})
        if not isinstance(below, dict):
            raise ConfigError(f"The variable {name} names a key below {section}, which is no table.")
        table = below
    table[key] = value
