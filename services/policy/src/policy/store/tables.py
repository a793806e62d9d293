"""The tables of the policy service."""

from chassis.database import UtcDateTime
from chassis.tables import service_metadata
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

metadata = service_metadata()

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the type is INTEGER."""

revisions = Table(
    "revisions",
    metadata,
    Column("cluster", String(63), primary_key=True),
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    Column("author", String(256), nullable=False),
    Column("time", UtcDateTime, nullable=False),
    Column("comment", String(1024), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("document", LargeBinary, nullable=False),
)

activations = Table(
    "activations",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("cluster", String(63), nullable=False),
    Column("revision", NUMBER, nullable=False),
    Column("author", String(256), nullable=False),
    Column("time", UtcDateTime, nullable=False),
    Column("before", NUMBER, ForeignKey("activations.number")),
    ForeignKeyConstraint(["cluster", "revision"], ["revisions.cluster", "revisions.number"]),
    Index(None, "cluster", "number"),
    sqlite_autoincrement=True,
)
"""Rows are only ever added; their numbers are the counter of WatchPolicies."""

decisions = Table(
    "decisions",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("decision_id", String(64), nullable=False, unique=True),
    Column("time", UtcDateTime, nullable=False),
    Column("cluster", String(63), nullable=False),
    Column("namespace", String(63), nullable=False),
    Column("object_kind", String(63), nullable=False),
    Column("requester", String(512), nullable=False),
    Column("image", String(512), nullable=False),
    Column("repository", String(255), nullable=False),
    Column("tag", String(128), nullable=False),
    Column("found_at", String(256), nullable=False),
    Column("digest", String(71), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("effect", String(24), nullable=False),
    Column("rule", String(100), nullable=False),
    Column("policy_revision", NUMBER, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("message", Text, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("correlation_id", String(64), nullable=False),
    Index(None, "time"),
    Index(None, "cluster", "number"),
    Index(None, "repository", "number"),
    sqlite_autoincrement=True,
)
"""`repository` and `tag` are the image's in normal form, empty where it has none; `reason` the first of `reasons`."""
