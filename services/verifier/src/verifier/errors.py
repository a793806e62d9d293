"""The refusals of this service. What is found about an image is no refusal but a reason of its verdict."""

from chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied, Unavailable


class TooManyImages(InvalidArgument):
    """The request names no image, or more than one call may."""


class ForeignCluster(PermissionDenied):
    """An adapter asks for another cluster than that of its certificate."""


class UnreadableKey(InvalidArgument):
    """A public key in the request does not parse, or is of an unsupported kind."""


class NotInspectable(FailedPrecondition):
    """The image's signatures cannot be looked up, for a reason that lies with the image or the configuration."""


class NotInspected(Unavailable):
    """The image's signatures could not be looked up now; the message carries the reason's code and sentence."""
