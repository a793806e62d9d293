"""Gems of Ruby: the specifications that RubyGems writes for what it installs, those of Ruby's own gems too.

A specification is a program. It is not run: RubyGems writes it (Gem::Specification#to_ruby) a field on a line.
"""

import re
from collections.abc import Iterator

from scanner.inventory.analyzer import Analyzer, Found, Image, Wanted
from scanner.inventory.listings import Listed, each_listed, lines_of, listed, listing
from scanner.inventory.model import Evidence

ECOSYSTEM = "RubyGems"

_FIELD = re.compile(
    r"[a-z_]+\.(name|version|platform)\s*=\s*(?:Gem::(?:Version|Platform)\.new\(?\s*)?"
    r"""(?:"([^"#\\]{1,256})"|'([^'\\]{1,256})'|%q\{([^{}\\]{1,256})\})"""
)
_STUB = re.compile(r"# stub: (\S+) (\S+) (\S+) .*")
_ANYWHERE = "ruby"
"""The platform of a gem that is made for none."""


def read_specification(body: bytes) -> Iterator[Listed | str]:
    """The gem of a specification, or the sentence that it can't be read. Raises NoEssence."""
    fields: dict[str, str] = {}
    stub = ("", "", "")
    for line in lines_of(body):
        if match := _FIELD.match(line.strip()):
            fields.setdefault(match[1], match[2] or match[3] or match[4])
        elif not any(stub) and (match := _STUB.fullmatch(line)):
            stub = (match[1], match[2], match[3])
    platform = fields.get("platform") or stub[2]
    arch = "" if platform == _ANYWHERE else platform
    yield listed(fields.get("name") or stub[0], fields.get("version") or stub[1], arch)


def find_packages(image: Image) -> Iterator[Found]:
    """The gems of an image, and what of them could not be read."""
    return each_listed(image.of("ruby"), read_specification, ECOSYSTEM, Evidence.METADATA)


ANALYZER = Analyzer(
    "ruby",
    1,
    {"ruby": Wanted(r"specifications/(?:default/)?[^/]+\.gemspec", listing(read_specification), describing=True)},
    find_packages,
)
