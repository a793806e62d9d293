"""References to images, taken apart where an RPC asks for the parts. The services check and normalise them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reference:
    """`host/repository[:tag][@digest]`; an absent part is empty."""

    repository: str
    tag: str
    digest: str


def split(text: str) -> Reference:
    """The parts of a reference."""
    named, _, digest = text.partition("@")
    path, colon, last = named.rpartition(":")
    # A colon before the last slash belongs to the host's port.
    if colon and "/" not in last:
        return Reference(path, last, digest)
    return Reference(named, "", digest)
