"""Text from outside, made fit for a terminal.

Titles, descriptions, tags and error sentences may hold what an attacker wrote: escape sequences that rewrite the
screen, or invisible characters that turn text around. Each such character is shown as an escape instead.
"""


def printable(text: str) -> str:
    """The text with every character that does not print, but for newlines, replaced by its escape."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def one_line(text: str) -> str:
    """The printable text on one line."""
    return " ".join(printable(text).split())
