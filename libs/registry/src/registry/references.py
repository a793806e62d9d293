"""Image references: one strict grammar, and one normal form for each image.

Source: the grammar of the distribution project's reference format, narrowed to ASCII, lower-case hosts and SHA-256.
"""

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import Final

from chassis.errors import InvalidArgument

from registry.digests import Digest, InvalidDigest, parse_digest

_LONGEST: Final = 512
_LONGEST_NAME: Final = 255
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(
    rf"(?P<name>{_LABEL}(?:\.{_LABEL})*|\[(?P<ipv6>[0-9a-f:]{{2,39}})\])(?::(?P<port>[1-9][0-9]{{0,4}}))?"
)
_ENDS_IN_A_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_HTTPS: Final = "443"
_HIGHEST_PORT: Final = 65535
_PATH_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH: Final = re.compile(rf"{_PATH_PART}(?:/{_PATH_PART})*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_BARE_ID: Final = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
_DOCKER: Final = "docker.io"
_DOCKER_NAMES: Final = frozenset({_DOCKER, "index.docker.io", "registry-1.docker.io"})
_DEFAULT_TAG: Final = "latest"


class InvalidReference(InvalidArgument):
    """The text is no image reference."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An image: where it is (host, repository) and which one (tag, digest, both or neither)."""

    host: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    @property
    def name(self) -> str:
        """Host and repository: what patterns, signatures and scopes speak of."""
        return f"{self.host}/{self.repository}"

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def parse_reference(text: str) -> Reference:
    """Read a reference into its normal form: docker.io and library/ written out, the host as `normal_host` has it.

    No tag is made up where none is written: it may be a repository that is named, or what somebody signed. Raises
    InvalidReference, which says what is wrong.
    """
    if not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidReference(f"The reference {text[:100]!a} holds characters that no image name has.")
    if len(text) > _LONGEST:
        raise InvalidReference(f"A reference has at most {_LONGEST} characters; this one has {len(text)}.")
    if _BARE_ID.fullmatch(text):
        raise InvalidReference(f"{text!r} names an image by its bare id; write host/repository@sha256:… instead.")
    rest, digest = _split_digest(text)
    rest, tag = _split_tag(rest, text)
    host, repository = _split_host(rest, text)
    if len(f"{host}/{repository}") > _LONGEST_NAME:
        raise InvalidReference(f"Host and repository have at most {_LONGEST_NAME} characters together: {text[:100]!r}…")
    return Reference(host, repository, tag, digest)


def parse_image(text: str) -> Reference:
    """Read a reference as that of one image: `latest` where it has neither tag nor digest. Raises InvalidReference."""
    reference = parse_reference(text)
    return reference if reference.tag or reference.digest else replace(reference, tag=_DEFAULT_TAG)


def is_repository(text: str) -> bool:
    """Tell whether a reference can have this path of a repository, such as `team/app`."""
    return bool(_PATH.fullmatch(text))


def is_tag(text: str) -> bool:
    """Tell whether a reference can have this tag."""
    return bool(_TAG.fullmatch(text))


def _split_digest(text: str) -> tuple[str, Digest | None]:
    rest, at, digest = text.partition("@")
    if not at:
        return rest, None
    try:
        return rest, parse_digest(digest)
    except InvalidDigest as refusal:
        raise InvalidReference(f"In {text[:200]!r}: {refusal.message}") from None


def _split_tag(rest: str, text: str) -> tuple[str, str | None]:
    before, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        return rest, None
    if not is_tag(tag):
        raise InvalidReference(f"{tag[:130]!r} in {text[:200]!r} is no tag.")
    return before, tag


def _split_host(rest: str, text: str) -> tuple[str, str]:
    first, slash, path = rest.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first.lower() != first):
        host, repository = normal_host(first), path
    else:
        host, repository = _DOCKER, rest
    if not is_repository(repository):
        raise InvalidReference(f"{repository[:200]!r} in {text[:200]!r} is no repository: lower-case path parts only.")
    if host == _DOCKER and "/" not in repository:
        repository = f"library/{repository}"
    return host, repository


def normal_host(text: str) -> str:
    """The one spelling of a registry host, lest another one evade what is said of it: in lower case, docker.io for
    Docker Hub, without the port of HTTPS. Ports with leading zeros and addresses in other forms than their usual one
    are refused. Raises InvalidReference.
    """
    host = text.lower()
    found = _HOST.fullmatch(host)
    if found is None or "xn--" in host or not _is_usual(found):
        raise InvalidReference(f"{text[:100]!a} is no registry host that is accepted.")
    if found["port"] == _HTTPS:
        host = found["name"]
    return _DOCKER if host in _DOCKER_NAMES else host


def _is_usual(host: re.Match[str]) -> bool:
    """Whether ports and addresses are written as everybody writes them."""
    if host["port"] and int(host["port"]) > _HIGHEST_PORT:
        return False
    try:
        if host["ipv6"]:
            return ipaddress.IPv6Address(host["ipv6"]).compressed == host["ipv6"]
        if _ENDS_IN_A_NUMBER.fullmatch(host["name"]):
            ipaddress.IPv4Address(host["name"])
    except ValueError:
        return False
    return True
