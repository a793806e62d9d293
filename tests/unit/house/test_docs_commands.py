"""Every `hallmark` command in the documents is one, with these options; and every link leads somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from hallmark_cli.__main__ import hallmark

TOP = Path(__file__).parents[3]
PAGES = [
    file
    for file in [TOP / "README.md", *TOP.glob("docs/**/*.md"), *TOP.glob("*/*/README.md"), *TOP.glob("deploy/**/*.md")]
    if ".venv" not in file.parts
]
SPAN = re.compile(r"`(hallmark [a-z][^`\n]*)`|^ {4}(?:\.venv/bin/)?(hallmark [a-z].*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def commands() -> Iterator[tuple[str, str]]:
    """Each command of each page, without its comment."""
    for page in PAGES:
        for span, block in SPAN.findall(page.read_text()):
            yield page.relative_to(TOP).as_posix(), re.sub(r"\s#.*| \.\.\.$", "", span or block).strip()


def resolved(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words name, and what follows them."""
    found: click.Command = hallmark
    while isinstance(found, click.Group) and words and not words[0].startswith("-"):
        below = found.commands.get(words[0])
        assert below is not None, f"there is no command {words[0]!r}"
        found, words = below, words[1:]
    return found, words


@pytest.mark.parametrize(("page", "written"), list(commands()))
def test_a_command_of_the_documents_is_one(page: str, written: str) -> None:
    found, rest = resolved(shlex.split(written)[1:])
    known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    known |= {"--help", "-h"}
    assert [word for word in rest if word.startswith("-") and word not in known] == [], page


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made where it is shown."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(TOP).as_posix())
def test_a_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link
