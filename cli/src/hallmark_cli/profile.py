"""The profile: where the services are, and as whom the commands speak to them.

A file of its own, so that the same commands work on a suite elsewhere. Paths in it are relative to the file:

    trust_domain = "hallmark.internal"
    ca = "tls/ca.crt"

    [services]
    scanner = "127.0.0.1:27001"

    [identities.auditor]
    certificate = "tls/auditor.crt"
    key = "tls/auditor.key"
"""

from pathlib import Path

import msgspec

from hallmark_cli.failures import Failure, Misused


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A certificate with its key, in PEM files."""

    certificate: Path
    key: Path


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Addresses (`host:port`) of the services by name, and identities by role."""

    trust_domain: str
    ca: Path
    services: dict[str, str] = {}
    identities: dict[str, Identity] = {}

    def address(self, service: str) -> str:
        """Where a service is. Raises a Failure where the profile does not say."""
        try:
            return self.services[service]
        except KeyError:
            raise Misused(f"The profile names no address of the {service}: add `{service}` under [services].") from None

    def identity(self, wanted: str | None, default: str) -> Identity:
        """The identity asked for, else that of the default role, else the only one. Raises a Failure."""
        if wanted is None and len(self.identities) == 1:
            return next(iter(self.identities.values()))
        role = wanted or default
        try:
            return self.identities[role]
        except KeyError:
            held = ", ".join(sorted(self.identities)) or "none"
            raise Misused(f"The profile holds no identity for the role {role}; it holds: {held}.") from None


def load(file: Path) -> Profile:
    """Read a profile. Raises a Failure where there is none, or it is none."""
    try:
        read = msgspec.toml.decode(file.read_bytes(), type=Profile, dec_hook=_path)
    except FileNotFoundError:
        raise Misused(f"There is no profile at {file}. `hallmark up` makes one; --profile names another.") from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise _unreadable(file, problem) from None
    identities = {
        role: Identity(certificate=file.parent / held.certificate, key=file.parent / held.key)
        for role, held in read.identities.items()
    }
    return msgspec.structs.replace(read, ca=file.parent / read.ca, identities=identities)


def _path(kind: type[Path], value: str) -> Path:
    return kind(value)


def _unreadable(file: Path, problem: Exception) -> Failure:
    return Misused(f"The profile {file} cannot be read: {problem}.")
