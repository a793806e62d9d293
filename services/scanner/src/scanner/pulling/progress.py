"""How far the reading of an image is."""

from typing import Protocol


class Progress(Protocol):
    """Told as layers come in."""

    def begin(self, size: int, layers: int) -> None:
        """Say how many bytes, as stored, and layers there are; again where some must be read again."""
        ...

    def pulled(self, size: int) -> None:
        """Say that so many bytes more were pulled."""
        ...

    def spared(self, size: int) -> None:
        """Say that a layer was there already: its bytes are not pulled."""
        ...

    def read(self) -> None:
        """Say that a layer more was read to its end."""
        ...
