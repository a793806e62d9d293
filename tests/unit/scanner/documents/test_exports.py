"""Inventories as documents: valid by their schemas, the same bytes each time, and honest about what is missing."""

import json
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from scanner.errors import PlatformUnclear, ScanNotFound, ScanWithoutInventory
from scanner.exports import PIECE, Exporter, Format
from scanner.scan_records import Scan
from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from tests.factories.images import (
    Image,
    debian,
    dpkg_record,
    dpkg_status,
    file,
    image,
    index,
    layer,
    node_module,
    os_release,
    wheel,
)
from tests.factories.jars import jar, maven_jar
from tests.factories.scanning import DEVELOPER, Scanning, narrowed

BASH = dpkg_record("bash", "5.2.15-2+b2", source="bash (5.2.15-2)")
UNKNOWN = b'PRETTY_NAME="Plan 9"\nID=plan9\nVERSION_ID="4"\n'


async def export(bench: Scanning, scan: Scan, form: Format, platform: str = "") -> bytes:
    exporter = Exporter(bench.store, bench.desk, bench.workers)
    return b"".join([piece async for piece in exporter.export(DEVELOPER, scan.scan_id, platform, form)])


async def cyclonedx(bench: Scanning, made: Image, platform: str = "") -> dict[str, Any]:
    """The document about an image, found valid."""
    text = (await export(bench, await bench.scan(made), Format.CYCLONEDX, platform)).decode("ascii")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document: dict[str, Any] = json.loads(text)
    return document


async def spdx(bench: Scanning, made: Image) -> dict[str, Any]:
    """The document about an image, found valid."""
    document: dict[str, Any] = json.loads(await export(bench, await bench.scan(made), Format.SPDX))
    assert validate_full_spdx_document(JsonLikeDictParser().parse(document)) == []
    return document


def properties(component: dict[str, Any]) -> dict[str, str]:
    return {one["name"].removeprefix("hallmark:"): one["value"] for one in component["properties"]}


def annotations(package: dict[str, Any]) -> dict[str, str]:
    texts = [one["comment"].removeprefix("hallmark:") for one in package["annotations"]]
    return dict(text.split("=", 1) for text in texts)


def mixed() -> Image:
    """A Debian with a package of each of three kinds."""
    return debian(BASH, more=[wheel("demo", "1.0"), node_module("@scope/tool", "2.0")])


async def test_cyclonedx_names_the_image_its_system_and_its_packages(bench: Scanning) -> None:
    made = mixed()
    found = await cyclonedx(bench, made)
    subject = found["metadata"]["component"]
    assert (subject["type"], subject["name"], subject["version"]) == ("container", "app", made.digest)
    assert subject["purl"].startswith("pkg:oci/app@sha256")
    system, *packages = found["components"]
    assert (system["type"], system["name"], system["version"]) == ("operating-system", "debian", "12")
    by_name = {one["name"]: one for one in packages}
    assert set(by_name) == {"bash", "demo", "@scope/tool"}
    bash = by_name["bash"]
    assert bash["purl"].startswith("pkg:deb/debian/bash@5.2.15-2%2Bb2?arch=amd64")
    assert bash["evidence"]["occurrences"] == [{"location": "var/lib/dpkg/status"}]
    known = properties(bash)
    assert (known["source_name"], known["source_version"], known["evidence"]) == ("bash", "5.2.15-2", "DATABASE")
    assert known["layer"] in made.body.decode()


async def test_spdx_names_the_image_its_system_and_its_packages(bench: Scanning) -> None:
    made = mixed()
    found = await spdx(bench, made)
    subject, system, *packages = found["packages"]
    assert (subject["primaryPackagePurpose"], subject["versionInfo"]) == ("CONTAINER", made.digest)
    assert (system["primaryPackagePurpose"], system["name"]) == ("OPERATING_SYSTEM", "debian")
    bash = next(one for one in packages if one["name"] == "bash")
    assert bash["externalRefs"][0]["referenceLocator"].startswith("pkg:deb/debian/bash@")
    assert annotations(bash)["path"] == "var/lib/dpkg/status"
    relations = {(one["spdxElementId"], one["relationshipType"]) for one in found["relationships"]}
    assert relations == {("SPDXRef-DOCUMENT", "DESCRIBES"), ("SPDXRef-Image", "CONTAINS")}
    contained = [one["relatedSpdxElement"] for one in found["relationships"]][1:]
    assert contained == [one["SPDXID"] for one in (system, *packages)]


def languages() -> Image:
    """An image of archives of Java in archives, one of them known by its name alone, and of a lock file."""
    nested = jar({"lib/plain & simple.jar": jar({}), "lib/a.jar": maven_jar("g", "a", "1")})
    return image(layer(os_release(), file("app.jar", nested), file("requirements.txt", "demo==1.0\n")))


async def test_packages_of_languages_whatever_is_known_of_them(bench: Scanning) -> None:
    by_name = {one["name"]: one for one in (await cyclonedx(bench, languages()))["components"]}
    assert by_name["g:a"]["purl"] == "pkg:maven/g/a@1"
    assert by_name["plain & simple"]["purl"] == "pkg:generic/plain%20%26%20simple"
    assert by_name["plain & simple"]["evidence"]["occurrences"] == [{"location": "app.jar!/lib/plain & simple.jar"}]
    assert properties(by_name["demo"])["evidence"] == "LOCK_FILE"
    assert {one["name"] for one in (await spdx(bench, languages()))["packages"]} >= {"g:a", "plain & simple", "demo"}


@pytest.mark.parametrize("form", Format)
async def test_the_same_inventory_is_the_same_bytes(bench: Scanning, form: Format) -> None:
    scan = await bench.scan(mixed())
    first = await export(bench, scan, form)
    bench.clock.advance(3600)
    assert await export(bench, scan, form) == first
    again = await bench.scan(mixed(), force=True)
    assert await export(bench, again, form) != first, "another scan, at another time"


@pytest.mark.parametrize(
    ("made", "state", "words"),
    [
        (image(layer(os_release(), wheel("demo", "1.0"))), "INCOMPLETE", "package database of dpkg"),
        (image(layer(os_release(UNKNOWN), wheel("demo", "1.0"))), "UNSUPPORTED", "Plan 9"),
        (
            image(layer(os_release(), dpkg_status(BASH), file("app/node_modules/x/package.json", "{"))),
            "SCANNED",
            "could not be read: 1",
        ),
    ],
)
async def test_what_is_missing_is_said(bench: Scanning, made: Image, state: str, words: str) -> None:
    cyclone = await cyclonedx(bench, made)
    assert cyclone["compositions"] == [{"aggregate": "incomplete", "assemblies": ["image"]}]
    assert properties(cyclone["metadata"])["state"] == state
    document = await spdx(bench, made)
    assert "not complete" in document["comment"]
    assert words in document["comment"]
    assert annotations(document["packages"][0])["state"] == state
    if state == "SCANNED":
        assert properties(cyclone["metadata"])["unreadable_part"].startswith("app/node_modules/x/package.json: ")


async def test_what_is_whole_is_never_called_complete(bench: Scanning) -> None:
    assert (await cyclonedx(bench, mixed()))["compositions"][0]["aggregate"] == "unknown"


async def test_an_image_without_packages(bench: Scanning) -> None:
    empty = image(layer(file("etc/motd", "hello")))
    assert (await cyclonedx(bench, empty))["components"] == []
    assert [one["SPDXID"] for one in (await spdx(bench, empty))["packages"]] == ["SPDXRef-Image"]
    alone = image(layer(wheel("demo", "1.0")))
    assert [one["name"] for one in (await cyclonedx(bench, alone))["components"]] == ["demo"]


async def test_a_platform_of_an_index(bench: Scanning) -> None:
    arm = image(layer(wheel("arm", "1.0")), platform="linux/arm64")
    both = index(image(layer(wheel("amd", "1.0"))), arm)
    for chosen in ("linux/arm64", arm.digest):
        found = await cyclonedx(bench, both, chosen)
        assert [one["name"] for one in found["components"]] == ["arm"]
        assert found["metadata"]["component"]["version"] == arm.digest
    scan = await bench.scan(both)
    for unclear in ("", "linux/s390x"):
        with pytest.raises(PlatformUnclear, match=r"linux/amd64 .*linux/arm64"):
            await export(bench, scan, Format.SPDX, unclear)


async def test_a_large_inventory_comes_in_pieces(bench: Scanning) -> None:
    many = image(layer(*(node_module(f"package-{number}", "1.0.0") for number in range(2500))))
    scan = await bench.scan(many)
    exporter = Exporter(bench.store, bench.desk, bench.workers)
    pieces = [piece async for piece in exporter.export(DEVELOPER, scan.scan_id, "", Format.CYCLONEDX)]
    assert [len(piece) for piece in pieces[:-1]] == [PIECE] * (len(pieces) - 1)
    assert len(pieces) > 1
    names = {one["name"] for one in json.loads(b"".join(pieces))["components"]}
    assert names == {f"package-{number}" for number in range(2500)}


async def test_only_what_has_an_inventory(bench: Scanning) -> None:
    queued = await bench.ask(bench.push(mixed()))
    with pytest.raises(ScanWithoutInventory, match="QUEUED"):
        await export(bench, queued, Format.SPDX)


async def test_a_binding_hides_what_it_does_not_cover(bench: Scanning) -> None:
    scan = await bench.scan(mixed())
    exporter = Exporter(bench.store, bench.desk, bench.workers)
    stranger = narrowed("developer", "elsewhere.example.com/**")
    with pytest.raises(ScanNotFound):
        await anext(exporter.export(stranger, scan.scan_id, "", Format.SPDX))
