"""What the distribution's packages own is left to its advisories, as long as these speak of the owner."""

from dataclasses import replace

import pytest
from scanner.catalogue import ImageFilter
from scanner.exposure import FindingState, VulnerabilityFilter
from scanner.inventory.model import Package
from scanner.risk.model import RiskCause

from tests.factories.advisories import osv_record
from tests.factories.knowledge import OPERATOR, Knowledge
from tests.factories.outcomes import REPOSITORY, debian_package, digest_of, inventory, platform, python_package, scan_of

IMAGE = digest_of("image")
OF_PIP = debian_package("python3-requests", "2.28-1", source="requests")
FLAW = osv_record("PYSEC-1", package="requests", fixed="3.0")
OF_DEBIAN = osv_record("DSA-1", "Debian:12", "requests", fixed="1-1")
"""An advisory that speaks of the owner, though not of the version that is there."""


def owned(path: str = "", owner: str = "requests", ecosystem: str = "Debian:12") -> Package:
    return replace(python_package("requests", "2.28", path), owner=owner, owner_ecosystem=ecosystem)


async def scan(knowledge: Knowledge, *packages: Package, name: str = "image") -> int:
    """How many findings the image's risk counts."""
    return sum((await knowledge.scan(scan_of(platform(inventory(*packages), name)))).counts.by_severity)


async def seen(knowledge: Knowledge) -> list[object]:
    """What every question about the image and its vulnerability is answered with."""
    risk = await knowledge.risk(IMAGE)
    states = frozenset(FindingState)
    images, _ = await knowledge.viewer.images(OPERATOR, ImageFilter(), "", "PYSEC-1", None, 10)
    listed = [
        [(one.vulnerability.name, one.images) for _, one in found.records]
        for repository in ("", REPOSITORY)
        if (found := await knowledge.viewer.vulnerabilities(OPERATOR, VulnerabilityFilter(), repository, None, 10))
    ]
    return [
        sum(risk.counts.by_severity),
        [(one.vulnerability.name, one.package.path) for one in await knowledge.findings(IMAGE, states=states)],
        [image.digest for image in images.records],
        *listed,
        (await knowledge.viewer.vulnerability(OPERATOR, "PYSEC-1")).images,
    ]


NOTHING: list[object] = [0, [], [], [], [], 0]


def once(path: str) -> list[object]:
    return [1, [("PYSEC-1", path)], [IMAGE], [("PYSEC-1", 1)], [("PYSEC-1", 1)], 1]


async def test_what_is_owned_is_left_to_the_distribution(knowledge: Knowledge) -> None:
    await knowledge.learn(FLAW)
    await knowledge.learn(OF_DEBIAN)
    await scan(knowledge, OF_PIP, owned())
    assert await seen(knowledge) == NOTHING


async def test_a_copy_that_nobody_owns_counts_once(knowledge: Knowledge) -> None:
    await knowledge.learn(FLAW)
    await knowledge.learn(OF_DEBIAN)
    await scan(knowledge, OF_PIP, owned(), python_package("requests", "2.28", "app/METADATA"))
    assert await seen(knowledge) == once("app/METADATA")


async def test_another_image_with_a_copy_of_its_own(knowledge: Knowledge) -> None:
    await knowledge.learn(FLAW)
    await knowledge.learn(OF_DEBIAN)
    assert await scan(knowledge, OF_PIP, owned()) == 0
    assert await scan(knowledge, python_package("requests", "2.28", "app/METADATA"), name="other") == 1
    found = (await knowledge.viewer.vulnerabilities(OPERATOR, VulnerabilityFilter(), "", None, 10)).records
    assert [(one.vulnerability.name, one.images) for _, one in found] == [("PYSEC-1", 1)]


@pytest.mark.parametrize(
    "advisory",
    [
        osv_record("DSA-1", "Debian:12", "other"),
        osv_record("DSA-1", "Debian:11", "requests"),
        osv_record("PYSEC-2", "PyPI", "requests", introduced="9"),
        osv_record("DSA-1", "Debian:12", "requests", withdrawn="2026-06-30T00:00:00Z"),
    ],
    ids=["of another package", "of another release", "of another ecosystem", "withdrawn"],
)
async def test_an_owner_that_no_advisory_speaks_of_hides_nothing(knowledge: Knowledge, advisory: object) -> None:
    await knowledge.learn(FLAW)
    await knowledge.learn(advisory, ecosystems=("Debian", "PyPI"))  # type: ignore[arg-type]
    await scan(knowledge, OF_PIP, owned())
    assert await seen(knowledge) == once(owned().path)


async def test_an_advisory_of_all_releases(knowledge: Knowledge) -> None:
    await knowledge.learn(FLAW)
    await knowledge.learn(osv_record("X-1", "Debian", "requests"), ecosystems=("Debian",))
    assert await scan(knowledge, owned()) == 0
    assert await scan(knowledge, owned(ecosystem="Debian Edge:12"), name="of another that begins alike") == 1


async def test_an_import_that_brings_the_first_advisory_of_an_owner_and_one_that_takes_it_back(
    knowledge: Knowledge,
) -> None:
    await knowledge.learn(FLAW)
    await scan(knowledge, owned())
    assert await seen(knowledge) == once(owned().path)

    brought = await knowledge.learn(OF_DEBIAN, osv_record("DSA-2", "Debian:12", "other"))
    assert brought.images_changed == 1
    assert await seen(knowledge) == NOTHING

    knowledge.advance(hours=1)
    await knowledge.learn(osv_record("DSA-2", "Debian:12", "other"), complete=True, as_of=knowledge.clock.now())
    assert await seen(knowledge) == once(owned().path)
    view = await knowledge.viewer.image(OPERATOR, REPOSITORY, IMAGE)
    assert [change.cause for change in view.changes] == [RiskCause.IMPORT, RiskCause.IMPORT, RiskCause.SCAN]


async def test_images_of_other_owners_are_not_assessed_again(knowledge: Knowledge) -> None:
    await knowledge.learn(FLAW)
    await scan(knowledge, owned(owner="other"))
    await scan(knowledge, owned(ecosystem="Ubuntu:22.04:LTS"), name="ubuntu")
    assert (await knowledge.learn(OF_DEBIAN)).images_changed == 0


async def test_inventories_with_and_without_owners_are_two(knowledge: Knowledge) -> None:
    await knowledge.learn(FLAW)
    await knowledge.learn(OF_DEBIAN)
    assert await scan(knowledge, owned()) == 0
    assert await scan(knowledge, replace(owned(), owner="", owner_ecosystem=""), name="bare") == 1
