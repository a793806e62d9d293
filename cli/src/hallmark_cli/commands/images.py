"""images: what is known of each image's risk."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import click
from hallmark.common.v1.severity_pb2 import Severity
from hallmark.scanner.v1 import image_service_pb2 as pb
from hallmark.scanner.v1.finding_service_pb2_grpc import FindingServiceStub
from hallmark.scanner.v1.image_pb2 import Image, ImagePlatform, LayerOrigin
from hallmark.scanner.v1.image_service_pb2_grpc import ImageServiceStub
from hallmark.scanner.v1.inventory_pb2 import Claim, ClaimOrigin, InventoryHeader
from hallmark.scanner.v1.risk_pb2 import IMAGE_RISK_STATE_SCANNED, ImageRisk, ImageRiskState, RiskCause
from hallmark.scanner.v1.scan_service_pb2 import ImportInventoryRequest
from hallmark.scanner.v1.scan_service_pb2_grpc import ScanServiceStub

from hallmark_cli import archives, output, references
from hallmark_cli.commands import risks
from hallmark_cli.connection import Connection
from hallmark_cli.failures import Refused
from hallmark_cli.listing import EVERYTHING, collect
from hallmark_cli.messages import moment, plain, word
from hallmark_cli.options import EnumWord, limited, output_form, speaks_as


@click.group()
def images() -> None:
    """Images, and their risk as of now."""


@images.command("list")
@click.option("--repository", default="", help="Only this one, host/repository.")
@click.option("--state", "states", type=EnumWord(risks.STATE), multiple=True, help="Only images of this state.")
@click.option("--severity", "severities", type=EnumWord(risks.SEVERITY), multiple=True, help="Only of this risk level.")
@click.option("--package", default="", help="Only those that hold this package.")
@click.option("--vulnerability", default="", help="Only those with an open finding of it.")
@limited
@output_form
@speaks_as("auditor")
def list_(
    connection: Connection,
    repository: str,
    states: tuple[ImageRiskState.ValueType, ...],
    severities: tuple[Severity.ValueType, ...],
    package: str,
    vulnerability: str,
    limit: int,
    form: str,
) -> None:
    """List images, the one recorded last first."""
    conditions = pb.ListImagesRequest(
        repository=repository,
        states=states,
        worst_severities=severities,
        package=package,
        vulnerability_id=vulnerability,
    )
    with connection.to("scanner") as channel:
        found = find(ImageServiceStub(channel), conditions, limit)
    if form == "json":
        output.document(found)
    else:
        show_images(found)


@images.command()
@click.argument("reference", metavar="REF")
@click.option("--severity", "severities", type=EnumWord(risks.SEVERITY), multiple=True, help="Only these findings.")
@limited
@output_form
@speaks_as("auditor")
def show(
    connection: Connection, reference: str, severities: tuple[Severity.ValueType, ...], limit: int, form: str
) -> None:
    """Show an image: its risk, its platforms, how its risk changed, and its open findings.

    REF is host/repository@digest, or host/repository:tag for the image that the tag was last seen at.
    """
    with connection.to("scanner") as channel:
        stub = ImageServiceStub(channel)
        repository, digest = located(stub, reference)
        answer = stub.GetImage(pb.GetImageRequest(repository=repository, digest=digest))
        findings = risks.findings_of(FindingServiceStub(channel), repository, digest, severities, limit)
    if form == "json":
        output.document({**plain(answer), "findings": [plain(finding) for finding in findings]})
        return
    _show(answer)
    if findings:
        output.paragraph("")
        risks.show_findings(findings)
    else:
        output.note(_without_findings(answer.image.risk, severities))


@images.command("import")
@click.argument("reference", metavar="REF")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Let it take the place of every document given before.")
@output_form
@speaks_as("operator")
def import_(connection: Connection, reference: str, file: Path, replace: bool, form: str) -> None:
    """Add what a document says is in an image: CycloneDX or SPDX, in JSON.

    REF is host/repository@digest, or host/repository:tag for the image that the tag was last seen at.
    A document is a claim: it adds packages and removes none. Later scans keep it.
    """
    with file.open("rb") as document, connection.to("scanner") as channel:
        repository, digest = located(ImageServiceStub(channel), reference)
        header = InventoryHeader(repository=repository, digest=digest, replace=replace)
        answer = ScanServiceStub(channel).ImportInventory(_parts(header, document))
    if form == "json":
        output.document(answer)
        return
    claim = answer.claim
    output.fields(
        [
            ("image", f"{repository}@{answer.digest}"),
            ("document", f"{claim.format} {claim.document}"),
            ("packages", f"{claim.packages}, {answer.added} of them known by claims alone"),
            *(("left out", f"{count}: {reason}") for reason, count in sorted(claim.left_out.items())),
        ]
    )


def _parts(header: InventoryHeader, document: IO[bytes]) -> Iterator[ImportInventoryRequest]:
    yield ImportInventoryRequest(header=header)
    for chunk in archives.chunks(document):
        yield ImportInventoryRequest(chunk=chunk)


def find(stub: ImageServiceStub, conditions: pb.ListImagesRequest, limit: int) -> list[Image]:
    """The first images of which the conditions hold."""

    def page(size: int, token: str) -> tuple[list[Image], str]:
        request = pb.ListImagesRequest(page_size=size, page_token=token)
        request.MergeFrom(conditions)
        answer = stub.ListImages(request)
        return list(answer.images), answer.next_page_token

    return collect(page, limit)


def located(stub: ImageServiceStub, text: str) -> tuple[str, str]:
    """Repository and digest of a reference; a tag stands for the image that it was last seen at."""
    reference = references.split(text)
    if reference.digest:
        return reference.repository, reference.digest
    tag = reference.tag or "latest"
    for image in find(stub, pb.ListImagesRequest(repository=reference.repository), EVERYTHING):
        if tag in image.tags:
            return reference.repository, image.digest
    raise Refused(f"No image is known under {reference.repository}:{tag}. `hallmark scan` looks at it.", "NOT_FOUND")


def show_images(found: list[Image]) -> None:
    """Print images as a table."""
    rows = [
        (
            image.repository,
            ", ".join(image.tags) or "-",
            image.digest,
            risks.state(image.risk.state),
            risks.severity(image.risk.worst_severity) if image.risk.risk_digest else "-",
            risks.counts(image.risk.counts) if image.risk.risk_digest else "-",
        )
        for image in found
    ]
    output.table(("REPOSITORY", "TAGS", "DIGEST", "STATE", "RISK LEVEL", "FINDINGS"), rows)


def _without_findings(risk: ImageRisk, severities: tuple[Severity.ValueType, ...]) -> str:
    if risk.state != IMAGE_RISK_STATE_SCANNED:
        return f"No findings are known, which says nothing: the image is {risks.state(risk.state)}."
    return f"No open findings{' of these severities' * bool(severities)}."


def _layers(platforms: Iterable[ImagePlatform]) -> list[tuple[str, str, str]]:
    """Each layer once, with where it comes from."""
    origins = {
        layer: origin
        for platform in platforms
        for layer, origin in zip(platform.layers, platform.layer_origins, strict=False)
    }
    return [(layer, _base(origin), origin.created_by or "-") for layer, origin in origins.items()]


def _base(origin: LayerOrigin) -> str:
    return f"{origin.base_image or '-'}{' (claimed)' * origin.base_claimed}"


def _show(answer: pb.GetImageResponse) -> None:
    image = answer.image
    risks.show_risk(image.risk, image.feed_set if image.HasField("feed_set") else None)
    output.fields(
        [
            ("tags", ", ".join(image.tags)),
            ("scanned", moment(image.last_scanned) if image.HasField("last_scanned") else "never"),
            ("feeds as of", moment(image.feed_set.as_of) if image.feed_set.HasField("as_of") else ""),
        ]
    )
    rows = [
        (
            one.platform,
            one.digest,
            one.distribution or "-",
            ", ".join(f"{count} {ecosystem}" for ecosystem, count in sorted(one.packages.items())) or "none",
        )
        for one in answer.platforms
    ]
    output.section(("PLATFORM", "DIGEST", "DISTRIBUTION", "PACKAGES"), rows)
    output.section(("LAYER", "BASE IMAGE", "MADE BY (AS THE IMAGE SAYS)"), _layers(answer.platforms))
    claims = [_claim(one.platform, claim) for one in answer.platforms for claim in one.claims]
    output.section(("PLATFORM", "DOCUMENT", "FORMAT", "ORIGIN", "PACKAGES", "LEFT OUT"), claims)
    changes = [
        (
            moment(change.time),
            f"{word(RiskCause.DESCRIPTOR, change.cause)} {change.cause_id}",
            risks.state(change.state),
            risks.severity(change.worst_severity),
            risks.counts(change.counts),
        )
        for change in answer.risk_changes
    ]
    output.section(("SINCE", "CAUSE", "STATE", "RISK LEVEL", "FINDINGS"), changes)


def _claim(platform: str, claim: Claim) -> tuple[str, ...]:
    left_out = claim.problem or str(sum(claim.left_out.values()))
    origin = word(ClaimOrigin.DESCRIPTOR, claim.origin) or ""
    return platform, claim.document, claim.format or "-", origin, str(claim.packages), left_out
