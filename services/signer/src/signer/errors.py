"""What the signer refuses, one class for each thing that a caller must tell apart."""

from chassis.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    Unavailable,
)


class KeyNotFound(NotFound):
    """There is no key, or no such version of it."""


class KeyExists(AlreadyExists):
    """The name is in use; names are never used again."""


class KeyDisabled(FailedPrecondition):
    """The key is DISABLED, so it neither signs nor rotates."""


class KeyChanged(Aborted):
    """Somebody else changed the key at the same time."""


class KeyVersionRevoked(FailedPrecondition):
    """The newest version of the key is revoked; it signs again once it is rotated."""


class WrongPurpose(FailedPrecondition):
    """The key serves another purpose."""


class DigestRequired(InvalidArgument):
    """The image is named by a tag alone, which may point elsewhere tomorrow."""


class TagMoved(FailedPrecondition):
    """The tag beside the digest points at another digest."""


class ImageNotFound(NotFound):
    """The registry has no manifest of that digest."""


class ImageUnsupported(FailedPrecondition):
    """The manifest is of a kind that is not signed."""


class ImageRevoked(FailedPrecondition):
    """A revocation covers a digest of the image, so no signature on it would count."""


class ClaimReserved(InvalidArgument):
    """The claim's name belongs to Hallmark or to the signature format."""


class GateRefused(FailedPrecondition):
    """The image's risk does not pass the gate. The metadata names each check that failed."""


class GateLoosened(FailedPrecondition):
    """The request asks for a looser gate than the key's."""


class RiskChanged(FailedPrecondition):
    """The image's open findings are others than those that were reviewed."""


class RiskUnavailable(Unavailable):
    """The scanner could not be asked, so nobody knows the image's risk."""


class SigningNotFound(NotFound):
    """There is no record of that signing."""


class SigningOutdated(FailedPrecondition):
    """A signing that was interrupted cannot be resumed: what would be signed now is not what was recorded."""


class SignatureLost(Aborted):
    """The registry does not show the signature after it was written, again and again: somebody else writes too."""


class SignaturesFull(FailedPrecondition):
    """The image has as many signatures as fit in one manifest, or what is stored there cannot be added to."""


class VaultUnavailable(Unavailable):
    """The vault does not answer or does not pass its check."""


class VaultFaulty(Unavailable):
    """The vault returned a signature that its own public key does not verify; it was thrown away."""


class KeyFileExposed(FailedPrecondition):
    """The file that protects the vault can be read by others, or lies where the store lies."""


class KeyFileUnusable(FailedPrecondition):
    """The file that protects the vault is missing, empty, too short or of the wrong size."""


class WrongSecret(FailedPrecondition):
    """The secret or key file is not the one that the vault was made with, or what it sealed was altered."""
