"""Paths in an image: relative to its root, without a leading `/`, and never leading out of it."""


def normalise(name: bytes | str) -> str:
    """A name of an archive as a path from the root; empty for the root itself.

    `..` is taken lexically, as container runtimes do, and stops at the root. Bytes that are no UTF-8 are kept as
    surrogates, so that different names stay different.
    """
    text = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
    text = text.removeprefix("./").removesuffix("/")
    if text[:1] not in {"", ".", "/"} and text[-1] != "/" and "//" not in text and "/." not in text:
        return text  # as nearly all are
    parts: list[str] = []
    for part in text.split("/"):
        if part == "..":
            parts[-1:] = []
        elif part and part != ".":
            parts.append(part)
    return "/".join(parts)


def printable(path: str) -> str:
    """A path for people and databases: bytes that are no UTF-8 shown as `\\xNN`."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
