"""Packages of Maven: in archives, in archives in archives, unpacked."""

import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.jars.identity import split_name
from scanner.inventory.jars.manifest import read_version
from scanner.inventory.jars.poms import Pom, read_project, read_properties
from scanner.inventory.jars.reading import DEEPEST, read_archives
from scanner.inventory.model import Evidence, Inventory

from tests.factories.images import digest_of, file, layer, symlink
from tests.factories.inventories import inventory, inventory_of, names
from tests.factories.jars import MANIFEST, jar, manifest, maven_jar, project, properties

CORE = maven_jar("org.apache.logging.log4j", "log4j-core", "2.14.1")
API = maven_jar("org.apache.logging.log4j", "log4j-api", "2.14.1")


def in_app(body: bytes, name: str = "app.jar") -> Inventory:
    return inventory_of(file(f"opt/{name}", body))


def told(body: bytes, name: str = "app.jar") -> list[tuple[str, str]]:
    """Names and versions of what an archive tells."""
    found = in_app(body, name)
    assert found.unreadable == ()
    return [(name, version) for _, name, version in names(found)]


def problems(found: Inventory) -> dict[str, str]:
    return {one.path: one.problem for one in found.unreadable}


def test_a_jar_of_maven() -> None:
    image_layer = layer(file("opt/log4j-core-2.14.1.jar", CORE))
    [package] = inventory(image_layer).packages
    assert (package.ecosystem, package.name, package.version) == (
        "Maven",
        "org.apache.logging.log4j:log4j-core",
        "2.14.1",
    )
    assert package.purl == "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"
    assert (package.path, package.layer) == ("opt/log4j-core-2.14.1.jar", image_layer.digest)
    assert package.evidence is Evidence.METADATA


@pytest.mark.parametrize(
    "name", ["a.jar", "A.JAR", "a.war", "a.ear", "a.par", "a.jpi", "a.hpi", "a.sar", "a.kar", "a.rar"]
)
def test_what_archives_are_called(name: str) -> None:
    assert told(CORE, name) == [("org.apache.logging.log4j:log4j-core", "2.14.1")]


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("folder", ["BOOT-INF/lib/", "WEB-INF/lib/", "lib/", "", "any/where/"])
def test_a_jar_in_a_jar(folder: str, stored: bool) -> None:
    body = jar({f"{folder}log4j-core.jar": CORE, "c.war": jar({"WEB-INF/lib/log4j-api.jar": API})}, stored=stored)
    found = in_app(body, "app-1.0.jar")
    assert {one.path: one.name for one in found.packages} == {
        "opt/app-1.0.jar": "app",
        f"opt/app-1.0.jar!/{folder}log4j-core.jar": "org.apache.logging.log4j:log4j-core",
        "opt/app-1.0.jar!/c.war": "c",
        "opt/app-1.0.jar!/c.war!/WEB-INF/lib/log4j-api.jar": "org.apache.logging.log4j:log4j-api",
    }


def test_a_shaded_jar_holds_every_project() -> None:
    shaded = {**properties("com.google.guava", "guava", "31.1-jre"), **properties("g", "shaded", "2")}
    assert told(maven_jar("org.example", "app", "1", shaded), "app-1.jar") == [
        ("com.google.guava:guava", "31.1-jre"),
        ("g:shaded", "2"),
        ("org.example:app", "1"),
    ]


def test_a_jar_that_only_holds_others_is_listed_beside_them() -> None:
    body = jar({MANIFEST: manifest(), **properties("g", "a", "1"), **properties("g", "b", "2")})
    assert told(body, "app-3.jar") == [("g:a", "1"), ("g:b", "2"), ("app", "3")]


def test_one_project_in_a_renamed_jar_is_its_own() -> None:
    assert told(CORE, "renamed-9.jar") == [("org.apache.logging.log4j:log4j-core", "2.14.1")]


def test_a_project_by_its_pom_alone() -> None:
    inherited = "<parent><groupId>g</groupId><artifactId>parent</artifactId><version>7</version></parent>"
    more = "<dependencies><dependency><groupId>x</groupId><version>8</version></dependency></dependencies>"
    body = jar(project("g", "a", f"{inherited}{more}<artifactId>a</artifactId>"))
    assert told(body) == [("g:a", "7")]


def test_properties_count_before_the_pom() -> None:
    xml = "<groupId>g</groupId><artifactId>a</artifactId><version>${revision}</version>"
    assert told(jar({**project("g", "a", xml), **properties("g", "a", "1.2")})) == [("g:a", "1.2")]


def test_a_version_that_a_pom_leaves_open_is_the_manifests() -> None:
    xml = "<groupId>g</groupId><artifactId>a</artifactId><version>${revision}</version>"
    assert told(jar({MANIFEST: manifest(Implementation_Version="5"), **project("g", "a", xml)})) == [("g:a", "5")]


@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ({"Implementation_Version": "9.0.1", "Specification_Version": "9"}, "catalina.jar", ("catalina", "9.0.1")),
        ({"Bundle_Version": "3.1"}, "a.jar", ("a", "3.1")),
        ({"Implementation_Version": "9"}, "log4j-api-2.17.1.jar", ("log4j-api", "2.17.1")),
        ({"Implementation_Version": "${version}"}, "a.jar", ("a", "")),
        ({"Implementation_Vendor_Id": "org.apache", "Implementation_Title": "Title"}, "a.jar", ("a", "")),
        ({}, "my app.jar", ("my app", "")),
        ({}, "org.apache:log4j-core-2.14.1.jar", ("org.apache_log4j-core", "2.14.1")),
    ],
)
def test_a_group_is_never_guessed(fields: dict[str, str], name: str, expected: tuple[str, str]) -> None:
    [package] = in_app(jar({MANIFEST: manifest(**fields)}), name).packages
    assert (package.name, package.version) == expected
    assert (package.ecosystem, package.purl.partition("/")[0]) == ("generic", "pkg:generic")
    assert package.evidence is Evidence.BINARY


def test_only_the_main_section_of_a_manifest_counts() -> None:
    assert read_version(manifest(Created_By="me").encode()) == ""
    assert read_version(b"IMPLEMENTATION-Version: 1.\n 2.\n 3\nBundle-Version: 4\n") == "1.2.3"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("log4j-core-2.14.1.jar", ("log4j-core", "2.14.1")),
        ("log4j-1.2-api-2.17.1.jar", ("log4j-1.2-api", "2.17.1")),
        ("guava-31.1-jre.jar", ("guava", "31.1-jre")),
        ("foo-1.0-beta-2.jar", ("foo", "1.0-beta-2")),
        ("foo-1.0-20240102.030405-7.jar", ("foo", "1.0-20240102.030405-7")),
        ("spark-core_2.12-3.5.0.jar", ("spark-core_2.12", "3.5.0")),
        ("org.eclipse.osgi_3.18.0.v2022.jar", ("org.eclipse.osgi", "3.18.0.v2022")),
        ("netty-epoll-4.1.9.Final-linux-x86_64.jar", ("netty-epoll", "4.1.9.Final-linux-x86_64")),
        ("rt.jar", ("rt", "")),
        (".jar", (".jar", "")),
    ],
)
def test_names_of_files(name: str, expected: tuple[str, str]) -> None:
    assert split_name(f"a-1/b!/{name}") == expected


def test_an_unpacked_archive() -> None:
    [(path, body)] = properties("g", "a", "1").items()
    found = inventory_of(file(f"srv/tomcat/webapps/app/{path}", body))
    assert names(found) == [("Maven", "g:a", "1")]


def test_a_jar_behind_a_script_that_starts_it() -> None:
    assert told(jar(properties("g", "a", "1"), before=b"#!/bin/sh\nexec java -jar $0\n")) == [("g:a", "1")]


def test_a_jar_with_more_members_than_a_plain_directory_counts() -> None:
    body = jar({**{f"{number}": b"" for number in range(66_000)}, **properties("g", "a", "1")}, before=b"#!/bin/sh\n")
    assert b"PK\6\6" in body
    assert told(body) == [("g:a", "1")]


def test_a_package_belongs_to_the_layer_that_brought_its_version() -> None:
    base = layer(file("a.war", jar({"lib/x.jar": CORE, "lib/y.jar": maven_jar("g", "y", "1")})))
    upper = layer(file("a.war", jar({"lib/x.jar": CORE, "lib/y.jar": maven_jar("g", "y", "2")})))
    layers = {one.name: one.layer for one in inventory(base, upper).packages}
    assert layers["org.apache.logging.log4j:log4j-core"] == digest_of(base.blob)
    assert layers["g:y"] == digest_of(upper.blob)


def test_links_to_jars_are_no_other_packages_and_dangling_ones_miss_nothing() -> None:
    found = inventory_of(
        file("usr/share/java/log4j-core-2.14.1.jar", CORE),
        symlink("usr/share/java/log4j-core.jar", "log4j-core-2.14.1.jar"),
        symlink("usr/share/java/gone.jar", "gone-1.jar"),
    )
    assert [one.path for one in found.packages] == ["usr/share/java/log4j-core-2.14.1.jar"]
    assert found.unreadable == ()


@pytest.mark.parametrize("name", ["a.mp3", "a.jmod", "a.zip", "a.jar.txt", "jar"])
def test_what_is_no_archive_of_java(name: str) -> None:
    assert in_app(CORE, name).packages == ()


def test_what_merely_shares_an_ending_is_nothing() -> None:
    found = inventory_of(file("song.kar", b"MThd"), file("empty.jar"), file("x.par", b"PAR1"))
    assert (found.packages, found.unreadable) == ((), ())


@pytest.mark.parametrize("body", [b"?", b"garbage" * 999, CORE[: len(CORE) // 2], CORE[:-22], b"PK\3\4" + b"\0" * 99])
def test_a_broken_jar_is_named(body: bytes) -> None:
    assert list(problems(in_app(body))) == ["opt/app.jar"]


def test_a_broken_jar_in_a_jar_is_named_and_hides_no_other() -> None:
    found = in_app(jar({"lib/a.jar": b"garbage", "lib/b.jar": CORE}), "app-1.jar")
    assert list(problems(found)) == ["opt/app-1.jar!/lib/a.jar"]
    assert ("Maven", "org.apache.logging.log4j:log4j-core", "2.14.1") in names(found)


def nested(depth: int) -> bytes:
    body = CORE
    for _ in range(depth):
        body = jar({"a.jar": body}, stored=True)
    return body


def test_archives_within_one_another_have_a_bound() -> None:
    assert problems(in_app(nested(DEEPEST))) == {}
    found = in_app(nested(DEEPEST + 1))
    assert "deeper than 5" in problems(found)["opt/app.jar" + "!/a.jar" * (DEEPEST + 1)]


def test_a_bomb_is_given_up() -> None:
    bomb = jar({"a.jar": bytes(80 * 2**20)})
    assert len(bomb) < 2**20
    assert "too large" in problems(in_app(bomb))["opt/app.jar!/a.jar"]


def directory_of(body: bytes) -> int:
    """Where the directory of an archive begins."""
    return int(struct.unpack_from("<I", body, len(body) - 6)[0])


def with_directory(body: bytes, records: bytes, count: int) -> bytes:
    """An archive with another directory."""
    at = directory_of(body)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(records), at, 0)
    return body[:at] + records + end


def test_members_that_overlap_are_read_to_a_bound() -> None:
    body = jar({"a.jar": jar({"x": bytes(2**20)}, stored=True)}, stored=True)
    at = directory_of(body)
    record = body[at : len(body) - 22]
    found = in_app(with_directory(body, record * 9_000, 9_000))
    assert any("too large" in problem for problem in problems(found).values())


def test_a_directory_that_every_nested_archive_shares_is_read_to_a_bound() -> None:
    inner = jar({f"{number:0200}": b"" for number in range(5_000)}, stored=True)
    body = jar({"a.jar": inner}, stored=True)
    record = body[directory_of(body) : len(body) - 22]
    found = in_app(with_directory(body, record * 200, 200))
    assert any("too many" in one.problem for one in found.unreadable)


def patched(body: bytes, offset: int, form: str, value: int) -> bytes:
    """An archive with a number of its first directory record replaced."""
    made = bytearray(body)
    struct.pack_into(form, made, directory_of(body) + offset, value)
    return bytes(made)


@pytest.mark.parametrize(
    ("offset", "form", "value", "says"),
    [
        (8, "<H", 1, "encrypted"),
        (10, "<H", 12, "method"),
        (16, "<I", 7, "checksum"),
        (24, "<I", 3, "size"),
        (24, "<I", 2**31, "size"),
        (20, "<I", 2**31, "ends too"),
        (42, "<I", 12, "not where"),
        (42, "<I", 2**31, "too early"),
    ],
)
def test_a_directory_that_lies(offset: int, form: str, value: int, says: str) -> None:
    lying = patched(jar(properties("g", "a", "1")), offset, form, value)
    assert says in problems(in_app(lying))["opt/app.jar"]


def test_a_nested_archive_of_an_endless_name_is_named_by_its_beginning() -> None:
    [path] = problems(in_app(jar({"x" * 60_000 + ".jar": CORE})))
    assert len(path) < 5_000


def test_a_name_that_no_database_takes_is_shown() -> None:
    body = jar({"lib/aXb.jar": jar({}), "lib/caf\u00e9.jar": jar({})}).replace(b"aXb", b"a\0b")
    found = in_app(body.replace("caf\u00e9".encode(), b"caf\xe9\xe9"))
    assert {one.path for one in found.packages} == {
        "opt/app.jar",
        "opt/app.jar!/lib/a\\x00b.jar",
        "opt/app.jar!/lib/caf\\xe9\\xe9.jar",
    }


def test_sizes_of_eight_bytes() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        [(path, body)] = properties("g", "a", "1").items()
        with archive.open(path, "w", force_zip64=True) as member:
            member.write(body.encode())
    whole = bytearray(stream.getvalue())
    at = directory_of(bytes(whole))
    packed, size = struct.unpack_from("<II", whole, at + 20)
    extra = struct.pack("<HHQQ", 1, 16, size, packed)
    record = bytearray(whole[at : at + 46 + len(path)]) + extra
    struct.pack_into("<II", record, 20, 2**32 - 1, 2**32 - 1)
    struct.pack_into("<H", record, 30, len(extra))
    assert told(with_directory(bytes(whole), bytes(record), 1)) == [("g:a", "1")]
    struct.pack_into("<H", record, 30, 0)
    short = with_directory(bytes(whole), bytes(record[: -len(extra)]), 1)
    assert "broken" in problems(in_app(short))["opt/app.jar"]


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<project>",
        b'<!DOCTYPE p [<!ENTITY a "aaaa">]><project><groupId>&a;</groupId></project>',
        b"<project>" + b"<a>" * 50_000 + b"</a>" * 50_000 + b"</project>",
        b"<project><groupId>g g</groupId><artifactId>a</artifactId></project>",
        b"<other><groupId>g</groupId><artifactId>a</artifactId></other>",
    ],
)
def test_a_pom_that_tells_nothing(xml: bytes) -> None:
    assert read_project(xml) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"groupId=g\nartifactId=a\nversion=1", Pom("g", "a", "1")),
        (b"! x\r\ngroupId: g\r\n artifactId = a\r\n", Pom("g", "a", "")),
        (b"groupId=${g}\nartifactId=a\nversion=1", None),
        (b"artifactId=a\nversion=1", None),
    ],
)
def test_properties(body: bytes, expected: Pom | None) -> None:
    assert read_properties(body) == expected


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\3\4", b"PK\5\6"]))
def test_no_bytes_break_the_reading(body: bytes, begin: bytes) -> None:
    [archive] = read_archives(io.BytesIO(begin + body))
    assert archive.problem.endswith(".") or not archive.poms
    assert isinstance(read_version(body), str)
    assert isinstance(read_properties(body), Pom | None)
    assert isinstance(read_project(body), Pom | None)


WHOLE = jar({MANIFEST: manifest(), "lib/a.jar": CORE, **properties("g", "a", "1")})


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_damage_gives_packages_or_a_sentence(damage: list[tuple[int, int]]) -> None:
    damaged = bytearray(WHOLE)
    for place, value in damage:
        damaged[place] = value
    for archive in read_archives(io.BytesIO(bytes(damaged))):
        assert archive.poms or archive.problem.endswith(".") or not archive.problem
