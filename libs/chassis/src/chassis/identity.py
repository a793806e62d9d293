"""Who calls: the SPIFFE id of a certificate, what its role may do, and what its binding is narrowed to."""

import re
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from chassis.errors import PermissionDenied, Unauthenticated

SEGMENTS = re.compile(r"(?P<role>[A-Za-z0-9._-]{1,63})/(?P<name>[A-Za-z0-9._-]{1,63})")


def _matches(pattern: str, value: str) -> bool:
    """Tell whether a pattern (`*` within a segment, `**` across) covers the whole value."""
    parts = re.split(r"(\*\*|\*)", pattern)
    wild = {"**": ".*", "*": "[^/]*"}
    return re.fullmatch("".join(wild.get(part, re.escape(part)) for part in parts), value) is not None


def _covers(patterns: Sequence[str] | None, value: str) -> bool:
    return patterns is None or any(_matches(pattern, value) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a binding is narrowed to: patterns of key names, repositories (host/path) and clusters."""

    keys: Sequence[str] | None = None
    repositories: Sequence[str] | None = None
    clusters: Sequence[str] | None = None

    def demand_key(self, name: str) -> None:
        """Raise PermissionDenied where this key is outside."""
        self._demand("key", self.keys, name)

    def demand_repository(self, name: str) -> None:
        """Raise PermissionDenied where this repository (host/path) is outside."""
        self._demand("repository", self.repositories, name)

    def demand_cluster(self, name: str) -> None:
        """Raise PermissionDenied where this cluster is outside."""
        self._demand("cluster", self.clusters, name)

    def covers_repository(self, name: str) -> bool:
        """Tell whether this repository (host/path) is inside."""
        return _covers(self.repositories, name)

    def covers_cluster(self, name: str) -> bool:
        """Tell whether this cluster is inside."""
        return _covers(self.clusters, name)

    @staticmethod
    def _demand(noun: str, patterns: Sequence[str] | None, value: str) -> None:
        if not _covers(patterns, value):
            raise PermissionDenied(f"Your binding does not cover the {noun} {value!r}.", metadata={noun: value})


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller: one identity in one role."""

    trust_domain: str
    role: str
    name: str
    permissions: frozenset[str] = frozenset()
    scope: Scope = field(default_factory=Scope)

    @property
    def spiffe_id(self) -> str:
        """The id as it stands in the certificate."""
        return f"spiffe://{self.trust_domain}/{self.role}/{self.name}"

    def may(self, permission: str) -> bool:
        """Tell whether the role holds this permission."""
        return permission in self.permissions

    def demand(self, permission: str) -> None:
        """Raise PermissionDenied where the role does not hold this permission."""
        if not self.may(permission):
            raise PermissionDenied(
                f"The role {self.role} may not do this: it lacks the permission {permission}.",
                metadata={"permission": permission, "role": self.role},
            )


def parse_spiffe_id(uri: str, trust_domain: str) -> tuple[str, str]:
    """Split `spiffe://<trust domain>/<role>/<name>` into role and name. Raises Unauthenticated."""
    prefix = f"spiffe://{trust_domain}/"
    path = SEGMENTS.fullmatch(uri.removeprefix(prefix))
    if not uri.startswith(prefix) or path is None or {".", ".."} & set(path.groups()):
        raise Unauthenticated(f"The certificate's identity is none of the form {prefix}<role>/<name>.")
    return path["role"], path["name"]


def identity_of(certificate: bytes, trust_domain: str) -> tuple[str, str]:
    """Read role and name from a PEM certificate: one URI SAN, this trust domain, no CA. Raises Unauthenticated."""
    try:
        parsed = x509.load_pem_x509_certificate(certificate)
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise Unauthenticated("The certificate cannot be read or names nobody.") from error
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(uris) != 1:
        raise Unauthenticated(f"The certificate carries {len(uris)} URI names; exactly one is accepted.")
    if _is_authority(parsed):
        raise Unauthenticated("The certificate is that of an authority; a caller shows one of its own.")
    return parse_spiffe_id(uris[0], trust_domain)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS).value
    except x509.ExtensionNotFound:
        return False
    return isinstance(constraints, x509.BasicConstraints) and constraints.ca


CALLER: ContextVar[Caller] = ContextVar("caller")
CORRELATION_ID: ContextVar[str] = ContextVar("correlation_id", default="")


def current_caller() -> Caller:
    """The caller of the request that runs now. Raises Unauthenticated outside of one."""
    try:
        return CALLER.get()
    except LookupError:
        raise Unauthenticated("There is no caller here.") from None


def correlation_id() -> str:
    """The correlation id of the request that runs now; empty outside of one."""
    return CORRELATION_ID.get()
