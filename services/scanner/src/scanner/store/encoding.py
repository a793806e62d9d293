"""Values of the domain as columns, and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from scanner.catalogue import ClaimSummary, PlatformDetails
from scanner.inventory.model import BaseClaim, Evidence, LayerOrigin, Origin, Package, Unreadable
from scanner.risk.assess import InventoryFacts
from scanner.risk.freshness import Still
from scanner.risk.model import Counts, FeedSet, ImageRisk, PlatformRisk, RiskState
from scanner.severity import Severity


def risk_values(risk: ImageRisk) -> dict[str, Any]:
    """A risk as columns of image_risks, without the image's number."""
    worst = risk.counts.worst
    return {
        "state": risk.state.value,
        "reasons": list(risk.reasons),
        "unreadable": risk.unreadable,
        "worst": None if worst is None else int(worst),
        "counts": list(risk.counts.by_severity),
        "fixable_counts": list(risk.fixable_counts.by_severity),
        "risk_digest": risk.risk_digest,
        "feed_set": risk.feed_set,
        "scan_id": risk.scan_id,
        "platforms": [_platform_values(platform) for platform in risk.platforms],
        "revision": risk.revision,
    }


def risk_of(row: RowMapping) -> ImageRisk:
    """A risk from its columns and the image's repository and digest."""
    return ImageRisk(
        repository=row["repository"],
        digest=row["digest"],
        state=RiskState(row["state"]),
        reasons=tuple(row["reasons"]),
        unreadable=row["unreadable"],
        counts=Counts(tuple(row["counts"])),
        fixable_counts=Counts(tuple(row["fixable_counts"])),
        risk_digest=row["risk_digest"],
        feed_set=row["feed_set"],
        scan_id=row["scan_id"],
        platforms=tuple(map(_platform_of, row["platforms"])),
        revision=row["revision"],
    )


def _platform_values(platform: PlatformRisk) -> list[Any]:
    worst = None if platform.worst is None else int(platform.worst)
    return [platform.platform, platform.digest, platform.state.value, worst, platform.feed_set]


def _platform_of(values: list[Any]) -> PlatformRisk:
    platform, digest, state, worst, feed_set = values
    return PlatformRisk(platform, digest, RiskState(state), None if worst is None else Severity(worst), feed_set)


def feed_set_of(row: RowMapping) -> FeedSet:
    """A feed set from its columns."""
    return FeedSet(row["name"], tuple(row["ecosystems"]), row["as_of"], tuple(row["reasons"]), row["revision"])


def facts_of(row: RowMapping) -> InventoryFacts:
    """What an image's inventory says of its risk, from the columns of images."""
    return InventoryFacts(RiskState(row["state"]), tuple(row["reasons"]), row["unreadable"], tuple(row["ecosystems"]))


def still_of(row: RowMapping) -> Still | None:
    """Whether an image stands still, from the columns of images."""
    return None if row["still_since"] is None else Still(row["still_as_of"])


def package_of(row: RowMapping) -> Package:
    """A package in a set, from the columns of its version and of the set's member, and its layer's digest."""
    return Package(
        ecosystem=row["ecosystem"],
        name=row["name"],
        version=row["version"],
        arch=row["arch"],
        source_name=row["source_name"],
        source_version=row["source_version"],
        purl=row["purl"],
        layer=row["layer"],
        path=row["path"],
        module=row["module"],
        owner=row["owner"],
        owner_ecosystem=row["owner_ecosystem"],
        evidence=Evidence(row["evidence"]),
    )


def details_values(details: PlatformDetails) -> dict[str, Any]:
    """What is only shown of a manifest, as JSON."""
    return {
        "platform": details.platform,
        "config_digest": details.config_digest,
        "layers": list(details.layers),
        "created": details.created.isoformat() if details.created else None,
        "distribution": details.distribution,
        "distribution_id": details.distribution_id,
        "distribution_version": details.distribution_version,
        "packages": dict(details.packages),
        "unreadable": [[one.layer, one.path, one.problem] for one in details.unreadable],
        "origins": [[one.created_by, one.base_image, one.base_claimed] for one in details.origins],
        "base": [details.base.name, details.base.digest],
        "claims": [_claim_values(claim) for claim in details.claims],
    }


def details_of(values: Mapping[str, Any]) -> PlatformDetails:
    """What is only shown of a manifest, from JSON."""
    return PlatformDetails(
        platform=values["platform"],
        config_digest=values["config_digest"],
        layers=tuple(values["layers"]),
        created=datetime.fromisoformat(values["created"]) if values["created"] else None,
        distribution=values["distribution"],
        distribution_id=values.get("distribution_id", ""),
        distribution_version=values.get("distribution_version", ""),
        packages=values["packages"],
        unreadable=tuple(Unreadable(*one) for one in values["unreadable"]),
        origins=tuple(LayerOrigin(*one) for one in values.get("origins", ())),
        base=BaseClaim(*values.get("base", ())),
        claims=tuple(map(_claim_of, values.get("claims", ()))),
    )


def origin_of(values: Mapping[str, Any], layer: str) -> LayerOrigin:
    """Where a layer of a manifest comes from, from the JSON of its details."""
    layers, origins = values["layers"], values.get("origins", ())
    return LayerOrigin(*origins[layers.index(layer)]) if origins and layer in layers else LayerOrigin()


def _claim_values(claim: ClaimSummary) -> list[Any]:
    shown = (claim.format, claim.packages, dict(claim.left_out), claim.problem)
    return [claim.document, claim.origin.value, *shown]


def _claim_of(values: list[Any]) -> ClaimSummary:
    document, origin, *shown = values
    return ClaimSummary(document, Origin(origin), *shown)
