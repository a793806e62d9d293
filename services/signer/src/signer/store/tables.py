"""The signer's tables."""

from chassis.database import UtcDateTime
from chassis.tables import service_metadata
from sqlalchemy import (
    JSON,
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

DIGEST = String(71)  # `sha256:` and 64 hex digits
UUID = String(36)

keys = Table(
    "keys",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("vault", String(63), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("gate", JSON),
    Column("labels", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

key_versions = Table(
    "key_versions",
    metadata,
    Column("key", ForeignKey("keys.name"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("algorithm", String(40), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("handle", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_from", UtcDateTime),
)

vault_seals = Table(
    "vault_seals",
    metadata,
    Column("vault", String(63), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("cost", Integer, nullable=False),
    Column("check_public_key", LargeBinary, nullable=False),
    Column("check_handle", LargeBinary, nullable=False),
)

signings = Table(
    "signings",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("signing_id", UUID, nullable=False, unique=True),
    Column("repository", String(512), nullable=False),
    Column("tag", String(128), nullable=False),
    Column("key", String(63), nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("signer", String(512), nullable=False),
    Column("signed_at", UtcDateTime, nullable=False),
    Column("claims", JSON, nullable=False),
    Column("state", String(20), nullable=False),
    Column("failure", Text, nullable=False),
    ForeignKeyConstraint(["key", "key_version"], ["key_versions.key", "key_versions.version"]),
    Index("ix_signings_repository", "repository", "number"),
    Index("ix_signings_key", "key", "key_version", "signed_at"),
)

signed_digests = Table(
    "signed_digests",
    metadata,
    Column("signing_id", ForeignKey("signings.signing_id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("digest", DIGEST, nullable=False, index=True),
    Column("gate", JSON, nullable=False),
)

signed_payloads = Table(
    "signed_payloads",
    metadata,
    Column("signing_id", UUID, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("form", String(20), primary_key=True),
    Column("sha256", LargeBinary(32), nullable=False),
    ForeignKeyConstraint(["signing_id", "position"], ["signed_digests.signing_id", "signed_digests.position"]),
)

revocations = Table(
    "revocations",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("revocation_id", UUID, nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("signing_id", UUID),
    Column("digest", DIGEST),
    Column("key", String(63)),
    Column("version", Integer),
    Column("start", UtcDateTime),
    Column("reason", Text, nullable=False),
    Column("revoked_by", String(512), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

revoked_digests = Table(
    "revoked_digests",
    metadata,
    Column("revocation_id", ForeignKey("revocations.revocation_id"), primary_key=True),
    Column("digest", DIGEST, primary_key=True, index=True),
)

trust_position = Table(
    "trust_position",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("counter", Integer, nullable=False),
)

trust_changes = Table(
    "trust_changes",
    metadata,
    Column("counter", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(20), nullable=False),
    Column("subject", String(128), nullable=False),
)
