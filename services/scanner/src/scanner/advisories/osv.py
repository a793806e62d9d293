"""OSV records, as far as the scanner reads them: https://ossf.github.io/osv-schema/.

Fields that the schema knows and the scanner does not use are skipped; what is read must have the schema's type.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec

_ID = re.compile(r"[!-~]{1,128}", re.ASCII)
_NAME = re.compile(r"[^\0-\x1f\x7f]{1,512}")
_ECOSYSTEM = re.compile(r"[ -~]{1,64}", re.ASCII)

Time = Annotated[datetime, msgspec.Meta(tz=True)]
Texts = tuple[str, ...] | None


class MalformedRecord(Exception):
    """A record that can't be used; the message is a sentence for a person."""


class Event(msgspec.Struct, frozen=True):
    """A version at which a range begins or ends; one of the four is given."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class Range(msgspec.Struct, frozen=True):
    """A range of affected versions (or commits)."""

    type: str
    events: tuple[Event, ...]


class Rating(msgspec.Struct, frozen=True):
    """A severity: a CVSS vector by its type, or a distribution's own word."""

    type: str
    score: str


class Specific(msgspec.Struct, frozen=True):
    """What a source adds of its own; its words of severity among it."""

    severity: object = None
    urgency: object = None


class PackageName(msgspec.Struct, frozen=True):
    """A package that a record speaks of."""

    name: str
    ecosystem: str


class Affected(msgspec.Struct, frozen=True):
    """Which versions of a package are affected."""

    package: PackageName | None = None
    ranges: tuple[Range, ...] | None = None
    versions: Texts = None
    severity: tuple[Rating, ...] | None = None
    ecosystem_specific: Specific | None = None
    database_specific: Specific | None = None


class Reference(msgspec.Struct, frozen=True):
    """Where to read more."""

    url: str
    type: str = "WEB"


class Record(msgspec.Struct, frozen=True):
    """One advisory."""

    id: str
    modified: Time
    published: Time | None = None
    withdrawn: Time | None = None
    aliases: Texts = None
    upstream: Texts = None
    summary: str | None = None
    details: str | None = None
    severity: tuple[Rating, ...] | None = None
    affected: tuple[Affected, ...] | None = None
    references: tuple[Reference, ...] | None = None
    database_specific: Specific | None = None

    @property
    def all_aliases(self) -> tuple[str, ...]:
        """Other ids of the same flaw; what is no id is left out."""
        return tuple(name for name in self.aliases or () if is_id(name) and name != self.id)

    @property
    def all_upstream(self) -> tuple[str, ...]:
        """The flaws that this advisory derives from; what is no id is left out."""
        return tuple(name for name in self.upstream or () if is_id(name))


class GlancedEntry(msgspec.Struct, frozen=True):
    """Which package an entry of `affected` is of."""

    package: PackageName | None = None


class Glance(msgspec.Struct, frozen=True):
    """What tells whether a record brings anything new."""

    id: str
    modified: Time
    affected: tuple[GlancedEntry, ...] | None = None


_RECORDS = msgspec.json.Decoder(Record)
_GLANCES = msgspec.json.Decoder(Glance)
Decoded = TypeVar("Decoded", Record, Glance)


def is_id(text: str) -> bool:
    """Whether a text can be an advisory's id: 1 to 128 visible ASCII characters."""
    return bool(_ID.fullmatch(text))


def glance(body: bytes) -> Glance:
    """Looks at a record. Raises MalformedRecord where it is no OSV record, as far as it is looked at."""
    found = _decoded(_GLANCES, body)
    if not is_id(found.id):
        raise MalformedRecord("Its id is empty, longer than 128 characters, or not of visible ASCII characters.")
    named = [entry.package for entry in found.affected or () if entry.package]
    if not all(_NAME.fullmatch(package.name) and _ECOSYSTEM.fullmatch(package.ecosystem) for package in named):
        raise MalformedRecord("It names a package or an ecosystem that can't be one.")
    return found


def decode(body: bytes) -> Record:
    """Reads a record that was looked at. Raises MalformedRecord where it says nothing that could be used."""
    record = _decoded(_RECORDS, body)
    if not record.affected and record.withdrawn is None:
        raise MalformedRecord("It names nothing that is affected.")
    return record


def _decoded(decoder: "msgspec.json.Decoder[Decoded]", body: bytes) -> Decoded:
    try:
        found = decoder.decode(body)
        _ = found.modified.astimezone(UTC)  # a moment before the year 1 is none
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, RecursionError) as problem:
        raise MalformedRecord(f"It is no OSV record: {str(problem)[:300]}.") from problem
    return found
