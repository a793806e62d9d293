"""Text of `Field: value` lines, as dpkg's databases and Python's metadata are made of.

Formats: Debian policy, "Syntax of control files"; Python packaging's core metadata specification, which takes RFC 822's
form. A line that begins with a space or tab goes on with the field before.
"""

from collections.abc import Iterator, Mapping

Stanza = Mapping[str, str]
"""Fields by their names in lower case; of one that is repeated, the first counts."""


def text_of(body: bytes) -> str:
    """The text of a file; what is no UTF-8, and NUL, which not every database takes, stand there as U+FFFD."""
    return body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def read_stanzas(body: bytes) -> Iterator[Stanza]:
    """Every stanza of a text in UTF-8; empty lines stand between them. Lines that are no field are passed over."""
    fields: dict[str, str] = {}
    for line in text_of(body).split("\n"):
        if not line.strip():
            if fields:
                yield fields
            fields = {}
        elif line[0] not in " \t":
            name, colon, value = line.partition(":")
            if colon:
                fields.setdefault(name.lower(), value.strip())
    if fields:
        yield fields


def read_head(body: bytes) -> Stanza:
    """The first stanza; empty where there is none."""
    return next(read_stanzas(body), {})
