"""The suite's own certificate authority: made once, asked for every certificate that its services and people hold.

A caller is its SPIFFE id, `spiffe://<trust domain>/<role>/<name>`, the only URI in its certificate. Services can also
serve, under the DNS name `<role>.<trust domain>`; people cannot. A listener for programs that have no certificate of
ours serves under plain host names and is nobody as a client.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hallmark_cli.local.files import write_private, write_public

AUTHORITY_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)
# A certificate of this very second is refused by a clock that is a little behind.
BACKDATED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a certificate is for: its file's name, and the names that it carries.

    `uri` makes its holder a caller, `hosts` (DNS names and IP addresses) let it serve.
    """

    file: str
    uri: str | None
    hosts: tuple[str, ...] = ()


def service(trust_domain: str, role: str, name: str) -> Leaf:
    """The certificate of a service: it calls, and serves under the name that its callers demand."""
    return Leaf(role, f"spiffe://{trust_domain}/{role}/{name}", (f"{role}.{trust_domain}",))


def person(trust_domain: str, role: str, name: str) -> Leaf:
    """The certificate of a person in a role: it calls."""
    return Leaf(role, f"spiffe://{trust_domain}/{role}/{name}")


def listener(file: str) -> Leaf:
    """The certificate of an HTTPS listener on this machine: it serves callers that have no certificate of ours."""
    return Leaf(file, None, ("localhost", "127.0.0.1"))


class Authority:
    """The authority whose files lie in a directory: `ca.crt`, `ca.key`, and `<file>.crt`, `<file>.key` of each leaf."""

    def __init__(self, directory: Path, trust_domain: str, now: datetime) -> None:
        self._directory = directory
        self._now = now
        self.certificate = directory / "ca.crt"
        key_file = directory / "ca.key"
        if not (self.certificate.exists() and key_file.exists()):
            self._found(key_file, trust_domain)
        self._issuer = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        key = load_pem_private_key(key_file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{key_file} holds no elliptic curve key")
        self._key = key

    def ensure(self, leaves: Sequence[Leaf]) -> None:
        """Issue every certificate that is absent, names something else, or ends within 30 days."""
        for leaf in leaves:
            if not self._good(leaf):
                self._issue(leaf)

    def _found(self, key_file: Path, trust_domain: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Hallmark local authority of {trust_domain}")])
        certificate = (
            self._builder(name, name, key.public_key(), AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        write_private(key_file, _pem(key))
        write_public(self.certificate, certificate.public_bytes(Encoding.PEM))

    def _good(self, leaf: Leaf) -> bool:
        file = self._directory / f"{leaf.file}.crt"
        if not (file.exists() and file.with_suffix(".key").exists()):
            return False
        held = x509.load_pem_x509_certificate(file.read_bytes())
        names = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            held.issuer == self._issuer.subject
            and list(names) == _names(leaf)
            and held.not_valid_after_utc - self._now > RENEW_BEFORE
        )

    def _issue(self, leaf: Leaf) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, leaf.file)])
        certificate = (
            self._builder(subject, self._issuer.subject, key.public_key(), LEAF_LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_purposes(leaf)), critical=False)
            .add_extension(x509.SubjectAlternativeName(_names(leaf)), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._directory / f"{leaf.file}.crt"
        write_private(file.with_suffix(".key"), _pem(key))
        write_public(file, certificate.public_bytes(Encoding.PEM))

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - BACKDATED)
            .not_valid_after(self._now + life)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


def utc_now() -> datetime:
    """The present time, in UTC."""
    return datetime.now(UTC)


def _names(leaf: Leaf) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(leaf.uri)] if leaf.uri else []
    return names + [_host(host) for host in leaf.hosts]


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _purposes(leaf: Leaf) -> list[x509.ObjectIdentifier]:
    serves = [ExtendedKeyUsageOID.SERVER_AUTH] if leaf.hosts else []
    calls = [ExtendedKeyUsageOID.CLIENT_AUTH] if leaf.uri else []
    return serves + calls


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
