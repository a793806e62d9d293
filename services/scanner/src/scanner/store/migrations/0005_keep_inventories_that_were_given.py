"""Keep what documents that a person gave say is in an image."""

import sqlalchemy as sa
from alembic import op
from chassis.database import UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "inventory_claims",
        sa.Column("image", sa.Integer(), nullable=False),
        sa.Column("document", sa.String(length=71), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("package_set", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("given", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["image"], ["images.number"], name=op.f("fk_inventory_claims_image_images")),
        sa.ForeignKeyConstraint(
            ["package_set"], ["package_sets.number"], name=op.f("fk_inventory_claims_package_set_package_sets")
        ),
        sa.PrimaryKeyConstraint("image", "document", name=op.f("pk_inventory_claims")),
    )
