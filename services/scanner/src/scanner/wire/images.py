"""Decodes questions about images, and encodes the answers."""

from hallmark.scanner.v1 import image_pb2, image_service_pb2, risk_pb2

from scanner.catalogue import Image, ImageFilter, PlatformView, Repository
from scanner.inventory.model import LayerOrigin
from scanner.risk.model import FeedSet, RiskState
from scanner.wire import inventories, reading, risks
from scanner.wire.times import timestamp


def image_filter(request: image_service_pb2.ListImagesRequest) -> ImageFilter:
    """Decode which images are asked for, but for repository and vulnerability."""
    words = [
        reading.enum(risk_pb2.ImageRiskState.DESCRIPTOR, "IMAGE_RISK_STATE_", value, "states")
        for value in request.states
    ]
    return ImageFilter(
        states=frozenset(map(RiskState, words)),
        worst_severities=reading.severities(request.worst_severities, "worst_severities"),
        package=reading.package(request.package),
    )


def repository(value: Repository) -> image_pb2.Repository:
    """Encode a repository."""
    return image_pb2.Repository(
        name=value.name,
        images=value.images,
        worst_severity=risks.severity(value.worst),
        last_scanned=timestamp(value.last_scanned),
    )


def image(value: Image, feed_set: FeedSet | None) -> image_pb2.Image:
    """Encode an image."""
    return image_pb2.Image(
        repository=value.repository,
        digest=value.digest,
        tags=value.tags,
        platforms=value.platforms,
        risk=risks.image_risk(value.risk),
        feed_set=risks.feed_set(feed_set) if feed_set else None,
        last_scanned=timestamp(value.last_scanned),
    )


def platform(value: PlatformView) -> image_pb2.ImagePlatform:
    """Encode what was read of a platform."""
    details = value.details
    return image_pb2.ImagePlatform(
        platform=details.platform,
        digest=value.digest,
        config_digest=details.config_digest,
        layers=details.layers,
        created=timestamp(details.created),
        distribution=details.distribution,
        packages=details.packages,
        unreadable=[
            image_pb2.UnreadablePart(layer=part.layer, path=part.path, problem=part.problem)
            for part in details.unreadable
        ],
        layer_origins=map(layer_origin, details.origins),
        base_image_name=details.base.name,
        base_image_digest=details.base.digest,
        claims=map(inventories.claim, details.claims),
    )


def layer_origin(value: LayerOrigin) -> image_pb2.LayerOrigin:
    """Encode where a layer comes from."""
    return image_pb2.LayerOrigin(
        created_by=value.created_by, base_image=value.base_image, base_claimed=value.base_claimed
    )
