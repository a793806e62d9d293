"""Patterns of Kubernetes namespaces."""

import re

from registry.patterns import Pattern


class NamespacePattern:
    """A namespace where `*` stands for any characters; compared whole. An object without a namespace matches none."""

    __slots__ = ("_pattern", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._pattern = Pattern(text, tuple(part for part in re.split(r"(\*)", text) if part))

    def matches(self, namespace: str) -> bool:
        """Whether the namespace is one of these. Time: length times stars, whatever the two are."""
        return bool(namespace) and self._pattern.matches(namespace)
