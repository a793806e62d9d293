"""What a program tells of what it was built from."""

from enum import Enum

import msgspec


class Kind(Enum):
    """What tells it."""

    GO = "GO"
    """Go's build information."""
    RUST = "RUST"
    """cargo-auditable's list."""
    TEXT = "TEXT"
    """A text that a program of a known name has in it."""


class Component(msgspec.Struct, frozen=True):
    """A module, a crate or a product in a program.

    `origin` is empty where it came under this name and version from where all the world gets it; otherwise it says from
    where it came, and no advisory is about it.
    """

    kind: Kind
    name: str
    version: str
    origin: str = ""


LOCAL = "local"
"""From a folder of whoever built the program."""
