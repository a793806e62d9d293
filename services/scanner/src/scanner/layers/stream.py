"""Exact reads over a layer's blocks, whatever sizes those have."""

from collections.abc import Iterable, Iterator

from scanner.failures import LayerTruncated


class Stream:
    """The uncompressed bytes of a layer, or of a file in it, read forward; `position` counts those that were."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._block = b""
        self._at = 0
        self.position = 0

    def read_up_to(self, size: int) -> bytes:
        """The next bytes, fewer only at the end."""
        data = self._block[self._at : self._at + size]
        self._at += len(data)
        while len(data) < size and self._advance():
            piece = self._block[: size - len(data)]
            self._at = len(piece)
            data += piece
        self.position += len(data)
        return data

    def read(self, size: int) -> bytes:
        """The next bytes. Raises LayerTruncated where there are fewer."""
        data = self.read_up_to(size)
        if len(data) < size:
            raise LayerTruncated("A layer ends in the middle of an entry.")
        return data

    def views(self, size: int) -> Iterator[memoryview]:
        """The next bytes, in pieces as they come, not copied. Raises LayerTruncated where there are fewer."""
        while size:
            if self._at == len(self._block) and not self._advance():
                raise LayerTruncated("A layer ends in the middle of an entry.")
            piece = memoryview(self._block)[self._at : self._at + size]
            self._at += len(piece)
            self.position += len(piece)
            size -= len(piece)
            yield piece

    def pieces(self, size: int) -> Iterator[bytes]:
        """As `views`, but copied."""
        return map(bytes, self.views(size))

    def skip(self, size: int) -> None:
        """Leaves out the next bytes. Raises LayerTruncated where there are fewer."""
        self.position += size
        while size > len(self._block) - self._at:
            size -= len(self._block) - self._at
            if not self._advance():
                raise LayerTruncated("A layer ends in the middle of an entry.")
        self._at += size

    def _advance(self) -> bool:
        self._block, self._at = next(self._blocks, b""), 0
        return bool(self._block)
