"""vulns: the vulnerabilities behind the findings."""

import click
from hallmark.common.v1.severity_pb2 import Severity
from hallmark.scanner.v1 import finding_service_pb2 as pb
from hallmark.scanner.v1.finding_service_pb2_grpc import FindingServiceStub
from hallmark.scanner.v1.image_service_pb2 import ListImagesRequest
from hallmark.scanner.v1.image_service_pb2_grpc import ImageServiceStub
from hallmark.scanner.v1.vulnerability_pb2 import Rating, Vulnerability

from hallmark_cli import output
from hallmark_cli.commands import risks
from hallmark_cli.commands.images import find, show_images
from hallmark_cli.connection import Connection
from hallmark_cli.listing import collect
from hallmark_cli.messages import moment, plain
from hallmark_cli.options import EnumWord, limited, output_form, speaks_as


@click.group()
def vulns() -> None:
    """Vulnerabilities found in images."""


@vulns.command("list")
@click.option("--repository", default="", help="Only in this one, host/repository.")
@click.option("--package", default="", help="Only in this package.")
@click.option("--severity", "severities", type=EnumWord(risks.SEVERITY), multiple=True, help="Only of this severity.")
@limited
@output_form
@speaks_as("auditor")
def list_(
    connection: Connection,
    repository: str,
    package: str,
    severities: tuple[Severity.ValueType, ...],
    limit: int,
    form: str,
) -> None:
    """List the vulnerabilities that have an open finding, the worst first."""
    with connection.to("scanner") as channel:
        stub = FindingServiceStub(channel)

        def page(size: int, token: str) -> tuple[list[Vulnerability], str]:
            request = pb.ListVulnerabilitiesRequest(
                page_size=size, page_token=token, repository=repository, package=package, severities=severities
            )
            answer = stub.ListVulnerabilities(request)
            return list(answer.vulnerabilities), answer.next_page_token

        found = collect(page, limit)
    if form == "json":
        output.document(found)
        return
    rows = [
        (risks.severity(one.severity), one.vulnerability_id, str(one.images), one.title or "-", _link(one))
        for one in found
    ]
    output.table(("SEVERITY", "VULNERABILITY", "IMAGES", "TITLE", "LINK"), rows)


@vulns.command()
@click.argument("vulnerability", metavar="CVE")
@limited
@output_form
@speaks_as("auditor")
def show(connection: Connection, vulnerability: str, limit: int, form: str) -> None:
    """Show a vulnerability, by its name or an alias, and the images that have it."""
    with connection.to("scanner") as channel:
        request = pb.GetVulnerabilityRequest(vulnerability_id=vulnerability)
        found = FindingServiceStub(channel).GetVulnerability(request).vulnerability
        affected = find(ImageServiceStub(channel), ListImagesRequest(vulnerability_id=vulnerability), limit)
    if form == "json":
        output.document({"vulnerability": plain(found), "images": [plain(image) for image in affected]})
        return
    _show(found)
    output.paragraph("")
    show_images(affected)


def _show(found: Vulnerability) -> None:
    output.fields(
        [
            ("vulnerability", found.vulnerability_id),
            ("also known as", ", ".join(found.aliases)),
            ("title", found.title),
            ("severity", risks.severity(found.severity)),
            ("ratings", "; ".join(map(_rating, found.ratings))),
            ("advisories", ", ".join(found.advisory_ids)),
            ("published", moment(found.published) if found.HasField("published") else ""),
            ("modified", moment(found.modified) if found.HasField("modified") else ""),
            *(("link", link.url) for link in found.links),
        ]
    )
    if found.description:
        output.paragraph(f"\n{found.description}\n\n(described by {found.description_source})")


def _rating(rating: Rating) -> str:
    scored = f" {rating.score:.1f}" if rating.HasField("score") else ""
    return f"{risks.severity(rating.severity)}{scored} {rating.vector} ({rating.source})"


def _link(found: Vulnerability) -> str:
    return found.links[0].url if found.links else "-"
