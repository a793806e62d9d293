"""An image's risk, from its inventory and the open findings of its packages."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from scanner.inventory.model import Evidence, Inventory
from scanner.risk.freshness import Still, feed_set_name
from scanner.risk.model import Counts, ImageRisk, PlatformRisk, RiskState
from scanner.severity import Severity

MOST_REASONS = 20
"""Reasons kept of one image."""
_LONGEST_REASON = 300

_WORST_FIRST = (
    RiskState.FAILED,
    RiskState.NOT_SCANNED,
    RiskState.SCANNING,
    RiskState.UNSUPPORTED,
    RiskState.INCOMPLETE,
    RiskState.SCANNED,
)


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """What of an open finding counts for the risk of a package set; `copies` is how often the package lies in it."""

    vulnerability: str
    package: str
    severity: Severity
    fixable: bool
    copies: int = 1


@dataclass(frozen=True, slots=True)
class SetRisk:
    """The risk of a set of packages."""

    counts: Counts
    fixable_counts: Counts
    risk_digest: str


@dataclass(frozen=True, slots=True)
class InventoryFacts:
    """What an inventory says of the risk beside its packages."""

    state: RiskState
    reasons: tuple[str, ...]
    unreadable: int
    ecosystems: tuple[str, ...]


def set_risk(findings: Iterable[OpenFinding]) -> SetRisk:
    """The risk of a set with these open findings."""
    listed = list(findings)
    lines = sorted({f"{one.vulnerability}\t{one.package}\t{one.severity.name}\n" for one in listed})
    return SetRisk(
        counts=Counts.of(one.severity for one in listed for _ in range(one.copies)),
        fixable_counts=Counts.of(one.severity for one in listed if one.fixable for _ in range(one.copies)),
        risk_digest=hashlib.sha256("".join(lines).encode()).hexdigest(),
    )


def inventory_facts(inventory: Inventory) -> InventoryFacts:
    """How far an inventory answers, and which ecosystems' feeds it needs."""
    ecosystems = {package.ecosystem for package in inventory.packages if package.needs_feed}
    known = any(package.needs_feed and package.evidence is not Evidence.CLAIM for package in inventory.packages)
    if inventory.distribution and inventory.distribution.ecosystem:
        ecosystems.add(inventory.distribution.ecosystem)
        known = True
    unsupported = inventory.unsupported
    if unsupported is None and not known and not inventory.gaps:  # a claim makes nothing known
        unsupported = "Nothing in it was recognised: neither a distribution nor a package."
    reasons = (() if unsupported is None else (unsupported,)) + inventory.gaps
    return InventoryFacts(
        state=_state(unsupported, inventory.gaps),
        reasons=_bounded(reasons),
        unreadable=len(inventory.unreadable),
        ecosystems=tuple(sorted(ecosystems)),
    )


def _bounded(reasons: Sequence[str]) -> tuple[str, ...]:
    return tuple(reason[:_LONGEST_REASON] for reason in reasons[:MOST_REASONS])


def _state(unsupported: str | None, gaps: Sequence[str]) -> RiskState:
    if unsupported is not None:
        return RiskState.UNSUPPORTED
    return RiskState.INCOMPLETE if gaps else RiskState.SCANNED


@dataclass(frozen=True, slots=True)
class AssessedImage:
    """A platform manifest with an inventory, by its number in the store and that of its package set."""

    number: int
    repository: str
    digest: str
    scan_id: str
    facts: InventoryFacts
    package_set: int
    still: Still | None = None


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """An index, by its number in the store, and its platforms by name and number; its facts are about all of them."""

    number: int
    repository: str
    digest: str
    scan_id: str
    facts: InventoryFacts
    platforms: tuple[tuple[str, int], ...]
    still: Still | None = None


def manifest_risk(image: AssessedImage, risk: SetRisk) -> ImageRisk:
    """The risk of a platform manifest."""
    return ImageRisk(
        repository=image.repository,
        digest=image.digest,
        state=image.facts.state,
        reasons=image.facts.reasons,
        unreadable=image.facts.unreadable,
        counts=risk.counts,
        fixable_counts=risk.fixable_counts,
        risk_digest=risk.risk_digest,
        feed_set=feed_set_name(image.facts.ecosystems, image.still),
        scan_id=image.scan_id,
    )


def index_facts(platforms: Sequence[InventoryFacts], missing: Sequence[str]) -> InventoryFacts:
    """What is known of an index beside its platforms' own risks: which are missing, a sentence each."""
    ecosystems = {ecosystem for facts in platforms for ecosystem in facts.ecosystems}
    if not platforms and not missing:
        return InventoryFacts(RiskState.UNSUPPORTED, ("It holds no image that a runtime could run.",), 0, ())
    state = RiskState.INCOMPLETE if missing else RiskState.SCANNED
    return InventoryFacts(state, _bounded(missing), 0, tuple(sorted(ecosystems)))


def index_risk(index: IndexFacts, platforms: Mapping[int, ImageRisk]) -> ImageRisk:
    """The risk of an index: the worst of its platforms, whose risks are given by their numbers."""
    named = [(name, platforms[number]) for name, number in index.platforms]
    risks = [risk for _, risk in named]
    reasons = [f"{name}: {reason}" for name, risk in named for reason in risk.reasons]
    return ImageRisk(
        repository=index.repository,
        digest=index.digest,
        state=min((index.facts.state, *(risk.state for risk in risks)), key=_WORST_FIRST.index),
        reasons=_bounded((*index.facts.reasons, *reasons)),
        unreadable=sum(risk.unreadable for risk in risks),
        counts=reduce(Counts.largest, (risk.counts for risk in risks), Counts()),
        fixable_counts=reduce(Counts.largest, (risk.fixable_counts for risk in risks), Counts()),
        risk_digest=hashlib.sha256("".join(risk.risk_digest for risk in risks).encode()).hexdigest(),
        feed_set=feed_set_name(index.facts.ecosystems, index.still),
        scan_id=index.scan_id,
        platforms=tuple(
            PlatformRisk(name, risk.digest, risk.state, risk.counts.worst, risk.feed_set) for name, risk in named
        ),
    )
