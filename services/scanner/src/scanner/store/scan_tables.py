"""The scanner's tables of work: scans and targets."""

from chassis.database import UtcDateTime
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from scanner.store.tables import DIGEST, metadata

_UNFINISHED = text("state IN ('QUEUED', 'RUNNING')")

scans = Table(
    "scans",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("scan_id", String(32), nullable=False, unique=True),
    Column("repository", Text, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("tag", String(128), nullable=False),
    Column("trigger", String(16), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("target", String(63), nullable=False),
    Column("platforms", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("started", UtcDateTime),
    Column("ended", UtcDateTime),
    Column("reason", String(64)),
    Column("message", Text),
    Column("analyzers", JSON, nullable=False),
    Column("size", BigInteger),
    Column("summary", JSON),
    Index("ix_scans_image", "repository", "digest"),
    Index("ix_scans_digest", "digest"),
    Index("ix_scans_target", "target"),
    Index("ix_scans_queue", "priority", "number", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
    Index(
        "uq_scans_unfinished",
        "repository",
        "digest",
        unique=True,
        sqlite_where=_UNFINISHED,
        postgresql_where=_UNFINISHED,
    ),
)
"""A scan. An image has one unfinished scan at most; reason and message are of a failed one, summary of another."""

targets = Table(
    "targets",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", String(63), nullable=False, unique=True),
    Column("registry", Text, nullable=False),
    Column("include", JSON, nullable=False),
    Column("exclude", JSON, nullable=False),
    Column("platforms", JSON, nullable=False),
    Column("newest", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("token_hash", LargeBinary(32), nullable=False),
    Column("searching", Boolean, nullable=False),
    Column("position", Text, nullable=False),
    Column("search", Integer, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("trouble", Text, nullable=False),
)
"""A target. While searching, every repository up to position (by name) was looked into; search counts the searches that
were begun, so that a step of one that was begun anew is not kept."""

target_images = Table(
    "target_images",
    metadata,
    Column("target", ForeignKey("targets.number"), primary_key=True),
    Column("repository", Text, primary_key=True),
    Column("digest", DIGEST, primary_key=True),
    Column("scan", ForeignKey("scans.number"), nullable=False, index=True),
)
"""An image that belongs to a target, found or pushed, with the scan that is asked for or answers for it."""

pushes = Table(
    "pushes",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("target", String(63), nullable=False),
    Column("repository", Text, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("tag", String(128), nullable=False),
    Column("received", UtcDateTime, nullable=False),
    UniqueConstraint("target", "repository", "digest", "tag"),
)
"""Pushes that were announced and not yet looked into."""
