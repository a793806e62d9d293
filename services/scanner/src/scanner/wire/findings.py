"""Decodes questions about findings and vulnerabilities, and encodes the answers."""

from hallmark.scanner.v1 import finding_pb2, finding_service_pb2, inventory_pb2, vulnerability_pb2

from scanner.advisories.vulnerability import Rating, Vulnerability
from scanner.exposure import (
    Exposure,
    Finding,
    FindingCursor,
    FindingFilter,
    FindingState,
    FixState,
    VulnerabilityCursor,
    VulnerabilityFilter,
)
from scanner.inventory.model import Package
from scanner.wire import reading, risks
from scanner.wire.images import layer_origin
from scanner.wire.times import timestamp


def finding_filter(request: finding_service_pb2.ListFindingsRequest) -> FindingFilter:
    """Decode which findings are asked for, but for image and vulnerability."""
    fix_state = None
    if request.HasField("fix_state"):
        fix_state = FixState(
            reading.enum(finding_pb2.FixState.DESCRIPTOR, "FIX_STATE_", request.fix_state, "fix_state")
        )
    states = [
        reading.enum(finding_pb2.FindingState.DESCRIPTOR, "FINDING_STATE_", value, "states") for value in request.states
    ]
    return FindingFilter(
        package=reading.package(request.package),
        severities=reading.severities(request.severities),
        fix_state=fix_state,
        states=frozenset(map(FindingState, states)) or frozenset({FindingState.OPEN}),
    )


def vulnerability_filter(request: finding_service_pb2.ListVulnerabilitiesRequest) -> VulnerabilityFilter:
    """Decode which vulnerabilities are asked for, but for the repository."""
    return VulnerabilityFilter(
        package=reading.package(request.package), severities=reading.severities(request.severities)
    )


def finding_cursor(text: str) -> FindingCursor | None:
    """Decode a place in the order of findings."""
    if not text:
        return None
    severity, vulnerability, image, position = text.split(" ")
    return FindingCursor(int(severity), vulnerability, int(image), int(position))


def vulnerability_cursor(text: str) -> VulnerabilityCursor | None:
    """Decode a place in the order of vulnerabilities."""
    if not text:
        return None
    severity, vulnerability = text.split(" ")
    return VulnerabilityCursor(int(severity), vulnerability)


def cursor(place: FindingCursor | VulnerabilityCursor) -> str:
    """Encode a place; ids hold no space."""
    return " ".join(map(str, place))


def finding(value: Finding) -> finding_pb2.Finding:
    """Encode a finding."""
    return finding_pb2.Finding(
        repository=value.repository,
        digest=value.digest,
        platform=value.platform,
        vulnerability=_vulnerability(value.vulnerability),
        package=_package(value.package),
        layer=value.package.layer,
        path=value.package.path,
        severity=risks.severity(value.facts.severity),
        state=finding_pb2.FindingState.Value(f"FINDING_STATE_{value.state.value}"),
        fix_state=finding_pb2.FixState.Value(f"FIX_STATE_{value.fix_state.value}"),
        fixed_versions=value.facts.fixed_versions,
        advisory_ids=value.facts.advisory_ids,
        version_not_comparable=not value.facts.comparable,
        first_detected=timestamp(value.first_detected),
        last_detected=timestamp(value.last_detected),
        layer_origin=layer_origin(value.origin),
    )


def _package(value: Package) -> finding_pb2.Package:
    return finding_pb2.Package(
        purl=value.purl,
        ecosystem=value.ecosystem,
        name=value.name,
        version=value.version,
        architecture=value.arch,
        source_name=value.source_name,
        source_version=value.source_version,
        evidence=inventory_pb2.PackageEvidence.Value(f"PACKAGE_EVIDENCE_{value.evidence.value}"),
        module=value.module,
        owner=value.owner,
    )


def exposure(value: Exposure) -> vulnerability_pb2.Vulnerability:
    """Encode a vulnerability with its severity and the number of its images."""
    encoded = _vulnerability(value.vulnerability)
    encoded.severity = risks.severity(value.severity)
    encoded.images = value.images
    return encoded


def _vulnerability(value: Vulnerability) -> vulnerability_pb2.Vulnerability:
    return vulnerability_pb2.Vulnerability(
        vulnerability_id=value.name,
        aliases=value.aliases,
        title=value.title,
        description=value.description,
        description_source=value.description_source,
        links=[vulnerability_pb2.Link(url=link.url, type=link.type) for link in value.links],
        severity=risks.severity(value.severity),
        ratings=map(_rating, value.ratings),
        advisory_ids=value.advisory_ids,
        published=timestamp(value.published),
        modified=timestamp(value.modified),
    )


def _rating(value: Rating) -> vulnerability_pb2.Rating:
    return vulnerability_pb2.Rating(
        source=value.source, severity=risks.severity(value.severity), vector=value.vector, score=value.score
    )
