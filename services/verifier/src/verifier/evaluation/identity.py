"""Whether what was signed is the image that is judged."""

from registry.references import InvalidReference, Reference, parse_reference

from verifier.reasons import Code, Rejection
from verifier.rules.policy import Identity, IdentityKind, Remap


def check_identity(signed: str, image: Reference, identity: Identity) -> None:
    """Returns where the signed reference is what the rule demands for the image, else raises IDENTITY_MISMATCH.

    REPOSITORY compares the repository, EXACT the image's tag too where it has one, a Remap the repository that a
    mirror's stands for, ANY nothing.
    """
    if identity is IdentityKind.ANY:
        return
    try:
        reference = parse_reference(signed)
    except InvalidReference as error:
        raise _mismatch(signed, image) from error
    if reference.name != _expected(image, identity):
        raise _mismatch(signed, image)
    if identity is IdentityKind.EXACT and image.tag is not None and reference.tag != image.tag:
        raise _mismatch(signed, image)


def _expected(image: Reference, identity: Identity) -> str:
    if isinstance(identity, Remap) and (image.name + "/").startswith(identity.mirror.rstrip("/") + "/"):
        return identity.source.rstrip("/") + image.name[len(identity.mirror.rstrip("/")) :]
    return image.name


def _mismatch(signed: str, image: Reference) -> Rejection:
    return Rejection(
        Code.IDENTITY_MISMATCH, f"A signature is of {signed!a:.300}, not of {image.name}.", signed=ascii(signed)[:300]
    )
