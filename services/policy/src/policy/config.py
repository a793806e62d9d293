"""The policy service's settings."""

from typing import Annotated

import msgspec
from chassis.config import Binding, Http, Logging, RoleTable, Server, Tls
from chassis.database import Settings as Database


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The state's epoch: raised by the operator after a restore, so that verifiers notice."""

    epoch: Annotated[int, msgspec.Meta(ge=1)] = 1


class Decisions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long decisions are kept, in days, and how many at most."""

    retention_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 90
    most: Annotated[int, msgspec.Meta(ge=1000)] = 5_000_000


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that the policy service is told."""

    server: Server
    tls: Tls
    http: Http
    database: Database
    store: Store = Store()
    decisions: Decisions = Decisions()
    bindings: tuple[Binding, ...] = ()
    roles: RoleTable = {}
    logging: Logging = Logging()
