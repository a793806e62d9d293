"""The verifier's settings, checked at start."""

from typing import Annotated

from chassis.config import Binding, Http, Logging, RoleTable, Server, Tls, Upstream
from msgspec import Meta, Struct
from registry.settings import RegistrySettings


class Upstreams(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The three neighbours that are followed."""

    policy: Upstream
    signer: Upstream
    scanner: Upstream


class Limits(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds. `stale_after`: seconds for which a stream may be silent and still be believed; `call`: seconds that a
    call may take, whatever its deadline; `lookup`: seconds for all that a registry holds about one digest; `evidence`:
    bytes of signatures remembered, about; `facts`: pairs of a signature and a key remembered; `decisions`: decisions
    that wait for the decision log; `threads`: for checking signatures.
    """

    stale_after: Annotated[float, Meta(ge=5, le=3600)] = 60.0
    call: Annotated[float, Meta(gt=0, le=60)] = 25.0
    lookup: Annotated[float, Meta(gt=0, le=60)] = 10.0
    evidence: Annotated[int, Meta(ge=1 << 20)] = 64 << 20
    facts: Annotated[int, Meta(ge=1000)] = 100_000
    decisions: Annotated[int, Meta(ge=1)] = 10_000
    threads: Annotated[int, Meta(ge=1, le=64)] = 2


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that the verifier is told."""

    server: Server
    tls: Tls
    http: Http
    upstreams: Upstreams
    registries: tuple[RegistrySettings, ...] = ()
    bindings: tuple[Binding, ...] = ()
    roles: RoleTable = {}
    limits: Limits = Limits()
    logging: Logging = Logging()
