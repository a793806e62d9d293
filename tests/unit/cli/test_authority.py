"""The suite's own authority: who its certificates make their holders, and when they are made anew."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from chassis.identity import identity_of
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hallmark_cli.local.authority import LEAF_LIFE, Authority, Leaf, listener, person, service, utc_now
from hallmark_cli.local.home import PEOPLE, SERVICES
from hallmark_cli.local.identities import leaves

DOMAIN = "hallmark.internal"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, DOMAIN, utc_now())


def issued(authority: Authority, directory: Path, leaf: Leaf) -> x509.Certificate:
    authority.ensure([leaf])
    return x509.load_pem_x509_certificate((directory / f"{leaf.file}.crt").read_bytes())


def purposes(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def test_a_service_calls_and_serves_under_the_name_its_callers_demand(authority: Authority, tmp_path: Path) -> None:
    certificate = issued(authority, tmp_path, service(DOMAIN, "verifier", "local"))
    assert purposes(certificate) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert names(certificate).get_values_for_type(x509.DNSName) == [f"verifier.{DOMAIN}"]
    assert identity_of((tmp_path / "verifier.crt").read_bytes(), DOMAIN) == ("verifier", "local")


def test_a_person_only_calls(authority: Authority, tmp_path: Path) -> None:
    certificate = issued(authority, tmp_path, person(DOMAIN, "custodian", "alice"))
    assert purposes(certificate) == {ExtendedKeyUsageOID.CLIENT_AUTH}
    assert names(certificate).get_values_for_type(x509.DNSName) == []
    assert identity_of((tmp_path / "custodian.crt").read_bytes(), DOMAIN) == ("custodian", "alice")


def test_a_listener_only_serves(authority: Authority, tmp_path: Path) -> None:
    certificate = issued(authority, tmp_path, listener("events"))
    assert purposes(certificate) == {ExtendedKeyUsageOID.SERVER_AUTH}
    assert names(certificate).get_values_for_type(x509.UniformResourceIdentifier) == []
    assert "localhost" in names(certificate).get_values_for_type(x509.DNSName)


def test_every_role_has_an_identity_and_the_adapter_is_named_after_its_cluster() -> None:
    every = leaves("prod-eu", "alice")
    assert {leaf.file for leaf in every} >= {*SERVICES, *PEOPLE}
    (adapter,) = (leaf for leaf in every if leaf.file == "admission")
    assert adapter.uri == f"spiffe://{DOMAIN}/admission/prod-eu"


def test_certificates_are_signed_by_the_authority_and_valid_now(authority: Authority, tmp_path: Path) -> None:
    certificate = issued(authority, tmp_path, person(DOMAIN, "auditor", "alice"))
    issuer = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    certificate.verify_directly_issued_by(issuer)
    assert certificate.not_valid_before_utc <= utc_now() <= certificate.not_valid_after_utc
    assert issuer.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)


def test_keys_are_their_owners_alone(authority: Authority, tmp_path: Path) -> None:
    issued(authority, tmp_path, person(DOMAIN, "auditor", "alice"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("*.key")} == {0o600}


def test_what_is_good_stays(authority: Authority, tmp_path: Path) -> None:
    leaf = person(DOMAIN, "auditor", "alice")
    before = issued(authority, tmp_path, leaf)
    assert issued(Authority(tmp_path, DOMAIN, utc_now()), tmp_path, leaf) == before


def test_what_is_about_to_end_is_made_anew(authority: Authority, tmp_path: Path) -> None:
    leaf = person(DOMAIN, "auditor", "alice")
    before = issued(authority, tmp_path, leaf)
    later = utc_now() + LEAF_LIFE - timedelta(days=29)
    after = issued(Authority(tmp_path, DOMAIN, later), tmp_path, leaf)
    assert after.not_valid_after_utc > before.not_valid_after_utc


def test_another_name_is_another_certificate(authority: Authority, tmp_path: Path) -> None:
    issued(authority, tmp_path, service(DOMAIN, "admission", "one"))
    issued(authority, tmp_path, service(DOMAIN, "admission", "two"))
    assert identity_of((tmp_path / "admission.crt").read_bytes(), DOMAIN) == ("admission", "two")
