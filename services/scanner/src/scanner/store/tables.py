"""The scanner's tables of knowledge: inventories, advisories, findings, risk.

Package versions and sets of them are stored once, whichever images hold them; a finding belongs to a package version,
and an image has it by holding the set that holds the version.
"""

from chassis.database import UtcDateTime
from chassis.tables import service_metadata
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = service_metadata()

DIGEST = String(71)
"""`sha256:` and 64 hex digits."""

package_versions = Table(
    "package_versions",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("identity", LargeBinary(32), nullable=False, unique=True),
    Column("ecosystem", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("arch", Text, nullable=False),
    Column("source_name", Text, nullable=False),
    Column("source_version", Text, nullable=False),
    Column("purl", Text, nullable=False),
    Column("feed", String(64), nullable=False),
    Column("matched_name", Text, nullable=False),
    Column("matched_key", LargeBinary),
    Column("module", Text, nullable=False, server_default=""),
    Index("ix_package_versions_matched", "matched_name", "feed"),
    Index("ix_package_versions_name", "name"),
)
"""A version of a package. Advisories are matched by ecosystem (or feed) and matched_name; matched_key is null where the
version is none of its ecosystem."""

package_sets = Table(
    "package_sets",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("identity", LargeBinary(32), nullable=False, unique=True),
)

layers = Table(
    "layers",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("digest", DIGEST, nullable=False, unique=True),
)

_OWNED = text("owner <> ''")

set_members = Table(
    "set_members",
    metadata,
    Column("package_set", ForeignKey("package_sets.number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("package_version", ForeignKey("package_versions.number"), nullable=False),
    Column("layer", ForeignKey("layers.number"), nullable=False),
    Column("path", Text, nullable=False),
    Column("owner", Text, nullable=False, server_default=""),
    Column("evidence", String(16), nullable=False, server_default="METADATA"),
    Column("owner_ecosystem", String(64), nullable=False, server_default=""),
    Index("ix_set_members_package_version", "package_version", "package_set"),
    Index("ix_set_members_owner", "owner", "package_set", sqlite_where=_OWNED, postgresql_where=_OWNED),
)
"""A package in a set, with the layer that brought it and the file that says so; a version may lie there repeatedly.

owner is the distribution's package that the file belongs to, by its name in advisories of owner_ecosystem, both empty
where that is none; evidence what tells of the package."""

images = Table(
    "images",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("repository", Text, nullable=False),
    Column("digest", DIGEST, nullable=False),
    Column("listed", Boolean, nullable=False),
    Column("scan_id", Text, nullable=False),
    Column("last_scanned", UtcDateTime),
    Column("package_set", ForeignKey("package_sets.number")),
    Column("state", String(16)),
    Column("reasons", JSON, nullable=False),
    Column("unreadable", Integer, nullable=False),
    Column("ecosystems", JSON, nullable=False),
    Column("details", JSON, nullable=False),
    Column("still_since", UtcDateTime),
    Column("still_as_of", UtcDateTime),
    UniqueConstraint("repository", "digest"),
    Index("ix_images_package_set", "package_set"),
    Index("ix_images_digest", "digest"),
)
"""An index or manifest in a repository. Listed: asked for by itself. Without last_scanned there is no inventory; with
it, an index has no package_set. Details are what is only shown. Still: since then it is not compared with advisories,
and what is known of it is as old as still_as_of says (null: a feed that it needs was never imported)."""

image_platforms = Table(
    "image_platforms",
    metadata,
    Column("index_image", ForeignKey("images.number"), primary_key=True),
    Column("manifest_image", ForeignKey("images.number"), primary_key=True),
    Column("platform", Text, nullable=False),
    Index("ix_image_platforms_manifest_image", "manifest_image"),
)

inventory_claims = Table(
    "inventory_claims",
    metadata,
    Column("image", ForeignKey("images.number"), primary_key=True),
    Column("document", DIGEST, primary_key=True),
    Column("format", String(32), nullable=False),
    Column("package_set", ForeignKey("package_sets.number"), nullable=False),
    Column("left_out", JSON, nullable=False),
    Column("given", UtcDateTime, nullable=False),
)
"""A document that a person gave about what is in a platform manifest: every scan adds its packages to what it finds."""

image_tags = Table(
    "image_tags",
    metadata,
    Column("repository", Text, primary_key=True),
    Column("tag", String(128), primary_key=True),
    Column("image", ForeignKey("images.number"), nullable=False, index=True),
    Column("seen_at", UtcDateTime, nullable=False),
)

advisories = Table(
    "advisories",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("record_id", String(128), nullable=False, unique=True),
    Column("modified", UtcDateTime, nullable=False),
    Column("published", UtcDateTime),
    Column("withdrawn", Boolean, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("aliases", JSON, nullable=False),
    Column("upstream", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""An OSV record, as it was published, compressed with zlib; severity as in scanner.severity."""

advisory_names = Table(
    "advisory_names",
    metadata,
    Column("advisory", ForeignKey("advisories.number"), primary_key=True),
    Column("name", String(128), primary_key=True),
    Index("ix_advisory_names_name", "name"),
)
"""The ids that mean the same as an advisory, its own among them."""

advisory_vulnerabilities = Table(
    "advisory_vulnerabilities",
    metadata,
    Column("advisory", ForeignKey("advisories.number"), primary_key=True),
    Column("vulnerability", String(128), primary_key=True),
    Index("ix_advisory_vulnerabilities_vulnerability", "vulnerability"),
)

advisory_feeds = Table(
    "advisory_feeds",
    metadata,
    Column("advisory", ForeignKey("advisories.number"), primary_key=True),
    Column("feed", String(64), primary_key=True),
    Index("ix_advisory_feeds_feed", "feed"),
)

affected = Table(
    "affected",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("advisory", ForeignKey("advisories.number"), nullable=False, index=True),
    Column("ecosystem", String(64), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("low", LargeBinary, nullable=False),
    Column("high", LargeBinary),
    Column("fixed", Text),
    Column("comparable", Boolean, nullable=False),
    Column("severity", Integer, nullable=False),
    Index("ix_affected_package", "name", "ecosystem", "low"),
)
"""An interval of affected versions, by keys: from low on, before high (null: no end)."""

feeds = Table(
    "feeds",
    metadata,
    Column("ecosystem", String(64), primary_key=True),
    Column("as_of", UtcDateTime, nullable=False),
    Column("last_imported", UtcDateTime, nullable=False),
    Column("advisories", Integer, nullable=False),
    Column("releases", JSON, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("time", UtcDateTime, nullable=False),
    Column("ecosystems", JSON, nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
)
"""The imports in force; the last number is the revision of the advisories."""

findings = Table(
    "findings",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("package_version", ForeignKey("package_versions.number"), nullable=False),
    Column("vulnerability", String(128), nullable=False),
    Column("severity", Integer, nullable=False),
    Column("fixable", Boolean, nullable=False),
    Column("fixed_versions", JSON, nullable=False),
    Column("advisory_ids", JSON, nullable=False),
    Column("comparable", Boolean, nullable=False),
    Column("first_detected", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    UniqueConstraint("package_version", "vulnerability"),
    Index("ix_findings_vulnerability", "vulnerability"),
)
"""A vulnerability in a package version; open while closed_at is null."""

image_risks = Table(
    "image_risks",
    metadata,
    Column("image", ForeignKey("images.number"), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("unreadable", Integer, nullable=False),
    Column("worst", Integer),
    Column("counts", JSON, nullable=False),
    Column("fixable_counts", JSON, nullable=False),
    Column("risk_digest", String(64), nullable=False),
    Column("feed_set", Text, nullable=False),
    Column("scan_id", Text, nullable=False),
    Column("platforms", JSON, nullable=False),
    Column("revision", Integer, nullable=False, index=True),
)

feed_sets = Table(
    "feed_sets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("ecosystems", JSON, nullable=False),
    Column("as_of", UtcDateTime),
    Column("reasons", JSON, nullable=False),
    Column("revision", Integer, nullable=False, index=True),
)
"""The freshness of each feed set, as it was last streamed."""

risk_changes = Table(
    "risk_changes",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("image", ForeignKey("images.number"), nullable=False, index=True),
    Column("time", UtcDateTime, nullable=False),
    Column("cause", String(16), nullable=False),
    Column("cause_id", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("counts", JSON, nullable=False),
)

risk_position = Table(
    "risk_position",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("counter", Integer, nullable=False),
)
"""One row, made with the schema: the position of the stream of risks, raised within the transaction of each change, so
that changes become visible in the order of their positions."""
