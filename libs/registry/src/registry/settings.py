"""The registries that a service may contact, as they stand in its settings under `[[registries]]`."""

import re
import ssl
from pathlib import Path
from typing import Final

import msgspec

from registry.references import InvalidReference, normal_host

_MOST_RETRIES: Final = 10
_AUTHORITY: Final = re.compile(r"[a-z0-9.-]{1,253}(?::[0-9]{1,5})?|\[[0-9a-f:]{2,39}\](?::[0-9]{1,5})?")


class RegistrySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One registry host.

    `host` as references write it, docker.io for Docker Hub; HTTPS unless `plain_http`; `ca` a PEM file with the only
    authorities that are trusted for it and for the hosts that it may send us to. One credential at most: a `username`
    with a `password_file`, a `docker_config` file, or the name of a `credential_helper` (`ecr-login` for
    docker-credential-ecr-login). `token_hosts` may be a bearer realm besides the host itself; `redirect_hosts` may be
    where blobs are redirected to. Times in seconds: `timeout` is how long it may be silent, `deadline` how long one
    call may take in all, tokens, redirects and `retries` included (a blob that is streamed has that time until its
    first byte, and then comes faster than 16 KiB a second; a list of tags or repositories has ten times as long).
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
    deadline: float = 60.0
    retries: int = 3

    def __post_init__(self) -> None:
        self._demand_hosts()
        self._demand_one_credential()
        if not (self.timeout > 0 and self.deadline > 0 and 0 <= self.retries <= _MOST_RETRIES):
            raise ValueError(f"the registry {self.host} needs times above 0 and at most {_MOST_RETRIES} retries")
        if self.ca is not None:
            self._demand_ca(self.ca)

    def tls(self) -> ssl.SSLContext:
        """What its certificate is checked by: its own authorities, else the system's."""
        return ssl.create_default_context(cafile=self.ca)

    def _demand_hosts(self) -> None:
        try:
            normal = normal_host(self.host)
        except InvalidReference as refusal:
            raise ValueError(refusal.message) from refusal
        if self.host != normal:
            raise ValueError(f"the registry {self.host} is written {normal} in references, so write it that way here")
        for host in (*self.token_hosts, *self.redirect_hosts):
            if not _AUTHORITY.fullmatch(host) or host.endswith(":443"):
                raise ValueError(
                    f"{host[:100]!a} of the registry {self.host} is no host[:port] in lower case, without the port 443"
                )

    def _demand_one_credential(self) -> None:
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

    def _demand_ca(self, path: Path) -> None:
        if self.plain_http:
            raise ValueError(f"the registry {self.host} has a ca, but speaks plain HTTP")
        try:
            self.tls()
        except OSError as error:  # an SSLError is one, and says nothing of the file
            raise ValueError(f"the ca {path} of the registry {self.host} cannot be read: {error.strerror}") from None
