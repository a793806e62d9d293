"""Documents that lie beside an image in its registry: found, read as claims, and never the end of a scan."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanner.catalogue import ClaimSummary
from scanner.claims.statements import document_of
from scanner.errors import InventoryMalformed
from scanner.inventory.model import Evidence, Origin
from scanner.pulling import attached
from scanner.risk.model import RiskState
from scanner.scan_records import ScanState

from tests.factories.documents import cyclonedx, spdx
from tests.factories.images import OCI_MANIFEST, Image, debian, digest_of, image, layer, os_release, wheel
from tests.factories.scanning import Scanning
from tests.fakes.registry import status

CYCLONEDX = "application/vnd.cyclonedx+json"
SPDX = "application/spdx+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
EVIL = "pkg:npm/evil@1.0"


def attach(
    bench: Scanning,
    body: bytes,
    kind: str,
    *,
    subject: Image | None = None,
    tag: str = "",
    annotations: Mapping[str, str] | None = None,
    **layer: Any,
) -> str:
    """Let a document refer to an image, or stand at a tag; returns the digest of its blob."""
    bench.registry.put_blob("app", b"{}")
    descriptor = {"mediaType": kind, "digest": bench.registry.put_blob("app", body), "size": len(body)} | layer
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2},
        "layers": [descriptor],
    }
    if subject:
        named = {"mediaType": subject.media_type, "digest": subject.digest, "size": len(subject.body)}
        manifest |= {"artifactType": kind, "subject": named, "annotations": dict(annotations or {})}
    bench.registry.put_manifest("app", OCI_MANIFEST, json.dumps(manifest).encode(), tag)
    return digest_of(body)


def sealed(document: bytes, about: str, kind: str = "https://cyclonedx.org/bom") -> bytes:
    """An attestation of a document, as cosign stores it."""
    subject = [{"name": "app", "digest": {"sha256": about.removeprefix("sha256:")}}]
    statement = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind, "subject": subject}
    payload = json.dumps(statement | {"predicate": json.loads(document)}).encode()
    envelope = {"payloadType": "application/vnd.in-toto+json", "payload": base64.b64encode(payload).decode()}
    return json.dumps(envelope | {"signatures": []}).encode()


def companion(made: Image, suffix: str) -> str:
    return made.digest.replace(":", "-") + suffix


async def scan(bench: Scanning, made: Image) -> tuple[set[tuple[str, Evidence]], tuple[ClaimSummary, ...]]:
    """What was found and claimed of an image, by a scan that succeeded."""
    assert (await bench.scan(made)).state is ScanState.SUCCEEDED
    async with bench.store.read() as unit:
        stored = await unit.inventories.newest(bench.repository(), made.digest)
        assert stored is not None
        packages = await unit.inventories.every_package(stored.package_set)
    return {(one.name, one.evidence) for one in packages}, stored.details.claims


BOTH = {("bash", Evidence.DATABASE), ("evil", Evidence.CLAIM)}
ALONE = {("bash", Evidence.DATABASE)}


@pytest.mark.parametrize(("body", "kind"), [(cyclonedx(EVIL), CYCLONEDX), (spdx(EVIL), SPDX)])
async def test_a_referrer_is_read_as_a_claim(bench: Scanning, body: bytes, kind: str) -> None:
    made = debian()
    document = attach(bench, body, kind, subject=made)
    packages, (claim,) = await scan(bench, made)
    assert packages == BOTH
    assert (claim.document, claim.origin, claim.packages, claim.problem) == (document, Origin.ATTACHED, 1, "")


@pytest.mark.parametrize("kind", ["https://cyclonedx.org/bom/v1.5", "https://spdx.dev/Document"])
async def test_what_cosign_attaches_and_attests(bench: Scanning, kind: str) -> None:
    made = debian()
    attach(bench, spdx("pkg:npm/other@1.0"), "text/spdx+json", tag=companion(made, ".sbom"))
    attach(bench, sealed(cyclonedx(EVIL), made.digest, kind), ENVELOPE, tag=companion(made, ".att"))
    packages, claims = await scan(bench, made)
    assert packages == BOTH | {("other", Evidence.CLAIM)}
    assert [claim.problem for claim in claims] == ["", ""]


async def test_a_bundle_that_attests_a_document(bench: Scanning) -> None:
    made = debian()
    for kind in ("https://cyclonedx.org/bom", "https://slsa.dev/provenance/v1"):
        bundle = json.dumps({"dsseEnvelope": json.loads(sealed(cyclonedx(EVIL), made.digest, kind))}).encode()
        attach(bench, bundle, BUNDLE, subject=made, annotations={"dev.sigstore.bundle.predicateType": kind})
    packages, (claim,) = await scan(bench, made)
    assert (packages, claim.problem) == (BOTH, "")


async def test_the_same_document_twice_counts_once(bench: Scanning) -> None:
    made = debian()
    attach(bench, cyclonedx(EVIL), CYCLONEDX, subject=made)
    attach(bench, cyclonedx(EVIL), CYCLONEDX, tag=companion(made, ".sbom"))
    packages, claims = await scan(bench, made)
    assert (packages, len(claims)) == (BOTH, 1)


async def test_what_is_no_document_is_no_claim(bench: Scanning) -> None:
    made = debian()
    attach(bench, cyclonedx(EVIL), "application/vnd.example+json", subject=made)
    attach(bench, sealed(b"{}", made.digest, "https://slsa.dev/provenance/v1"), ENVELOPE, tag=companion(made, ".att"))
    assert await scan(bench, made) == (ALONE, ())


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "can't be read"),
        (b"\x00" * 100, "can't be read"),
        (b'{"bomFormat": "CycloneDX", "specVersion": "9"}', "neither"),
        (b'{"a":' * 5000, "can't be read"),
        (cyclonedx(components=[{"purl": 1}]), "can't be read"),
    ],
)
async def test_a_broken_one_is_named_and_fails_nothing(bench: Scanning, body: bytes, problem: str) -> None:
    made = debian()
    document = attach(bench, body, CYCLONEDX, subject=made)
    packages, (claim,) = await scan(bench, made)
    assert packages == ALONE
    assert (claim.document, claim.packages) == (document, 0)
    assert problem in claim.problem
    risk = await bench.risk(made.digest)
    assert (risk.state, risk.unreadable) == (RiskState.SCANNED, 0)


async def test_an_attestation_about_another_image_says_nothing(bench: Scanning) -> None:
    made = debian()
    attach(bench, sealed(cyclonedx(EVIL), digest_of(b"another")), ENVELOPE, tag=companion(made, ".att"))
    packages, (claim,) = await scan(bench, made)
    assert packages == ALONE
    assert "another image" in claim.problem


async def test_bytes_that_are_missing_or_wrong_or_too_many(bench: Scanning) -> None:
    made = debian()
    attach(bench, cyclonedx(EVIL), CYCLONEDX, subject=made, digest=digest_of(b"nowhere"))
    attach(bench, spdx(EVIL), SPDX, subject=made, size=2**40)
    packages, claims = await scan(bench, made)
    assert packages == ALONE
    assert len([claim for claim in claims if claim.problem]) == 2


@pytest.mark.parametrize("code", [401, 403, 429, 500, 503])
async def test_a_registry_that_refuses_to_list_them(bench: Scanning, code: int) -> None:
    made = debian()
    bench.registry.faults["GET", f"/v2/app/referrers/{made.digest}"] = status(code)
    attach(bench, cyclonedx(EVIL), CYCLONEDX, tag=companion(made, ".sbom"))
    packages, (unlisted, read) = await scan(bench, made)
    assert packages == BOTH
    assert "can't be listed" in unlisted.problem
    assert read.problem == ""


async def test_few_are_read(bench: Scanning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached, "MOST_DOCUMENTS", 2)
    made = debian()
    for number in range(5):
        attach(bench, cyclonedx(f"pkg:npm/p{number}@1"), CYCLONEDX, subject=made)
    _, claims = await scan(bench, made)
    assert [claim.problem for claim in claims] == ["", "", "Of the documents beside the image, 2 are read."]


async def test_of_few_packages(bench: Scanning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached, "MOST_PACKAGES", 1)
    made = debian()
    attach(bench, cyclonedx("pkg:npm/a@1", "pkg:npm/b@1"), CYCLONEDX, subject=made)
    packages, (claim,) = await scan(bench, made)
    assert packages == ALONE
    assert "more than" in claim.problem


async def test_a_claim_makes_nothing_look_better(bench: Scanning) -> None:
    incomplete = image(layer(os_release(), wheel("demo", "1.0")))
    attach(bench, cyclonedx("pkg:deb/debian/bash@5.2?distro=debian-12"), CYCLONEDX, subject=incomplete)
    packages, _ = await scan(bench, incomplete)
    assert packages == {("demo", Evidence.METADATA), ("bash", Evidence.CLAIM)}
    assert (await bench.risk(incomplete.digest)).state is RiskState.INCOMPLETE
    strange = image(layer(os_release(b'ID=plan9\nPRETTY_NAME="Plan 9"\n')))
    attach(bench, cyclonedx(EVIL), CYCLONEDX, subject=strange)
    await scan(bench, strange)
    assert (await bench.risk(strange.digest)).state is RiskState.UNSUPPORTED


@given(
    st.binary(max_size=100)
    | st.binary(max_size=100).map(
        lambda body: json.dumps({"payloadType": "x", "payload": base64.b64encode(body).decode()}).encode()
    )
)
def test_any_bytes_are_no_attestation(body: bytes) -> None:
    with pytest.raises(InventoryMalformed):
        document_of(body, digest_of(b""))
