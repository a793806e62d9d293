"""The registries that a service may contact, as they stand in its settings under `[[registries]]`."""

from pathlib import Path

import msgspec


class RegistrySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One registry host.

    `host` as references write it; HTTPS unless `plain_http`; `ca` a PEM file of its own authority; credentials are a
    `username` with a `password_file`, or none; `token_hosts` may be a bearer realm besides the host itself;
    `redirect_hosts` may be where blobs are redirected to; times in seconds.
    """

    host: str
    plain_http: bool = False
    ca: Path | None = None
    username: str = ""
    password_file: Path | None = None
    token_hosts: tuple[str, ...] = ()
    redirect_hosts: tuple[str, ...] = ()
    timeout: float = 30.0
    retries: int = 3
