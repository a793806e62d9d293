"""How risk, findings and severities are told."""

from collections.abc import Iterable

from hallmark.common.v1.severity_pb2 import Severity, SeverityCounts
from hallmark.scanner.v1 import finding_pb2, finding_service_pb2, inventory_pb2, risk_pb2
from hallmark.scanner.v1.finding_service_pb2_grpc import FindingServiceStub

from hallmark_cli import output
from hallmark_cli.listing import collect
from hallmark_cli.messages import word

SEVERITY = Severity.DESCRIPTOR
EVIDENCE = inventory_pb2.PackageEvidence.DESCRIPTOR
ORDINARY = {
    inventory_pb2.PACKAGE_EVIDENCE_UNSPECIFIED,
    inventory_pb2.PACKAGE_EVIDENCE_DATABASE,
    inventory_pb2.PACKAGE_EVIDENCE_METADATA,
}
STATE = risk_pb2.ImageRiskState.DESCRIPTOR


def severity(number: int) -> str:
    """The severity's word; `none` where there is no open finding."""
    return word(SEVERITY, number) or "none"


def state(number: int) -> str:
    """The word of an image's state."""
    return word(STATE, number) or ""


def counts(found: SeverityCounts) -> str:
    """The counts that are not zero, worst first."""
    named = [(field.name, getattr(found, field.name)) for field in SeverityCounts.DESCRIPTOR.fields]
    return ", ".join(f"{count} {name}" for name, count in named if count) or "none"


def findings_of(
    stub: FindingServiceStub, repository: str, digest: str, severities: Iterable[int], limit: int
) -> list[finding_pb2.Finding]:
    """The open findings of an image, the worst first."""

    def page(size: int, token: str) -> tuple[list[finding_pb2.Finding], str]:
        request = finding_service_pb2.ListFindingsRequest(
            page_size=size,
            page_token=token,
            repository=repository,
            digest=digest,
            severities=[Severity.ValueType(number) for number in severities],
        )
        answer = stub.ListFindings(request)
        return list(answer.findings), answer.next_page_token

    return collect(page, limit)


def show_risk(risk: risk_pb2.ImageRisk, feeds: risk_pb2.FeedSet | None) -> None:
    """Print an image's risk."""
    too_old = list(feeds.reasons) if feeds is not None else []
    output.fields(
        [
            ("image", f"{risk.repository}@{risk.digest}"),
            ("state", state(risk.state)),
            ("because", " ".join([*risk.reasons, *(reason for reason in too_old if reason not in risk.reasons)])),
            ("risk level", severity(risk.worst_severity) if risk.risk_digest else ""),
            ("findings", counts(risk.counts) if risk.risk_digest else ""),
            ("repairable", counts(risk.fixable_counts) if risk.risk_digest else ""),
            ("unreadable", str(risk.unreadable) if risk.unreadable else ""),
            ("risk digest", risk.risk_digest),
        ]
    )


def show_findings(findings: Iterable[finding_pb2.Finding]) -> None:
    """Print findings as a table: severity, vulnerability, package, fix, title and the link of the record."""
    headers = ("SEVERITY", "VULNERABILITY", "PACKAGE", "INSTALLED", "FIXED IN", "TITLE", "LINK")
    output.table(headers, map(_row, findings))


def _row(finding: finding_pb2.Finding) -> tuple[str, ...]:
    vulnerability, package = finding.vulnerability, finding.package
    return (
        severity(finding.severity),
        vulnerability.vulnerability_id,
        f"{package.name}{_evidence(package)}",
        package.version,
        ", ".join(finding.fixed_versions) or "-",
        vulnerability.title or "-",
        vulnerability.links[0].url if vulnerability.links else "-",
    )


def _evidence(package: finding_pb2.Package) -> str:
    """What tells of a package, where that is not its installation."""
    if package.evidence in ORDINARY:
        return ""
    return f" ({(word(EVIDENCE, package.evidence) or '').lower().replace('_', ' ')})"
