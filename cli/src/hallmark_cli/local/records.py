"""The two files that the suite keeps for itself: what the operator chose, and what is running."""

from pathlib import Path
from typing import TypeVar

import msgspec

from hallmark_cli import toml
from hallmark_cli.failures import Misused
from hallmark_cli.local.files import write_private
from hallmark_cli.local.processes import Process

T = TypeVar("T")


class Registry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one registry is reached: anonymously over HTTPS with the system's authorities, but for what is said here."""

    plain_http: bool = False
    ca: str = ""
    username: str = ""
    password_file: str = ""


class Choices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was chosen at the first start, or since: kept, so that a later `hallmark up` needs no option."""

    cluster: str = "local"
    ports: dict[str, int] = {}
    registries: dict[str, Registry] = {}


class Started(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service that was started: its process, and when, in RFC 3339."""

    pid: int
    began: str
    since: str

    @property
    def process(self) -> Process:
        """Its process, to be compared with what runs under that number now."""
        return Process(self.pid, self.began)


def read_choices(file: Path) -> Choices:
    """The choices; the defaults where none were made."""
    return _read(file, Choices) if file.exists() else Choices()


def write_choices(file: Path, choices: Choices) -> None:
    """Keep the choices."""
    write_private(file, toml.dumps(msgspec.to_builtins(choices)).encode())


def read_running(file: Path) -> dict[str, Started]:
    """The services that were started, by name; some may have ended since."""
    return _read(file, dict[str, Started]) if file.exists() else {}


def write_running(file: Path, running: dict[str, Started]) -> None:
    """Keep the services that were started."""
    write_private(file, toml.dumps(msgspec.to_builtins(running)).encode())


def _read(file: Path, shape: type[T]) -> T:
    try:
        return msgspec.toml.decode(file.read_bytes(), type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Misused(f"{file} cannot be read: {problem}. Correct it, or delete it to begin anew.") from None
