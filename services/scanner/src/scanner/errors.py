"""What the scanner refuses."""

from chassis.errors import (
    AlreadyExists,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
)


class ArchiveBroken(InvalidArgument):
    """A zip of advisories can't be opened."""


class ArchiveTooLarge(ResourceExhausted):
    """A zip of advisories holds more than is read."""


class NoRoom(ResourceExhausted):
    """The disk has no room for what is sent."""


class ImageArchiveBroken(InvalidArgument):
    """What was sent is no archive of an image, or a broken one."""


class ImageArchiveUnclear(InvalidArgument):
    """Which image of an archive is meant is not said, or it holds none of that name."""


class ImageArchiveTooLarge(ResourceExhausted):
    """An archive of an image goes beyond a bound, which the message names."""


class TooManyArchives(ResourceExhausted):
    """As many archives as are held at a time are being sent or wait to be read."""


class UploadTooSlow(DeadlineExceeded):
    """An archive does not come in time."""


class FeedEmpty(InvalidArgument):
    """An import holds no record that could be read."""


class FeedUnclear(InvalidArgument):
    """An import does not say which feeds it brings up to date, and its records do not agree on one."""


class FeedShrinks(FailedPrecondition):
    """A complete import would remove nine tenths or more of a feed."""


class FeedGoesBack(FailedPrecondition):
    """A complete import is older than what is held of a feed."""


class ImageNotFound(NotFound):
    """No image of that repository and digest is known."""


class VulnerabilityNotFound(NotFound):
    """No advisory speaks of that vulnerability."""


class ScanNotFound(NotFound):
    """There is no scan of that id."""


class ScanWithoutInventory(FailedPrecondition):
    """A scan gave no inventory that could be exported: it has not ended, or has failed."""


class PlatformUnclear(InvalidArgument):
    """Which platform of an index is meant is not said, or it is none that was read."""


class ImageNotRead(FailedPrecondition):
    """An image is known, but has no inventory yet."""


class InventoryMalformed(InvalidArgument):
    """A document about what is in an image is of no format that is read, or broken."""


class InventoryTooLarge(ResourceExhausted):
    """A document about what is in an image holds more than is read."""


class TooManyClaims(ResourceExhausted):
    """So many documents were given about an image that no other is taken."""


class TagMoved(FailedPrecondition):
    """A tag does not point at the digest given beside it."""


class NoImageNamed(InvalidArgument):
    """A reference names neither a tag nor a digest."""


class TargetNotFound(NotFound):
    """There is no target of that name."""


class TargetExists(AlreadyExists):
    """There is a target of that name."""


class TargetTooWide(PermissionDenied):
    """A caller whose binding is narrowed to repositories touches a target that reaches beyond them."""


class EventsMalformed(InvalidArgument):
    """A body is none of the distribution project's push events."""


class TokenRefused(Unauthenticated):
    """A push event carries no token, or not that of its target."""


class TooManyPushes(ResourceExhausted):
    """More announced pushes wait than are kept."""
