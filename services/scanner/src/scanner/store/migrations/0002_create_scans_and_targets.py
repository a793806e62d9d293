"""Create the tables of the scanner's work: scans and targets."""

import sqlalchemy as sa
from alembic import op
from chassis.database import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create them."""
    _create_scans()
    _create_targets()


def _create_scans() -> None:
    unfinished = sa.text("state IN ('QUEUED', 'RUNNING')")
    op.create_table(
        "scans",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("scan_id", sa.String(length=32), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("tag", sa.String(length=128), nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=63), nullable=False),
        sa.Column("platforms", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("started", UtcDateTime(), nullable=True),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("analyzers", sa.JSON(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("summary", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_scans")),
        sa.UniqueConstraint("scan_id", name=op.f("uq_scans_scan_id")),
    )
    op.create_index("ix_scans_image", "scans", ["repository", "digest"], unique=False)
    op.create_index("ix_scans_digest", "scans", ["digest"], unique=False)
    op.create_index("ix_scans_target", "scans", ["target"], unique=False)
    op.create_index(
        "ix_scans_queue", "scans", ["priority", "number"], sqlite_where=unfinished, postgresql_where=unfinished
    )
    op.create_index(
        "uq_scans_unfinished",
        "scans",
        ["repository", "digest"],
        unique=True,
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )


def _create_targets() -> None:
    op.create_table(
        "targets",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("registry", sa.Text(), nullable=False),
        sa.Column("include", sa.JSON(), nullable=False),
        sa.Column("exclude", sa.JSON(), nullable=False),
        sa.Column("platforms", sa.JSON(), nullable=False),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("searching", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("search", sa.Integer(), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_targets")),
        sa.UniqueConstraint("name", name=op.f("uq_targets_name")),
    )
    op.create_table(
        "target_images",
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("scan", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["target"], ["targets.number"], name=op.f("fk_target_images_target_targets")),
        sa.ForeignKeyConstraint(["scan"], ["scans.number"], name=op.f("fk_target_images_scan_scans")),
        sa.PrimaryKeyConstraint("target", "repository", "digest", name=op.f("pk_target_images")),
    )
    op.create_index(op.f("ix_target_images_scan"), "target_images", ["scan"], unique=False)
    op.create_table(
        "pushes",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=63), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("tag", sa.String(length=128), nullable=False),
        sa.Column("received", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_pushes")),
        sa.UniqueConstraint(
            "target", "repository", "digest", "tag", name=op.f("uq_pushes_target_repository_digest_tag")
        ),
    )
