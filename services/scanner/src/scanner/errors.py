"""What the scanner refuses."""

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, ResourceExhausted


class ArchiveBroken(InvalidArgument):
    """A zip of advisories can't be read to its end."""


class ArchiveTooLarge(ResourceExhausted):
    """A zip of advisories holds more than is read."""


class NoRoom(ResourceExhausted):
    """The disk has no room for what is sent."""


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
