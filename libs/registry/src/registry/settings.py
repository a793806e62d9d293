"""The registries that a service may contact, as they stand in its settings under `[[registries]]`."""

from pathlib import Path

import msgspec

from registry.references import InvalidReference, normal_host


class RegistrySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One registry host.

    `host` as references write it; HTTPS unless `plain_http`; `ca` a PEM file of its own authority. One credential at
    most: a `username` with a `password_file`, a `docker_config` file, or the name of a `credential_helper`
    (`ecr-login` for docker-credential-ecr-login). `token_hosts` may be a bearer realm besides the host itself;
    `redirect_hosts` may be where blobs are redirected to; times in seconds.
    """

    host: str
    plain_http: bool = False
    ca: Path | None = None
    username: str = ""
    password_file: Path | None = None
    docker_config: Path | None = None
    credential_helper: str = ""
    token_hosts: tuple[str, ...] = ()
    redirect_hosts: tuple[str, ...] = ()
    timeout: float = 30.0
    retries: int = 3

    def __post_init__(self) -> None:
        self._check_host()
        given = (
            bool(self.username or self.password_file),
            self.docker_config is not None,
            bool(self.credential_helper),
        )
        if sum(given) > 1 or bool(self.username) != (self.password_file is not None):
            raise ValueError(
                f"the registry {self.host} takes one credential: username with password_file, docker_config,"
                " or credential_helper"
            )

    def _check_host(self) -> None:
        try:
            normal = normal_host(self.host)
        except InvalidReference as refusal:
            raise ValueError(refusal.message) from refusal
        if self.host != normal:
            raise ValueError(f"the registry {self.host} is written {normal} in references, so write it that way here")
