"""Tell of a package's owner by which distribution's advisories it is known, and find packages by their owners."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column and the index; nothing known so far has an owner."""
    named = sa.Column("owner_ecosystem", sa.String(length=64), nullable=False, server_default="")
    op.add_column("set_members", named)
    owned = sa.text("owner <> ''")
    op.create_index(
        "ix_set_members_owner", "set_members", ["owner", "package_set"], sqlite_where=owned, postgresql_where=owned
    )
