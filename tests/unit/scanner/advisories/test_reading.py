"""Reading records and zips of them, good and hostile."""

import io
import json
import tempfile
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.advisories import archive
from scanner.advisories.advisory import Advisory, read_advisories
from scanner.advisories.archive import Batch, read_archive
from scanner.advisories.osv import MalformedRecord
from scanner.advisories.sightings import Skipped, sight
from scanner.errors import ArchiveBroken, ArchiveTooLarge
from scanner.severity import Severity

from tests.factories.advisories import osv_record, zipped

NOW = datetime(2026, 8, 1, tzinfo=UTC)


def read_body(body: bytes) -> Advisory:
    seen = sight("record.json", body, NOW)
    if isinstance(seen, Skipped):
        raise MalformedRecord(seen.problem)
    reading = read_advisories([seen], NOW)
    for skipped in reading.skipped:
        raise MalformedRecord(skipped.problem)
    return reading.advisories[0]


def read(record: object) -> Advisory:
    return read_body(json.dumps(record).encode())


def read_all(body: bytes) -> Batch:
    with tempfile.TemporaryFile() as file:
        file.write(body)
        batches = list(read_archive(file, NOW))
    return Batch(
        tuple(sighting for batch in batches for sighting in batch.sightings),
        tuple(skipped for batch in batches for skipped in batch.skipped),
    )


def test_a_record() -> None:
    advisory = read(osv_record("PYSEC-1", "PyPI", "Flask_Login", fixed="1.2", aliases=["CVE-1", "", "a b"]))
    assert advisory.names.own == ("PYSEC-1", "CVE-1")
    assert advisory.feeds == {"PyPI"}
    (package,) = advisory.affected
    assert (package.ecosystem, package.name) == ("PyPI", "flask-login")
    assert [interval.fixed for interval in package.intervals] == ["1.2"]


def test_times_are_utc() -> None:
    assert read(osv_record(modified="2026-07-01T02:00:00+02:00")).modified == datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize("at", ["2026-07-31T00:00:00Z", "2026-08-01T00:00:00Z"])
def test_a_withdrawn_record_affects_nothing(at: str) -> None:
    assert read(osv_record(withdrawn=at)).affected == ()
    assert read({"id": "A-1", "modified": "2026-01-01T00:00:00Z", "withdrawn": at}).affected == ()


def test_a_withdrawal_to_come_counts_when_it_has_come() -> None:
    assert read(osv_record(withdrawn="2026-08-02T00:00:00Z")).affected != ()


def test_an_ecosystem_without_a_version_order_is_kept_and_named() -> None:
    advisory = read(osv_record("A-1", "Plan9:4", "rc"))
    assert advisory.unknown == {"Plan9"}
    assert advisory.affected == ()


@pytest.mark.parametrize(
    "record",
    [
        [],
        None,
        {},
        {"id": "A-1"},
        {**osv_record(), "id": ""},
        {**osv_record(), "id": "a b"},
        {**osv_record(), "id": "x" * 129},
        {**osv_record(), "id": 7},
        {**osv_record(), "modified": "yesterday"},
        {**osv_record(), "modified": "2026-07-01T00:00:00"},
        {**osv_record(), "modified": "0001-01-01T00:00:00+10:00"},
        {**osv_record(), "affected": []},
        {**osv_record(), "affected": None},
        {**osv_record(), "affected": "everything"},
        {**osv_record(), "affected": [{"package": {"name": 1, "ecosystem": "npm"}}]},
        {**osv_record(), "affected": [{"ranges": [{"type": "SEMVER", "events": {"introduced": "0"}}]}]},
        {**osv_record(), "aliases": [["CVE-1"]]},
    ],
)
def test_what_is_no_record_is_refused(record: object) -> None:
    with pytest.raises(MalformedRecord, match=r"^It(s id)? .*\.$"):
        read(record)


@given(
    st.binary(max_size=200)
    | st.recursive(st.text() | st.integers(), st.lists).map(lambda tree: json.dumps(tree).encode())
)
def test_no_bytes_do_harm(body: bytes) -> None:
    with pytest.raises(MalformedRecord):
        read_body(body)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(MalformedRecord):
        read_body(b'{"id":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({}, Severity.UNKNOWN),
        (
            {"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]},
            Severity.CRITICAL,
        ),
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N"}]}, Severity.MEDIUM),
        (
            {
                "severity": [
                    {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
                    {"type": "CVSS_V4", "score": "CVSS:4.0/AV:L/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"},
                ]
            },
            Severity.LOW,
        ),
        ({"severity": [{"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}]}, Severity.HIGH),
        (
            {"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"}]},
            Severity.UNKNOWN,
        ),
        (
            {"severity": [{"type": "CVSS_V3", "score": "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:U/A:U"}]},
            Severity.UNKNOWN,
        ),
        ({"severity": [{"type": "CVSS_V3", "score": "9.8"}]}, Severity.UNKNOWN),
        ({"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/" * 1000}]}, Severity.UNKNOWN),
        ({"severity": [{"type": "Ubuntu", "score": "negligible"}]}, Severity.NEGLIGIBLE),
        ({"database_specific": {"severity": "MODERATE"}}, Severity.MEDIUM),
        ({"database_specific": {"severity": ["no word"]}}, Severity.UNKNOWN),
    ],
)
def test_severity(fields: dict[str, Any], severity: Severity) -> None:
    assert read({**osv_record(), **fields}).severity is severity


def test_the_word_for_the_package_comes_first() -> None:
    record = osv_record("DEBIAN-CVE-1", "Debian:12", "foo")
    record["affected"][0]["ecosystem_specific"] = {"urgency": "unimportant"}
    record["severity"] = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]
    assert read(record).affected[0].severity is Severity.NEGLIGIBLE


def test_a_bad_record_is_skipped_and_named() -> None:
    good = json.dumps(osv_record()).encode()
    found = read_all(zipped({"dir/": b"", "good.json": good, "bad\x1b.json": b"{", "README.md": b"hello"}))
    assert [sighting.record_id for sighting in found.sightings] == ["TEST-1"]
    assert [skipped.name for skipped in found.skipped] == ["bad?.json", "README.md"]


def test_paths_in_a_zip_are_only_names() -> None:
    found = read_all(zipped({"../../etc/evil.json": json.dumps(osv_record()).encode(), "/abs.json": b"[]"}))
    assert len(found.sightings) == 1
    assert [skipped.name for skipped in found.skipped] == ["/abs.json"]


def test_a_huge_record_is_skipped_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LARGEST_RECORD", 1000)
    bomb = zipped({"bomb.json": b" " * 10_000, "good.json": json.dumps(osv_record()).encode()})
    found = read_all(bomb)
    assert [(skipped.name, "larger" in skipped.problem) for skipped in found.skipped] == [("bomb.json", True)]
    assert len(found.sightings) == 1


@pytest.mark.parametrize("bound", ["LARGEST_ARCHIVE", "MOST_RECORDS"])
def test_a_zip_is_bounded(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, bound, 1)
    with pytest.raises(ArchiveTooLarge):
        read_all(zipped({f"{number}.json": json.dumps(osv_record(f"A-{number}")).encode() for number in range(3)}))


def good_and_bad() -> bytearray:
    """A zip of two records, of which the first is to be damaged: its header is first, its entry in the list too."""
    return bytearray(zipped({f"{name}.json": json.dumps(osv_record(name)).encode() for name in ("BAD-1", "GOOD-1")}))


def damaged_members() -> dict[str, bytes]:
    zips = {name: good_and_bad() for name in ("half-written", "encrypted", "lying", "lost", "strange", "bomb")}
    listed = zips["lost"].index(b"PK\x01\x02")
    header = 30 + len("BAD-1.json")
    zips["half-written"][header + 50 : header + 150] = bytes(100)
    zips["encrypted"][6] |= 1
    zips["encrypted"][listed + 8] |= 1
    zips["lying"][listed + 24] ^= 0x0F
    zips["lost"][0] = 0
    zips["strange"][listed + 10] = zips["strange"][8] = zipfile.ZIP_LZMA
    zips["bomb"][listed + 24 : listed + 28] = (archive.LARGEST_RECORD + 1).to_bytes(4, "little")
    return {name: bytes(body) for name, body in zips.items()}


@pytest.mark.parametrize("case", damaged_members())
def test_a_damaged_member_is_skipped_and_named(case: str) -> None:
    found = read_all(damaged_members()[case])
    assert [sighting.record_id for sighting in found.sightings] == ["GOOD-1"]
    assert [skipped.name for skipped in found.skipped] == ["BAD-1.json"]


@pytest.mark.parametrize("body", [b"", b"{}", bytes(good_and_bad()[:-40])], ids=["empty", "no zip", "truncated"])
def test_a_broken_zip_is_refused(body: bytes) -> None:
    with pytest.raises(ArchiveBroken, match="Nothing was imported"):
        read_all(body)


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_zip_is_read_rightly_or_refused(changes: list[tuple[int, int]]) -> None:
    body = bytearray(zipped({f"{number}.json": json.dumps(osv_record(f"A-{number}")).encode() for number in range(2)}))
    for at, value in changes:
        body[at % len(body)] = value
    try:
        found = read_all(bytes(body))
    except (ArchiveBroken, ArchiveTooLarge):
        return
    assert {sighting.record_id for sighting in found.sightings} <= {"A-0", "A-1"}


def test_a_member_without_a_name_is_skipped() -> None:
    assert [skipped.name for skipped in read_all(zipped({"x.json": b"{}"}).replace(b"x.json", b"\0.json")).skipped] == [
        ""
    ]


def test_batches_hold_everything_once() -> None:
    names = [f"A-{number}" for number in range(1203)]
    found = read_all(zipped({f"{name}.json": json.dumps(osv_record(name)).encode() for name in names}))
    assert [sighting.record_id for sighting in found.sightings] == names


def test_reading_an_archive_leaves_the_file_open() -> None:
    with io.BytesIO(zipped({})) as file:
        list(read_archive(file, NOW + timedelta(days=1)))
        assert not file.closed
        assert zipfile.is_zipfile(file)
