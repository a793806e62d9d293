"""Hold keys, signings, revocations, and the order in which verifiers hear of them."""

import sqlalchemy as sa
from alembic import op
from chassis.database import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table; the order of changes begins at 0."""
    _shared()
    _keys()
    _signings()
    _revocations()
    _trust()


def _shared() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("time", UtcDateTime(), nullable=False),
        sa.Column("caller", sa.String(length=256), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=512), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("intent", sa.Integer(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("correlation_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "requests",
        sa.Column("caller", sa.String(length=256), nullable=False),
        sa.Column("method", sa.String(length=128), nullable=False),
        sa.Column("request_id", sa.String(length=128), nullable=False),
        sa.Column("body", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("expires", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "method", "request_id"),
    )
    op.create_index("ix_requests_expires", "requests", ["expires"])


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("vault", sa.String(length=63), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("gate", sa.JSON(), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "key_versions",
        sa.Column("key", sa.String(length=63), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("algorithm", sa.String(length=40), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_from", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["key"], ["keys.name"]),
        sa.PrimaryKeyConstraint("key", "version"),
        sa.UniqueConstraint("fingerprint"),
    )
    op.create_table(
        "vault_seals",
        sa.Column("vault", sa.String(length=63), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("cost", sa.Integer(), nullable=False),
        sa.Column("check_public_key", sa.LargeBinary(), nullable=False),
        sa.Column("check_handle", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("vault"),
    )


def _signings() -> None:
    op.create_table(
        "signings",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("signing_id", sa.String(length=36), nullable=False),
        sa.Column("repository", sa.String(length=512), nullable=False),
        sa.Column("tag", sa.String(length=128), nullable=False),
        sa.Column("key", sa.String(length=63), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("signer", sa.String(length=512), nullable=False),
        sa.Column("signed_at", UtcDateTime(), nullable=False),
        sa.Column("claims", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["key", "key_version"], ["key_versions.key", "key_versions.version"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("signing_id"),
    )
    op.create_index("ix_signings_key", "signings", ["key", "key_version", "signed_at"])
    op.create_index("ix_signings_repository", "signings", ["repository", "number"])
    op.create_table(
        "signed_digests",
        sa.Column("signing_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("gate", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["signing_id"], ["signings.signing_id"]),
        sa.PrimaryKeyConstraint("signing_id", "position"),
    )
    op.create_index("ix_signed_digests_digest", "signed_digests", ["digest"])
    op.create_table(
        "signed_payloads",
        sa.Column("signing_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["signing_id", "position"], ["signed_digests.signing_id", "signed_digests.position"]),
        sa.PrimaryKeyConstraint("signing_id", "position", "form"),
    )


def _revocations() -> None:
    op.create_table(
        "revocations",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revocation_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("signing_id", sa.String(length=36), nullable=True),
        sa.Column("digest", sa.String(length=71), nullable=True),
        sa.Column("key", sa.String(length=63), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("start", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("revoked_by", sa.String(length=512), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("revocation_id"),
    )
    op.create_table(
        "revoked_digests",
        sa.Column("revocation_id", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.ForeignKeyConstraint(["revocation_id"], ["revocations.revocation_id"]),
        sa.PrimaryKeyConstraint("revocation_id", "digest"),
    )
    op.create_index("ix_revoked_digests_digest", "revoked_digests", ["digest"])


def _trust() -> None:
    op.create_table(
        "trust_changes",
        sa.Column("counter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("counter"),
    )
    op.create_table(
        "trust_position",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO trust_position (id, counter) VALUES (1, 0)")
