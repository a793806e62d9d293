"""Hold revisions of policies, the order in which they came into force, and decisions."""

import sqlalchemy as sa
from alembic import op
from chassis.database import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    _shared()
    _policies()
    _decisions()


def _number() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


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
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_entries")),
    )
    op.create_table(
        "requests",
        sa.Column("caller", sa.String(length=256), nullable=False),
        sa.Column("method", sa.String(length=128), nullable=False),
        sa.Column("request_id", sa.String(length=128), nullable=False),
        sa.Column("body", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("expires", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "method", "request_id", name=op.f("pk_requests")),
    )
    op.create_index("ix_requests_expires", "requests", ["expires"])


def _policies() -> None:
    op.create_table(
        "revisions",
        sa.Column("cluster", sa.String(length=63), nullable=False),
        sa.Column("number", _number(), autoincrement=False, nullable=False),
        sa.Column("author", sa.String(length=256), nullable=False),
        sa.Column("time", UtcDateTime(), nullable=False),
        sa.Column("comment", sa.String(length=1024), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("cluster", "number", name=op.f("pk_revisions")),
    )
    op.create_table(
        "activations",
        sa.Column("number", _number(), autoincrement=True, nullable=False),
        sa.Column("cluster", sa.String(length=63), nullable=False),
        sa.Column("revision", _number(), nullable=False),
        sa.Column("author", sa.String(length=256), nullable=False),
        sa.Column("time", UtcDateTime(), nullable=False),
        sa.Column("before", _number(), nullable=True),
        sa.ForeignKeyConstraint(["before"], ["activations.number"], name=op.f("fk_activations_before_activations")),
        sa.ForeignKeyConstraint(
            ["cluster", "revision"],
            ["revisions.cluster", "revisions.number"],
            name=op.f("fk_activations_cluster_revision_revisions"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_activations")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_activations_cluster_number"), "activations", ["cluster", "number"])


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("number", _number(), autoincrement=True, nullable=False),
        sa.Column("decision_id", sa.String(length=64), nullable=False),
        sa.Column("time", UtcDateTime(), nullable=False),
        sa.Column("cluster", sa.String(length=63), nullable=False),
        sa.Column("namespace", sa.String(length=63), nullable=False),
        sa.Column("object_kind", sa.String(length=63), nullable=False),
        sa.Column("requester", sa.String(length=512), nullable=False),
        sa.Column("image", sa.String(length=512), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("tag", sa.String(length=128), nullable=False),
        sa.Column("found_at", sa.String(length=256), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("effect", sa.String(length=24), nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("policy_revision", _number(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("correlation_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_decisions")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_decisions_decision_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_decisions_cluster_number"), "decisions", ["cluster", "number"])
    op.create_index(op.f("ix_decisions_repository_number"), "decisions", ["repository", "number"])
    op.create_index(op.f("ix_decisions_time"), "decisions", ["time"])
