"""Create the tables of what the scanner knows."""

import sqlalchemy as sa
from alembic import op
from chassis.database import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them."""
    _create_chassis()
    _create_packages()
    _create_images()
    _create_advisories()
    _create_affected()
    _create_feeds()
    _create_risks()
    op.execute(sa.text("INSERT INTO risk_position (id, counter) VALUES (1, 0)"))


def _create_chassis() -> None:
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
    op.create_index("ix_requests_expires", "requests", ["expires"], unique=False)


def _create_packages() -> None:
    op.create_table(
        "layers",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_layers")),
        sa.UniqueConstraint("digest", name=op.f("uq_layers_digest")),
    )
    op.create_table(
        "package_sets",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("identity", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_package_sets")),
        sa.UniqueConstraint("identity", name=op.f("uq_package_sets_identity")),
    )
    op.create_table(
        "package_versions",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("identity", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ecosystem", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("arch", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("source_version", sa.Text(), nullable=False),
        sa.Column("purl", sa.Text(), nullable=False),
        sa.Column("feed", sa.String(length=64), nullable=False),
        sa.Column("matched_name", sa.Text(), nullable=False),
        sa.Column("matched_key", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_package_versions")),
        sa.UniqueConstraint("identity", name=op.f("uq_package_versions_identity")),
    )
    op.create_index("ix_package_versions_matched", "package_versions", ["matched_name", "feed"], unique=False)
    op.create_index("ix_package_versions_name", "package_versions", ["name"], unique=False)
    op.create_table(
        "set_members",
        sa.Column("package_set", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("package_version", sa.Integer(), nullable=False),
        sa.Column("layer", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["layer"], ["layers.number"], name=op.f("fk_set_members_layer_layers")),
        sa.ForeignKeyConstraint(
            ["package_set"], ["package_sets.number"], name=op.f("fk_set_members_package_set_package_sets")
        ),
        sa.ForeignKeyConstraint(
            ["package_version"],
            ["package_versions.number"],
            name=op.f("fk_set_members_package_version_package_versions"),
        ),
        sa.PrimaryKeyConstraint("package_set", "position", name=op.f("pk_set_members")),
    )
    op.create_index("ix_set_members_package_version", "set_members", ["package_version", "package_set"], unique=False)


def _create_images() -> None:
    op.create_table(
        "images",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("scan_id", sa.Text(), nullable=False),
        sa.Column("last_scanned", UtcDateTime(), nullable=True),
        sa.Column("package_set", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("unreadable", sa.Integer(), nullable=False),
        sa.Column("ecosystems", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("still_since", UtcDateTime(), nullable=True),
        sa.Column("still_as_of", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["package_set"], ["package_sets.number"], name=op.f("fk_images_package_set_package_sets")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_images")),
        sa.UniqueConstraint("repository", "digest", name=op.f("uq_images_repository_digest")),
    )
    op.create_index("ix_images_digest", "images", ["digest"], unique=False)
    op.create_index("ix_images_package_set", "images", ["package_set"], unique=False)
    op.create_table(
        "image_platforms",
        sa.Column("index_image", sa.Integer(), nullable=False),
        sa.Column("manifest_image", sa.Integer(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["index_image"], ["images.number"], name=op.f("fk_image_platforms_index_image_images")),
        sa.ForeignKeyConstraint(
            ["manifest_image"], ["images.number"], name=op.f("fk_image_platforms_manifest_image_images")
        ),
        sa.PrimaryKeyConstraint("index_image", "manifest_image", name=op.f("pk_image_platforms")),
    )
    op.create_index("ix_image_platforms_manifest_image", "image_platforms", ["manifest_image"], unique=False)
    op.create_table(
        "image_tags",
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("tag", sa.String(length=128), nullable=False),
        sa.Column("image", sa.Integer(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["image"], ["images.number"], name=op.f("fk_image_tags_image_images")),
        sa.PrimaryKeyConstraint("repository", "tag", name=op.f("pk_image_tags")),
    )
    op.create_index(op.f("ix_image_tags_image"), "image_tags", ["image"], unique=False)


def _create_advisories() -> None:
    op.create_table(
        "advisories",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.String(length=128), nullable=False),
        sa.Column("modified", UtcDateTime(), nullable=False),
        sa.Column("published", UtcDateTime(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("upstream", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_advisories")),
        sa.UniqueConstraint("record_id", name=op.f("uq_advisories_record_id")),
    )
    op.create_table(
        "advisory_feeds",
        sa.Column("advisory", sa.Integer(), nullable=False),
        sa.Column("feed", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["advisory"], ["advisories.number"], name=op.f("fk_advisory_feeds_advisory_advisories")
        ),
        sa.PrimaryKeyConstraint("advisory", "feed", name=op.f("pk_advisory_feeds")),
    )
    op.create_index("ix_advisory_feeds_feed", "advisory_feeds", ["feed"], unique=False)
    op.create_table(
        "advisory_names",
        sa.Column("advisory", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["advisory"], ["advisories.number"], name=op.f("fk_advisory_names_advisory_advisories")
        ),
        sa.PrimaryKeyConstraint("advisory", "name", name=op.f("pk_advisory_names")),
    )
    op.create_index("ix_advisory_names_name", "advisory_names", ["name"], unique=False)
    op.create_table(
        "advisory_vulnerabilities",
        sa.Column("advisory", sa.Integer(), nullable=False),
        sa.Column("vulnerability", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["advisory"], ["advisories.number"], name=op.f("fk_advisory_vulnerabilities_advisory_advisories")
        ),
        sa.PrimaryKeyConstraint("advisory", "vulnerability", name=op.f("pk_advisory_vulnerabilities")),
    )
    op.create_index(
        "ix_advisory_vulnerabilities_vulnerability", "advisory_vulnerabilities", ["vulnerability"], unique=False
    )


def _create_affected() -> None:
    op.create_table(
        "affected",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("advisory", sa.Integer(), nullable=False),
        sa.Column("ecosystem", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("low", sa.LargeBinary(), nullable=False),
        sa.Column("high", sa.LargeBinary(), nullable=True),
        sa.Column("fixed", sa.Text(), nullable=True),
        sa.Column("comparable", sa.Boolean(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["advisory"], ["advisories.number"], name=op.f("fk_affected_advisory_advisories")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_affected")),
    )
    op.create_index(op.f("ix_affected_advisory"), "affected", ["advisory"], unique=False)
    op.create_index(op.f("ix_affected_ecosystem"), "affected", ["ecosystem"], unique=False)
    op.create_index("ix_affected_package", "affected", ["name", "ecosystem", "low"], unique=False)


def _create_feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("ecosystem", sa.String(length=64), nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.Column("last_imported", UtcDateTime(), nullable=False),
        sa.Column("advisories", sa.Integer(), nullable=False),
        sa.Column("releases", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("ecosystem", name=op.f("pk_feeds")),
    )
    op.create_table(
        "imports",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("time", UtcDateTime(), nullable=False),
        sa.Column("ecosystems", sa.JSON(), nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_imports")),
    )
    op.create_table(
        "findings",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("package_version", sa.Integer(), nullable=False),
        sa.Column("vulnerability", sa.String(length=128), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("fixable", sa.Boolean(), nullable=False),
        sa.Column("fixed_versions", sa.JSON(), nullable=False),
        sa.Column("advisory_ids", sa.JSON(), nullable=False),
        sa.Column("comparable", sa.Boolean(), nullable=False),
        sa.Column("first_detected", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["package_version"], ["package_versions.number"], name=op.f("fk_findings_package_version_package_versions")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_findings")),
        sa.UniqueConstraint("package_version", "vulnerability", name=op.f("uq_findings_package_version_vulnerability")),
    )
    op.create_index("ix_findings_vulnerability", "findings", ["vulnerability"], unique=False)


def _create_risks() -> None:
    op.create_table(
        "feed_sets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ecosystems", sa.JSON(), nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_feed_sets")),
    )
    op.create_index(op.f("ix_feed_sets_revision"), "feed_sets", ["revision"], unique=False)
    op.create_table(
        "risk_position",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_position")),
    )
    op.create_table(
        "image_risks",
        sa.Column("image", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("unreadable", sa.Integer(), nullable=False),
        sa.Column("worst", sa.Integer(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("fixable_counts", sa.JSON(), nullable=False),
        sa.Column("risk_digest", sa.String(length=64), nullable=False),
        sa.Column("feed_set", sa.Text(), nullable=False),
        sa.Column("scan_id", sa.Text(), nullable=False),
        sa.Column("platforms", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["image"], ["images.number"], name=op.f("fk_image_risks_image_images")),
        sa.PrimaryKeyConstraint("image", name=op.f("pk_image_risks")),
    )
    op.create_index(op.f("ix_image_risks_revision"), "image_risks", ["revision"], unique=False)
    op.create_table(
        "risk_changes",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("image", sa.Integer(), nullable=False),
        sa.Column("time", UtcDateTime(), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("cause_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["image"], ["images.number"], name=op.f("fk_risk_changes_image_images")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_risk_changes")),
    )
    op.create_index(op.f("ix_risk_changes_image"), "risk_changes", ["image"], unique=False)
