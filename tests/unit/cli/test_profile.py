"""The profile: which identity a command uses, and what is said where it cannot be used."""

from pathlib import Path

import pytest
from hallmark_cli.failures import Misused
from hallmark_cli.profile import load

TWO = """
trust_domain = "hallmark.internal"
ca = "tls/ca.crt"
[services]
scanner = "127.0.0.1:1"
[identities.auditor]
certificate = "tls/auditor.crt"
key = "/elsewhere/auditor.key"
[identities.developer]
certificate = "tls/developer.crt"
key = "tls/developer.key"
"""


def write(directory: Path, text: str) -> Path:
    file = directory / "hallmark.toml"
    file.write_text(text)
    return file


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    profile = load(write(tmp_path, TWO))
    assert profile.ca == tmp_path / "tls/ca.crt"
    assert profile.identities["auditor"].certificate == tmp_path / "tls/auditor.crt"
    assert profile.identities["auditor"].key == Path("/elsewhere/auditor.key")


def test_the_identity_is_the_one_asked_for_else_that_of_the_default_role(tmp_path: Path) -> None:
    profile = load(write(tmp_path, TWO))
    assert profile.identity(None, "auditor") == profile.identities["auditor"]
    assert profile.identity("developer", "auditor") == profile.identities["developer"]
    with pytest.raises(Misused, match="no identity for the role custodian; it holds: auditor, developer"):
        profile.identity(None, "custodian")


def test_the_only_identity_serves_every_command_but_not_every_wish(tmp_path: Path) -> None:
    profile = load(write(tmp_path, TWO.partition("[identities.developer]")[0]))
    assert profile.identity(None, "custodian") == profile.identities["auditor"]
    with pytest.raises(Misused, match="custodian"):
        profile.identity("custodian", "auditor")


def test_an_address_that_is_not_named(tmp_path: Path) -> None:
    with pytest.raises(Misused, match="no address of the signer"):
        load(write(tmp_path, TWO)).address("signer")


@pytest.mark.parametrize("text", ["=", "trust_domain = 1", TWO + "\n[more]\n", "trust_domain = 'a'", "\x00"])
def test_what_is_no_profile_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misused, match="cannot be read"):
        load(write(tmp_path, text))


def test_bytes_that_are_no_text_are_no_profile(tmp_path: Path) -> None:
    (tmp_path / "hallmark.toml").write_bytes(b"\xff")
    with pytest.raises(Misused, match="cannot be read"):
        load(tmp_path / "hallmark.toml")


def test_an_absent_profile_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(Misused, match="`hallmark up` makes one"):
        load(tmp_path / "absent.toml")
