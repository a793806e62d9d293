"""scan, scans: reading images, now or in the past."""

from collections.abc import Iterator

import click
import grpc
from hallmark.common.v1.severity_pb2 import Severity
from hallmark.scanner.v1 import image_service_pb2, inventory_pb2, risk_pb2, scan_pb2
from hallmark.scanner.v1 import scan_service_pb2 as pb
from hallmark.scanner.v1.finding_pb2 import Finding
from hallmark.scanner.v1.finding_service_pb2_grpc import FindingServiceStub
from hallmark.scanner.v1.image_service_pb2_grpc import ImageServiceStub
from hallmark.scanner.v1.scan_service_pb2_grpc import ScanServiceStub

from hallmark_cli import output
from hallmark_cli.commands import risks
from hallmark_cli.connection import Connection
from hallmark_cli.failures import CouldNotTell, Misused, Refused
from hallmark_cli.listing import collect
from hallmark_cli.localimages import LocalImage, archive_of, local_image
from hallmark_cli.messages import moment, plain, word
from hallmark_cli.options import EnumWord, limited, output_form, output_forms, speaks_as
from hallmark_cli.progress import gauge

PHASE = scan_pb2.ScanPhase.DESCRIPTOR
STATE = scan_pb2.ScanState.DESCRIPTOR
TRIGGER = scan_pb2.ScanTrigger.DESCRIPTOR
DOCUMENTS = {
    "cyclonedx": inventory_pb2.INVENTORY_FORMAT_CYCLONEDX_1_6,
    "spdx": inventory_pb2.INVENTORY_FORMAT_SPDX_2_3,
}


@click.command()
@click.argument("reference", metavar="REF")
@click.option("--wait", is_flag=True, help="Wait until it has ended, and show what was found.")
@click.option(
    "--fail-on",
    type=EnumWord(risks.SEVERITY, without=("UNKNOWN",)),
    help="Wait; the answer is no where a finding is this bad or worse. One of unknown severity counts as CRITICAL.",
)
@click.option("--force", is_flag=True, help="Read the image again although it was read before.")
@click.option("--name", default="", help="What an image from files is to be known by, path[:tag].")
@click.option("--image", "which", default="", help="Which image, by name or digest, where the files hold several.")
@click.option("--platform", default="", help="Which document of an index: a platform, or its manifest's digest.")
@limited
@output_forms(*DOCUMENTS)
@speaks_as("developer")
def scan(
    connection: Connection,
    reference: str,
    wait: bool,
    fail_on: Severity.ValueType | None,
    force: bool,
    name: str,
    which: str,
    platform: str,
    limit: int,
    form: str,
) -> None:
    """Scan an image.

    REF is host/repository@digest, or host/repository:tag; or oci:DIR, an OCI image layout on this machine, or
    archive:FILE, one in an archive, or what `docker save` writes. The image of these is known as archive.invalid/NAME;
    NAME is made of the file's unless given. `-o cyclonedx` and `-o spdx` wait, and print the inventory as
    a document: CycloneDX 1.6 or SPDX 2.3, in JSON.
    """
    with connection.to("scanner") as channel:
        local = local_image(reference)
        if local is None:
            _demand_none(name, which)
            asked = ScanServiceStub(channel).ScanImage(pb.ScanImageRequest(image=reference, force=force)).scan
        else:
            header = pb.ArchiveHeader(name=name or local.name, image=which)
            asked = _sent(channel, header, local)
        if not wait and fail_on is None and form not in DOCUMENTS:
            _show_asked(asked, form)
            return
        ended = _await_end(channel, asked.scan_id)
        request = image_service_pb2.GetImageRiskRequest(repository=ended.repository, digest=ended.digest)
        answer = ImageServiceStub(channel).GetImageRisk(request)
        if form in DOCUMENTS:
            _print_document(channel, ended, form, platform)
        else:
            known = answer.image_risk.risk_digest != ""
            stub = FindingServiceStub(channel)
            findings = risks.findings_of(stub, ended.repository, ended.digest, (), limit) if known else []
            _show_outcome(ended, answer, findings, form)
    judge(ended, answer.image_risk, fail_on)


def _demand_none(name: str, which: str) -> None:
    if name or which:
        raise Misused("--name and --image are for oci:DIR and archive:FILE alone.")


def _sent(channel: grpc.Channel, header: pb.ArchiveHeader, local: LocalImage) -> scan_pb2.Scan:
    """Send an archive; returns the scan that is asked for thereby."""

    def requests() -> Iterator[pb.ScanArchiveRequest]:
        yield pb.ScanArchiveRequest(header=header)
        done = 0
        for chunk in archive_of(local):
            yield pb.ScanArchiveRequest(chunk=chunk)
            done += len(chunk)
            progress.show("sending", min(done, local.size), local.size)

    with gauge() as progress:
        return ScanServiceStub(channel).ScanArchive(requests()).scan


def judge(ended: scan_pb2.Scan, risk: risk_pb2.ImageRisk, limit: int | None) -> None:
    """Return where the image was looked into and nothing is as bad as the limit. Raises a Failure otherwise."""
    if limit is not None and _reaches(risk, limit):
        raise Refused(f"The risk level is {risks.severity(risk.worst_severity)}.", "SEVERITY_EXCEEDED")
    if ended.state != scan_pb2.SCAN_STATE_SUCCEEDED:
        raise CouldNotTell(f"The scan failed: {ended.failure.message}", "SCAN_FAILED")
    if risk.state != risk_pb2.IMAGE_RISK_STATE_SCANNED:
        raise CouldNotTell(f"The image is {risks.state(risk.state)}: {' '.join(risk.reasons)}", "NOT_SCANNED")


def _reaches(risk: risk_pb2.ImageRisk, limit: int) -> bool:
    # The enum's numbers rise as severities get milder; an unrated finding counts as the worst.
    ranked = 0 < risk.worst_severity <= limit and risk.worst_severity != Severity.SEVERITY_UNKNOWN
    return ranked or risk.counts.unknown > 0


def _await_end(channel: grpc.Channel, scan_id: str) -> scan_pb2.Scan:
    with gauge() as progress:
        for answer in ScanServiceStub(channel).WatchScan(pb.WatchScanRequest(scan_id=scan_id)):
            at = answer.progress
            if answer.HasField("scan"):
                return answer.scan
            progress.show((word(PHASE, at.phase) or "").lower(), at.bytes, at.bytes_total)
    raise CouldNotTell(f"The scanner stopped telling of the scan {scan_id}. `hallmark scans show` asks again.")


def _print_document(channel: grpc.Channel, ended: scan_pb2.Scan, form: str, platform: str) -> None:
    """Print the inventory that a scan gave; nothing where it failed."""
    if ended.state != scan_pb2.SCAN_STATE_SUCCEEDED:
        return
    request = pb.ExportScanRequest(scan_id=ended.scan_id, format=DOCUMENTS[form], platform=platform)
    for answer in ScanServiceStub(channel).ExportScan(request):
        output.piece(answer.chunk)


def _show_asked(asked: scan_pb2.Scan, form: str) -> None:
    if form == "json":
        output.document({"scan": plain(asked), "image_risk": None, "findings": None})
    else:
        _show(asked)


def _show_outcome(
    ended: scan_pb2.Scan, answer: image_service_pb2.GetImageRiskResponse, findings: list[Finding], form: str
) -> None:
    if form == "json":
        listed = [plain(finding) for finding in findings]
        output.document({"scan": plain(ended), "image_risk": plain(answer.image_risk), "findings": listed})
        return
    risks.show_risk(answer.image_risk, answer.feed_set if answer.HasField("feed_set") else None)
    if ended.HasField("failure"):
        output.fields([("this scan", f"{word(STATE, ended.state)}: {ended.failure.message}")])
    if findings:
        output.paragraph("")
        risks.show_findings(findings)


@click.group()
def scans() -> None:
    """Readings of images that are or were done."""


@scans.command("list")
@click.option("--repository", default="", help="Only of this one, host/repository.")
@click.option("--digest", default="", help="Only of this manifest or index.")
@click.option("--target", default="", help="Only of this target.")
@click.option("--state", "states", type=EnumWord(STATE), multiple=True, help="Only in this state.")
@click.option("--trigger", "triggers", type=EnumWord(TRIGGER), multiple=True, help="Only what this made begin.")
@limited
@output_form
@speaks_as("auditor")
def list_(
    connection: Connection,
    repository: str,
    digest: str,
    target: str,
    states: tuple[scan_pb2.ScanState.ValueType, ...],
    triggers: tuple[scan_pb2.ScanTrigger.ValueType, ...],
    limit: int,
    form: str,
) -> None:
    """List scans, the newest first."""
    with connection.to("scanner") as channel:
        stub = ScanServiceStub(channel)

        def page(size: int, token: str) -> tuple[list[scan_pb2.Scan], str]:
            request = pb.ListScansRequest(
                page_size=size,
                page_token=token,
                repository=repository,
                digest=digest,
                target=target,
                states=states,
                triggers=triggers,
            )
            answer = stub.ListScans(request)
            return list(answer.scans), answer.next_page_token

        found = collect(page, limit)
    if form == "json":
        output.document(found)
    else:
        headers = ("SCAN", "IMAGE", "TRIGGER", "STATE", "RISK LEVEL", "FINDINGS", "CREATED")
        output.table(headers, map(_row, found))


@scans.command()
@click.argument("scan_id")
@output_form
@speaks_as("auditor")
def show(connection: Connection, scan_id: str, form: str) -> None:
    """Show a scan."""
    with connection.to("scanner") as channel:
        found = ScanServiceStub(channel).GetScan(pb.GetScanRequest(scan_id=scan_id)).scan
    if form == "json":
        output.document(found)
    else:
        _show(found)


def _row(found: scan_pb2.Scan) -> tuple[str, ...]:
    return (
        found.scan_id,
        _image(found),
        word(TRIGGER, found.trigger) or "",
        word(STATE, found.state) or "",
        risks.severity(found.worst_severity) if found.HasField("counts") else "-",
        risks.counts(found.counts) if found.HasField("counts") else "-",
        moment(found.created),
    )


def _show(found: scan_pb2.Scan) -> None:
    pairs = [
        ("scan", found.scan_id),
        ("image", _image(found)),
        ("trigger", " ".join(part for part in (word(TRIGGER, found.trigger), found.target) if part)),
        ("state", word(STATE, found.state) or ""),
        ("failure", found.failure.message),
        ("created", moment(found.created)),
        ("ended", moment(found.ended) if found.HasField("ended") else ""),
        ("then", _then(found) if found.HasField("counts") else ""),
        ("left out", ", ".join(found.platforms_left_out)),
    ]
    output.fields(pairs)
    for one in found.platforms:
        packages = ", ".join(f"{count} {ecosystem}" for ecosystem, count in sorted(one.packages.items()))
        output.fields([(one.platform, f"{one.digest}: {packages or 'no packages'}")])


def _then(found: scan_pb2.Scan) -> str:
    return f"{risks.state(found.risk_state)}, {risks.severity(found.worst_severity)}: {risks.counts(found.counts)}"


def _image(found: scan_pb2.Scan) -> str:
    return f"{found.repository}{f':{found.tag}' if found.tag else ''}@{found.digest}"
