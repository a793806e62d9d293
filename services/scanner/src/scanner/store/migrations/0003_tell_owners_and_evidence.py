"""Tell of packages their rpm module, who owns them, and what tells that they are there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; every package known so far that is no dpkg package was told of by its metadata."""
    op.add_column("package_versions", sa.Column("module", sa.Text(), nullable=False, server_default=""))
    op.add_column("set_members", sa.Column("owner", sa.Text(), nullable=False, server_default=""))
    op.add_column("set_members", sa.Column("evidence", sa.String(length=16), nullable=False, server_default="METADATA"))
    members = sa.table("set_members", sa.column("path", sa.Text()), sa.column("evidence", sa.String()))
    of_dpkg = members.c.path.startswith("var/lib/dpkg/status")
    op.execute(members.update().where(of_dpkg).values(evidence="DATABASE"))
