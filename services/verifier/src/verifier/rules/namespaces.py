"""Patterns of Kubernetes namespaces."""

import re


class NamespacePattern:
    """A namespace where `*` stands for any characters; compared whole. An object without a namespace matches none."""

    __slots__ = ("_expression", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._expression = re.compile("[^/]*".join(re.escape(part) for part in re.split(r"\*+", text)))

    def matches(self, namespace: str) -> bool:
        """Whether the namespace is one of these."""
        return bool(namespace) and self._expression.fullmatch(namespace) is not None
