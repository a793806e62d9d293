"""What can go wrong with a registry. Absent and could-not-tell are never the same."""

from chassis.errors import FailedPrecondition, NotFound, PermissionDenied, ResourceExhausted, Unavailable


class HostNotConfigured(PermissionDenied):
    """The registry host is none that this service is configured to contact."""


class ManifestNotFound(NotFound):
    """The registry has no such manifest or tag."""


class BlobNotFound(NotFound):
    """The registry has no such blob."""


class RepositoryNotFound(NotFound):
    """The registry has no such repository to store something in, and makes none."""


class RegistryUnauthorized(PermissionDenied):
    """The registry does not accept the configured credentials for this, or demands some where none are configured."""


class RegistryUnavailable(Unavailable):
    """The registry does not answer, or not in time, or with an error of its own: could not tell."""


class RegistryAnswerInvalid(Unavailable):
    """The registry's answer breaks the distribution API: could not tell."""


class RedirectRefused(FailedPrecondition):
    """The registry sends us to a host that is not configured, too often, or from HTTPS to plain HTTP."""


class DigestMismatch(FailedPrecondition):
    """The bytes that the registry sent are not those of the digest."""


class BodyTooLarge(ResourceExhausted):
    """The registry sends more bytes than the bound for this allows."""


class PushRefused(FailedPrecondition):
    """The registry does not take what was to be stored; the same again would be refused again."""


class PushTooLarge(ResourceExhausted):
    """What was to be stored is larger than the registry takes."""
