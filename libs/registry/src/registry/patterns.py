"""Patterns of image names: `*` stands for anything within one path part, `**` for anything across parts.

Both sides are normalised: a pattern `nginx` means docker.io/library/nginx, as the image `nginx` does, and one host has
one spelling. A pattern speaks of repositories; a tag in it is refused.
"""

import re
from dataclasses import dataclass
from typing import Final

from chassis.errors import InvalidArgument

from registry.references import InvalidReference, is_repository, normal_host

_FORM: Final = re.compile(r"(?:[a-z0-9._*:\[\]-]+/)?[a-z0-9._*-]+(?:/[a-z0-9._*-]+)*")
_STARS: Final = re.compile(r"\*+")
_LONGEST: Final = 255
_MOST_WILDCARDS: Final = 8
_DOCKER: Final = "docker.io"


class InvalidPattern(InvalidArgument):
    """The text is no pattern of image names."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern."""

    text: str
    parts: tuple[str, ...]

    def matches(self, name: str) -> bool:
        """Tell whether a normalised name (host/repository) is covered as a whole. Time: length times wildcards."""
        reached = {0}
        for part in self.parts:
            reached = _advance(part, reached, name)
        return len(name) in reached

    def __str__(self) -> str:
        return self.text


def _advance(part: str, reached: set[int], name: str) -> set[int]:
    """Where in the name one may stand after this part, from each place where one stood before it."""
    if part not in {"*", "**"}:
        return {at + len(part) for at in reached if name.startswith(part, at)}
    after = set[int]()
    for start in sorted(reached):
        at = start
        while at not in after:
            after.add(at)
            if at == len(name) or (part == "*" and name[at] == "/"):
                break
            at += 1
    return after


def compile_pattern(text: str) -> Pattern:
    """Read a pattern. Raises InvalidPattern."""
    lowered = text.lower() if text.isascii() else text
    if len(text) > _LONGEST or not _FORM.fullmatch(lowered) or "***" in text:
        raise InvalidPattern(f"{text[:100]!a} is no pattern: write host/path with * within a part and ** across parts.")
    if text.count("*") > _MOST_WILDCARDS:
        raise InvalidPattern(f"A pattern has at most {_MOST_WILDCARDS} stars: {text!r}.")
    parts = tuple(part for part in re.split(r"(\*\*|\*)", _normalised(lowered)) if part)
    return Pattern(text, parts)


def _normalised(text: str) -> str:
    first, slash, path = text.partition("/")
    if text in {"*", "**"}:
        return text
    if not slash or not ("." in first or ":" in first or "*" in first or first == "localhost"):
        first, path = _DOCKER, text
    if not is_repository(_STARS.sub("a", path)):
        raise InvalidPattern(f"No repository can have the path that {text[:100]!r} names, so nothing would match it.")
    host = first if "*" in first else _host(first)
    return f"{host}/library/{path}" if host == _DOCKER and "/" not in path and "**" not in path else f"{host}/{path}"


def _host(text: str) -> str:
    try:
        return normal_host(text)
    except InvalidReference as refusal:
        raise InvalidPattern(refusal.message) from refusal
