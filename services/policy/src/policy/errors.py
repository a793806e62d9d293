"""What the policy service refuses."""

from chassis.errors import Aborted, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied


class MalformedRequest(InvalidArgument):
    """A field of the request is missing, too long, or has a value that it may not have."""


class PolicyInvalid(InvalidArgument):
    """The policy contradicts itself or is out of bounds; every problem is named with its field."""


class PolicyUnsupported(InvalidArgument):
    """The policy holds a field or enum value that this service does not know."""


class PolicyTooLarge(InvalidArgument):
    """The policy has more bytes than are accepted."""


class RevisionNotFound(NotFound):
    """The cluster has no such revision."""


class NoActivePolicy(NotFound):
    """No revision is in force in the cluster."""


class ActiveRevisionChanged(Aborted):
    """Another revision is in force than the caller expects."""


class NothingToRollBackTo(FailedPrecondition):
    """No revision was in force before the present one."""


class ClusterRequired(PermissionDenied):
    """A caller whose binding is narrowed to clusters asked about all of them."""


class TooManyDecisions(InvalidArgument):
    """A message holds more decisions than are accepted."""
