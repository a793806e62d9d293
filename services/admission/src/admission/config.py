"""The adapter's settings, checked at start."""

from pathlib import Path

from chassis.config import Http, Logging, Tls, Upstream
from msgspec import Struct


class Webhook(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the API server calls, over HTTPS: `address`, the paths of the certificate and key shown to it, and of the
    authority whose certificates it must show; without that one, anybody who can reach the address may ask.
    """

    address: str
    certificate: Path
    key: Path
    client_ca: Path | None = None


class Upstreams(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The one neighbour. Its `timeout` is that of the readiness check; a review brings a timeout of its own."""

    verifier: Upstream


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that the adapter is told. The certificate in `tls` names its cluster."""

    tls: Tls
    http: Http
    webhook: Webhook
    upstreams: Upstreams
    logging: Logging = Logging()
