"""The signer's settings."""

from pathlib import Path
from typing import Annotated

import msgspec
from chassis.config import Binding, Http, Logging, RoleTable, Server, Tls, Upstream
from chassis.database import Settings as Database
from registry.settings import RegistrySettings


class Vault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What protects the embedded vault: exactly one of a secret (stretched by scrypt) and a key of 32 bytes.

    The file has mode 0600, belongs to the signer, and lies outside the directory of the database.
    """

    secret_file: Path | None = None
    key_file: Path | None = None


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The state's epoch: raised by the operator after a restore, so that verifiers notice."""

    epoch: Annotated[int, msgspec.Meta(ge=1)] = 1


class Upstreams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The neighbours that the signer calls."""

    scanner: Upstream


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that the signer is told."""

    server: Server
    tls: Tls
    http: Http
    database: Database
    vault: Vault
    upstreams: Upstreams
    registries: tuple[RegistrySettings, ...]
    store: Store = Store()
    bindings: tuple[Binding, ...] = ()
    roles: RoleTable = {}
    logging: Logging = Logging()
