"""Which packages of languages a package of the distribution owns."""

import base64
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.inventory.model import Evidence, Inventory, Package
from scanner.inventory.ownership import dpkg
from scanner.inventory.ownership.rpm import files_of
from scanner.inventory.ownership.telling import may_tell
from scanner.inventory.rpmdb.headers import parse_header

from tests.factories.images import (
    Member,
    dpkg_record,
    dpkg_status,
    file,
    layer,
    os_release,
    symlink,
    wheel,
)
from tests.factories.inventories import inventory, inventory_of
from tests.factories.jars import maven_jar
from tests.factories.programs import elf, inline_info
from tests.factories.rpms import Value, header, sqlite_database

WHEEL = wheel("requests", "2.28.1")
LIST = f"/{WHEEL.path}"
OTHER = file(WHEEL.path, WHEEL.body.replace(b"Text", b"Other text"))
RECORD = dpkg_record("python3-requests", "2.28.1+dfsg-1", source="requests", arch="all")
ALPINE = os_release(b"ID=alpine\nVERSION_ID=3.20.1\n")
ROCKY = os_release(b'ID="rocky"\nVERSION_ID="9.4"\n')


def md5(member: Member) -> str:
    return hashlib.md5(member.body, usedforsecurity=False).hexdigest()


def listed(*paths: str, package: str = "python3-requests") -> Member:
    """dpkg's list of the files of a package, their directories among them."""
    return file(f"var/lib/dpkg/info/{package}.list", "".join(f"{path}\n" for path in ("/.", "/usr", *paths)))


def summed(member: Member, package: str = "python3-requests", folder: str = "info") -> Member:
    return file(f"var/lib/dpkg/{folder}/{package}.md5sums", f"{md5(member)}  {member.path}\n")


def apk_database(path: str, checksum: str) -> Member:
    folder, _, name = path.rpartition("/")
    files = f"F:usr\nF:{folder}\nR:{name}\na:0:0:644\n{checksum}"
    return file("lib/apk/db/installed", f"P:py3-requests\nV:2.32.3-r0\nA:noarch\no:requests\n{files}\n\n")


def apk_sum(member: Member) -> str:
    return f"Z:Q1{base64.b64encode(hashlib.sha1(member.body, usedforsecurity=False).digest()).decode()}"


def rpm_database(path: str, digests: list[str] | None = None, **more: int) -> Member:
    folder, _, name = path.rpartition("/")
    values = {"FILE_DIGESTS": digests} if digests else {}
    one = header(
        "python3-requests",
        "1",
        "1",
        ARCH="noarch",
        SOURCE_RPM="python-requests-1-1.src.rpm",
        BASE_NAMES=["__init__.py", name],
        DIRECTORY_NAMES=["/usr/lib/", f"/{folder}/"],
        DIRECTORY_INDEXES=[0, 1],
        **values,
        **more,
    )
    return file("var/lib/rpm/rpmdb.sqlite", sqlite_database([one]))


def sha256(member: Member) -> str:
    return hashlib.sha256(member.body).hexdigest()


def owned(found: Inventory) -> list[tuple[str, str]]:
    """Owners, and their ecosystems, of the packages of languages."""
    return [(one.owner, one.owner_ecosystem) for one in _of_languages(found)]


def _of_languages(found: Inventory) -> list[Package]:
    return [one for one in found.packages if one.ecosystem in {"PyPI", "npm", "Maven"}]


GONE = dpkg_record("python3-requests", "1", status="deinstall ok config-files")
DISTROLESS = file("var/lib/dpkg/status.d/cHl0aG9u", RECORD)
DEBIAN = [os_release(), dpkg_status(RECORD)]
NOBODY = ("", "")
REQUESTS = ("requests", "Debian:12")


@pytest.mark.parametrize(
    ("members", "owner"),
    [
        ([*DEBIAN, listed(LIST)], REQUESTS),
        ([*DEBIAN, listed(LIST, package="python3-requests:all")], REQUESTS),
        ([*DEBIAN, summed(WHEEL)], REQUESTS),
        ([os_release(), DISTROLESS, summed(WHEEL, "cHl0aG9u", "status.d")], REQUESTS),
        ([ALPINE, apk_database(WHEEL.path, apk_sum(WHEEL))], ("requests", "Alpine:v3.20")),
        ([ALPINE, apk_database(WHEEL.path, "")], ("requests", "Alpine:v3.20")),
        ([ROCKY, rpm_database(WHEEL.path)], ("python3-requests", "Rocky Linux:9")),
        ([ROCKY, rpm_database(WHEEL.path, ["", sha256(WHEEL)], FILE_DIGEST_ALGORITHM=8)],
         ("python3-requests", "Rocky Linux:9")),
        ([ROCKY, rpm_database(WHEEL.path, ["", md5(WHEEL)])], ("python3-requests", "Rocky Linux:9")),
    ],
    ids=["list", "list of an architecture", "sums", "distroless", "apk", "apk, no digest", "rpm, no digest", "rpm",
         "rpm, MD5"],
)  # fmt: skip
def test_an_owned_package(members: list[Member], owner: tuple[str, str]) -> None:
    assert owned(inventory_of(*members, WHEEL)) == [owner]


@pytest.mark.parametrize(
    "members",
    [
        [*DEBIAN, summed(OTHER), listed(LIST)],
        [ALPINE, apk_database(WHEEL.path, apk_sum(OTHER))],
        [ALPINE, apk_database(WHEEL.path, "Z:Q1no base64")],
        [ROCKY, rpm_database(WHEEL.path, ["", sha256(OTHER)], FILE_DIGEST_ALGORITHM=8)],
        [ROCKY, rpm_database(WHEEL.path, [sha256(WHEEL), ""], FILE_DIGEST_ALGORITHM=8)],
    ],
    ids=["dpkg", "apk", "apk, an unreadable digest", "rpm", "rpm, a file made later"],
)
def test_a_file_with_another_content_is_nobodys(members: list[Member]) -> None:
    assert owned(inventory_of(*members, WHEEL)) == [NOBODY]


def test_a_file_that_a_later_layer_replaced_is_nobodys() -> None:
    base = layer(*DEBIAN, listed(LIST), WHEEL)
    assert owned(inventory(base, layer(OTHER))) == [NOBODY]
    assert owned(inventory(base, layer(WHEEL))) == [NOBODY], "nothing proves that it is the same"
    with_sums = layer(*DEBIAN, listed(LIST), summed(WHEEL), WHEEL)
    assert owned(inventory(with_sums, layer(OTHER))) == [NOBODY]
    assert owned(inventory(with_sums, layer(WHEEL))) == [REQUESTS], "its mode or owner was changed"


def test_many_digests_of_one_file_are_compared_with_one_that_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    new = hashlib.new

    def counted(name: str, content: bytes, *, usedforsecurity: bool) -> object:
        made.append(name)
        return new(name, content, usedforsecurity=usedforsecurity)

    monkeypatch.setattr(hashlib, "new", counted)
    wrong = "".join(f"{number:032x}  {WHEEL.path}\n" for number in range(1000))
    sums = file("var/lib/dpkg/info/python3-requests.md5sums", f"{wrong}{md5(WHEEL)}  {WHEEL.path}\n")
    assert owned(inventory_of(*DEBIAN, sums, WHEEL)) == [REQUESTS]
    assert made == ["md5"]


def test_an_owner_that_a_later_layer_upgraded() -> None:
    older = layer(os_release(), dpkg_status(dpkg_record("python3-requests", "1")), listed(LIST), OTHER)
    newer = layer(dpkg_status(RECORD), listed(LIST), WHEEL)
    assert owned(inventory(older, newer)) == [REQUESTS]


@pytest.mark.parametrize(
    "members",
    [
        [*DEBIAN, listed("/usr/lib/elsewhere/METADATA")],
        [*DEBIAN, listed(LIST, package="unknown")],
        [*DEBIAN, file("opt/var/lib/dpkg/info/python3-requests.list", f"/{WHEEL.path}\n")],
        [os_release(), dpkg_status(dpkg_record("x", "1"), GONE), listed(LIST)],
        [os_release(), dpkg_status(RECORD, dpkg_record("b", "1")), listed(LIST), listed(LIST, package="b")],
        [ALPINE, *DEBIAN[1:], listed(LIST)],
    ],
    ids=["another file", "no such package", "a lookalike", "removed", "of two", "of another distribution"],
)  # fmt: skip
def test_what_is_nobodys(members: list[Member]) -> None:
    assert owned(inventory_of(*members, WHEEL)) == [NOBODY]


def test_merged_directories_and_links() -> None:
    module = file("usr/lib/node_modules/a/package.json", '{"name": "a", "version": "1"}')
    merged = inventory_of(*DEBIAN, symlink("lib", "usr/lib"), listed("/lib/node_modules/a/package.json"), module)
    assert owned(merged) == [REQUESTS]
    archive = file("opt/mine/a.jar", maven_jar("g", "a", "1"))
    linked = inventory_of(*DEBIAN, listed("/usr/share/a.jar"), archive, symlink("usr/share/a.jar", "/opt/mine/a.jar"))
    assert owned(linked) == [NOBODY], "a link that is owned leads to a file that is not"


def test_archives_of_java_go_by_their_layer() -> None:
    archive = file("usr/share/java/a-1.jar", maven_jar("g", "a", "1", {"lib/b-2.jar": maven_jar("g", "b", "2")}))
    base = layer(*DEBIAN, listed(f"/{archive.path}"), summed(archive), archive)
    assert owned(inventory(base)) == [REQUESTS, REQUESTS], "that in it too"
    assert owned(inventory(base, layer(archive))) == [NOBODY, NOBODY]


def test_an_owned_package_stands_for_no_entry_of_the_lock_file_of_others() -> None:
    pipfile = '{"default": {"requests": {"version": "==2.28.1"}}}'
    members = [*DEBIAN, listed(LIST, "/usr/share/a/Pipfile.lock"), WHEEL, file("usr/share/a/Pipfile.lock", pipfile)]
    assert [one.path for one in _of_languages(inventory_of(*members))] == [WHEEL.path]
    found = _of_languages(inventory_of(*members, file("app/Pipfile.lock", pipfile)))
    assert sorted((one.path, one.owner) for one in found) == [("app/Pipfile.lock", ""), (WHEEL.path, "requests")]


def test_programs_go_by_their_layer() -> None:
    program = file("usr/bin/tool", elf({".go.buildinfo": inline_info("go1.22.1", "path\texample.com/tool\n")}))
    base = layer(*DEBIAN, listed("/usr/bin/tool"), summed(program), program)
    owners = {one.owner for one in inventory(base).packages if one.evidence is Evidence.BINARY}
    assert owners == {"requests"}
    replaced = inventory(base, layer(program)).packages
    assert {one.owner for one in replaced if one.evidence is Evidence.BINARY} == {""}


def test_packages_of_the_distribution_are_nobodys() -> None:
    found = inventory_of(*DEBIAN, listed("/var/lib/dpkg/status"), WHEEL)
    assert [one.owner for one in found.packages] == ["", ""]


@pytest.mark.parametrize("damage", [{"DIRECTORY_INDEXES": [0]}, {"DIRECTORY_INDEXES": [7, 7]}, {"BASE_NAMES": 3}])
def test_damaged_lists_of_rpm_lose_no_package(damage: dict[str, Value]) -> None:
    whole: dict[str, Value] = {"BASE_NAMES": ["METADATA", "x"], "DIRECTORY_NAMES": ["/a/"], "DIRECTORY_INDEXES": [0, 0]}
    one = header("python3-requests", "1", "1", **(whole | damage))
    found = inventory_of(ROCKY, file("var/lib/rpm/rpmdb.sqlite", sqlite_database([one])), WHEEL)
    assert (found.gaps, found.unreadable) == ((), ())
    assert sorted((package.name, package.owner) for package in found.packages) == [
        ("python3-requests", ""),
        ("requests", ""),
    ]


@pytest.mark.parametrize(
    "path",
    [
        WHEEL.path,
        "usr/lib/python3/dist-packages/a-1.egg-info",
        "usr/lib/python3/dist-packages/a-1.egg-info/PKG-INFO",
        "usr/share/nodejs/a/package.json",
        "usr/share/java/A.JAR",
        "usr/share/java/META-INF/maven/g/a/pom.properties",
        "usr/share/rubygems-integration/all/specifications/a-1.gemspec",
        "usr/lib/dotnet/a.deps.json",
        "usr/share/php/composer/installed.json",
        "opt/a/Cargo.lock",
        "usr/bin/python3.11",
        "usr/libexec/docker/cli-plugins/docker-buildx",
        "usr/lib/x86_64-linux-gnu/librsvg-2.so.2.48.0",
    ],
)
def test_what_is_kept_of_lists(path: str) -> None:
    assert may_tell(path)


@pytest.mark.parametrize("path", ["usr/share/doc/a/copyright", "usr/lib/python3/a.py", "usr/share/zoneinfo/UTC"])
def test_what_is_not_kept_of_lists(path: str) -> None:
    assert dpkg.essence(io.BytesIO(f"/{path}\n".encode())) is None


@given(st.binary(max_size=300), st.sampled_from(["list", "md5sums"]))
def test_garbage_in_the_place_of_a_list_of_dpkg(body: bytes, ending: str) -> None:
    assert owned(inventory_of(*DEBIAN, file(f"var/lib/dpkg/info/python3-requests.{ending}", body), WHEEL)) == [NOBODY]


@given(st.text(alphabet="FRZPVA:\nQ1/a=", max_size=100))
def test_garbage_in_a_record_of_apk(text: str) -> None:
    record = "P:a\nV:1-r0\nA:noarch\n"
    found = inventory_of(ALPINE, file("lib/apk/db/installed", record + text + "\n"), WHEEL)
    assert owned(found) == [NOBODY]


@given(st.lists(st.integers(0, 2**32 - 1), max_size=4), st.lists(st.sampled_from(["", "a", "METADATA"]), max_size=4))
def test_any_numbers_in_a_header_of_rpm(numbers: list[int], texts: list[str]) -> None:
    one = header("a", BASE_NAMES=texts, DIRECTORY_NAMES=texts, DIRECTORY_INDEXES=numbers, FILE_DIGESTS=texts)
    assert len(list(files_of(parse_header(one), ("a", "1", "noarch")))) <= len(texts)
