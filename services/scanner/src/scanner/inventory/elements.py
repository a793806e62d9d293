"""Walking XML: the elements of a document with what stands in them, without ever holding more than one of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

_DEEPEST = 64
"""Elements within one another; what is deeper is not looked at."""
_LONGEST = 1024
"""Characters of the text of an element."""


class MarkupMalformed(Exception):
    """It is no XML, or such as declares a type of document, which what is read here never needs."""


@dataclass(frozen=True, slots=True)
class Element:
    """An element at its end: `path` are the names from the root to it, without namespaces, `text` what stands in it."""

    path: tuple[str, ...]
    attributes: Mapping[str, str]
    text: str


@dataclass(slots=True)
class _Walk:
    visit: Callable[[Element], None]
    names: list[str] = field(default_factory=list)
    open: list[tuple[Mapping[str, str], list[str]]] = field(default_factory=list)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.names.append(name.rpartition(" ")[2])
        if len(self.names) <= _DEEPEST:
            self.open.append((attributes, []))

    def text(self, text: str) -> None:
        if self.open and len(self.names) <= _DEEPEST:
            texts = self.open[-1][1]
            if sum(map(len, texts)) < _LONGEST:
                texts.append(text)

    def end(self, _name: str) -> None:
        if len(self.names) <= _DEEPEST:
            attributes, texts = self.open.pop()
            self.visit(Element(tuple(self.names), attributes, "".join(texts).strip()[:_LONGEST]))
        self.names.pop()


def visit_elements(body: bytes, visit: Callable[[Element], None]) -> None:
    """Gives every element to `visit` when it ends. Raises MarkupMalformed."""
    walk = _Walk(visit)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = walk.start
    parser.EndElementHandler = walk.end
    parser.CharacterDataHandler = walk.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError) as problem:  # also an encoding that there is not
        raise MarkupMalformed(f"It is no XML: {problem}.") from problem


def _refuse(*_: object) -> None:
    raise MarkupMalformed("It declares a type of document.")
