"""The tables that every service has: its audit log, and the answers given to request ids."""

from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, MetaData, String, Table

from chassis.database import UtcDateTime, metadata

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("time", UtcDateTime, nullable=False),
    Column("caller", String(256), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(512), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("intent", Integer),
    Column("details", JSON, nullable=False),
    Column("correlation_id", String(64), nullable=False),
)
"""Acts, in their order. `intent` is the number of the entry that announced this one."""

requests = Table(
    "requests",
    metadata,
    Column("caller", String(256), primary_key=True),
    Column("method", String(128), primary_key=True),
    Column("request_id", String(128), primary_key=True),
    Column("body", String(64), nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Index("ix_requests_expires", "expires"),
)
"""The first answer to each request id; `body` is the SHA-256 of the request."""


def service_metadata() -> MetaData:
    """The metadata of one service: its own tables are added to it, these stand in it already."""
    made = MetaData(naming_convention=metadata.naming_convention)
    for table in (audit_entries, requests):
        table.to_metadata(made)
    return made
