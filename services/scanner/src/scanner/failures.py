"""Why a scan fails: one class for each reason that stands in a scan's row.

A failure is no refusal: nobody waits for it in a call. It is stored with its reason, the class name in upper snake
case, and with a sentence or two that say what happened, where, and what to do.
"""

import re
from typing import ClassVar

from chassis.errors import Refusal
from registry import errors, manifests

_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])")


class ScanFailure(Exception):
    """The base of every reason. A `transient` one may be gone at the next attempt.

    `message` is text that can be stored and sent, whatever names of an image stand in it.
    """

    transient: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message.encode("utf-8", "backslashreplace").decode()

    @property
    def reason(self) -> str:
        """The reason code, for example `LAYER_TRUNCATED`."""
        return _BOUNDARY.sub("_", type(self).__name__).upper()


class ImageDeleted(ScanFailure):
    """The registry no longer holds the manifest, or a blob of it."""


class RegistryUnauthorized(ScanFailure):
    """The registry demands other credentials than those configured for it."""


class RegistryUnavailable(ScanFailure):
    """The registry does not answer, or not as a registry does."""

    transient = True


class RegistryNotAllowed(ScanFailure):
    """The registry's host is not configured, or it sends us to one that is not."""


class DigestMismatch(ScanFailure):
    """Bytes do not match the digest that they were asked for by."""


class LayerTruncated(ScanFailure):
    """A layer ends before its archive does."""


class LayerMalformed(ScanFailure):
    """A layer is no archive that we know, or a broken one."""


class LimitExceeded(ScanFailure):
    """A bound was reached; the message names it."""


class UnsupportedManifest(ScanFailure):
    """The manifest is of a kind that is not scanned, or holds no image."""


class ArchiveIncomplete(ScanFailure):
    """The archive that was sent does not hold a part of its image."""


class ArchiveLost(ScanFailure):
    """The archive that was sent is not there any more: the scanner was started anew before it was read."""


class Internal(ScanFailure):
    """A defect of the scanner, or an image that stopped it again and again."""


_OF_REFUSALS: dict[type[Refusal], type[ScanFailure]] = {
    errors.ManifestNotFound: ImageDeleted,
    errors.BlobNotFound: ImageDeleted,
    errors.RegistryUnauthorized: RegistryUnauthorized,
    errors.HostNotConfigured: RegistryNotAllowed,
    errors.RedirectRefused: RegistryNotAllowed,
    errors.DigestMismatch: DigestMismatch,
    errors.BodyTooLarge: LimitExceeded,
    manifests.InvalidManifest: UnsupportedManifest,
    manifests.UnsupportedManifest: UnsupportedManifest,
}


def failure_of(refusal: Refusal) -> ScanFailure:
    """What a refusal of the registry library means for a scan; of one not known here: that it may help to try again."""
    return _OF_REFUSALS.get(type(refusal), RegistryUnavailable)(refusal.message)
