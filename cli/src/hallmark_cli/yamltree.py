"""YAML, read strictly: every value as the one type that stands there, and every complaint with line and column.

Of YAML 1.1 this takes one document of mappings, sequences and scalars. Anchors, aliases, tags, duplicate names and
further documents are refused, and characters that turn the direction of text: each is a way to make a file mean
something else than a reader sees.
"""

import re
from collections.abc import Iterable

import yaml

MOST_BYTES = 256 * 1024
MOST_DEPTH = 20
MOST_NODES = 20_000

TEXT = "tag:yaml.org,2002:str"
BOOLEAN = "tag:yaml.org,2002:bool"
NUMBER = "tag:yaml.org,2002:int"

TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Unicode's controls of the direction of text."""
HALVES = re.compile("[\ud800-\udfff]")
"""Surrogates: an escape can name them, and no text holds them."""

Node = yaml.Node


class Malformed(Exception):
    """The file cannot be meant so. `line` and `column` count from 1."""

    def __init__(self, problem: str, line: int = 1, column: int = 1) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


def malformed(place: Node | yaml.Event, problem: str) -> Malformed:
    """A complaint about what stands at a place."""
    mark = place.start_mark
    return Malformed(problem) if mark is None else Malformed(problem, mark.line + 1, mark.column + 1)


def parse(source: bytes) -> Node:
    """Read a document. Raises Malformed."""
    if len(source) > MOST_BYTES:
        raise Malformed(f"The file is larger than {MOST_BYTES // 1024} KiB.")
    try:
        text = source.decode()
        _refuse_turns(text)
        _inspect(yaml.parse(text, Loader=yaml.SafeLoader))
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise Malformed(f"The file is not UTF-8: byte {error.start + 1}.") from None
    except yaml.MarkedYAMLError as error:
        raise _unparsable(error) from None
    except yaml.YAMLError as error:
        raise Malformed(" ".join(str(error).split())) from None
    except ValueError:
        raise Malformed("This is no YAML: an escape in it names no character.") from None
    if root is None:
        raise Malformed("The file is empty.")
    return root


def mapping(node: Node, required: Iterable[str] = (), optional: Iterable[str] = ()) -> dict[str, Node]:
    """The values of a mapping by name: all that are required, and no others than the optional ones beside them."""
    if not isinstance(node, yaml.MappingNode):
        raise malformed(node, "Here a mapping belongs (`name: value`).")
    known = [*required, *optional]
    values: dict[str, Node] = {}
    for key, value in node.value:
        name = text(key)
        if name not in known:
            raise malformed(key, f"There is no field `{name}` here; there is: {', '.join(known)}.")
        if name in values:
            raise malformed(key, f"The field `{name}` stands here twice.")
        values[name] = value
    absent = [name for name in required if name not in values]
    if absent:
        raise malformed(node, f"The field `{absent[0]}` is absent.")
    return values


def sequence(node: Node) -> list[Node]:
    """The items of a sequence."""
    if not isinstance(node, yaml.SequenceNode):
        raise malformed(node, "Here a list belongs (`[a, b]`, or lines that begin with `- `).")
    return list(node.value)


def text(node: Node) -> str:
    """A scalar that is text. What YAML takes for something else (yes, 1.0, null) must be quoted."""
    if isinstance(node, yaml.ScalarNode) and node.tag == TEXT:
        if HALVES.search(node.value):
            raise malformed(node, "An escape in this text names no character.")
        return str(node.value)
    if isinstance(node, yaml.ScalarNode):
        raise malformed(node, f"YAML does not take `{node.value}` for text: put it in quotes.")
    raise malformed(node, "Here text belongs.")


def texts(node: Node) -> list[str]:
    """A sequence of texts."""
    return [text(item) for item in sequence(node)]


def boolean(node: Node) -> bool:
    """`true` or `false`; not YAML's yes, no, on and off."""
    if isinstance(node, yaml.ScalarNode) and node.tag == BOOLEAN and node.value in {"true", "false"}:
        return bool(node.value == "true")
    raise malformed(node, "Here `true` or `false` belongs.")


def number(node: Node) -> int:
    """A whole number in decimal digits; a leading zero would be octal."""
    if isinstance(node, yaml.ScalarNode) and node.tag == NUMBER and re.fullmatch(r"0|[1-9][0-9]{0,8}", node.value):
        return int(node.value)
    raise malformed(node, "Here a whole number belongs.")


def _refuse_turns(text: str) -> None:
    found = TURNS.search(text)
    if found:
        before = text[: found.start()]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise Malformed("A character that turns the direction of text stands here: leave it away.", line, column)


def _inspect(events: Iterable[yaml.Event]) -> None:
    """Refuse what a reader would not see, and bound what will be built."""
    depth = nodes = documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise malformed(event, "A second document begins here; one file holds one.")
        if isinstance(event, yaml.NodeEvent):
            nodes += 1
            _refuse_indirection(event)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise malformed(event, f"Nested deeper than {MOST_DEPTH} levels.")
        if nodes > MOST_NODES:
            raise malformed(event, f"More than {MOST_NODES} values.")


def _refuse_indirection(event: yaml.NodeEvent) -> None:
    if isinstance(event, yaml.AliasEvent):
        raise malformed(event, f"Aliases are not taken: write what *{event.anchor} stands for.")
    if event.anchor is not None:
        raise malformed(event, f"Anchors are not taken: leave &{event.anchor} away.")
    if getattr(event, "tag", None) is not None:
        raise malformed(event, "Tags are not taken: leave it away.")


def _unparsable(error: yaml.MarkedYAMLError) -> Malformed:
    mark = error.problem_mark or error.context_mark
    problem = f"This is no YAML: {error.problem or error.context}."
    return Malformed(problem) if mark is None else Malformed(problem, mark.line + 1, mark.column + 1)
