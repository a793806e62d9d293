"""A small authority for tests: certificates as the house demands them, and as it must refuse them."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import grpc
import grpc.aio
from chassis.config import Tls
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TRUST_DOMAIN = "test.example"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, in PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Issues certificates for one day."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"test authority {next(_NUMBERS)}")])
        self.certificate = (
            _builder(self._name, self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )

    def issue(
        self,
        *uris: str,
        dns: tuple[str, ...] = (),
        addresses: tuple[str, ...] = (),
        ca: bool = False,
        age: timedelta = timedelta(minutes=5),
    ) -> Issued:
        """Issue a certificate with these URI and DNS names and IP addresses; `age` of a day or more is expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri) for uri in uris]
        names += [x509.DNSName(name) for name in dns]
        names += [x509.IPAddress(ip_address(address)) for address in addresses]
        serves = [ExtendedKeyUsageOID.SERVER_AUTH] if dns or addresses else []
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, *serves]
        certificate = (
            _builder(x509.Name([]), self._name, key, age)
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Issued(certificate.public_bytes(serialization.Encoding.PEM), private)

    def person(self, role: str, name: str = "pat") -> Issued:
        """A certificate of a person in a role."""
        return self.issue(f"spiffe://{TRUST_DOMAIN}/{role}/{name}")

    def service(self, role: str) -> Issued:
        """A certificate of a service, good for serving and calling."""
        return self.issue(f"spiffe://{TRUST_DOMAIN}/{role}/1", dns=(f"{role}.{TRUST_DOMAIN}",))

    def listener(self) -> Issued:
        """A certificate of an HTTPS listener on loopback."""
        return self.issue(addresses=("127.0.0.1",))

    def write(self, issued: Issued, folder: Path) -> Tls:
        """Write a certificate, its key and the authority into a folder, as settings name them."""
        folder.mkdir(parents=True, exist_ok=True)
        tls = Tls(
            ca=folder / "ca.pem", certificate=folder / "cert.pem", key=folder / "key.pem", trust_domain=TRUST_DOMAIN
        )
        tls.ca.write_bytes(self.certificate)
        tls.certificate.write_bytes(issued.certificate)
        tls.key.touch(mode=0o600)
        tls.key.write_bytes(issued.key)
        return tls

    def channel(self, address: str, issued: Issued, role: str) -> grpc.aio.Channel:
        """A channel to a role that shows a certificate as it is, which the chassis' own client may refuse to."""
        credentials = grpc.ssl_channel_credentials(self.certificate, issued.key, issued.certificate)
        options = [("grpc.ssl_target_name_override", f"{role}.{TRUST_DOMAIN}")]
        return grpc.aio.secure_channel(address, credentials, options=options)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, age: timedelta = timedelta(minutes=5)
) -> x509.CertificateBuilder:
    begun = datetime.now(UTC) - age
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=1))
    )
