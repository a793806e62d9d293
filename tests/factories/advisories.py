"""OSV records and zips of them."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any


def osv_record(
    record_id: str = "TEST-1",
    ecosystem: str = "PyPI",
    package: str = "demo",
    *,
    introduced: str = "0",
    fixed: str | None = None,
    aliases: Sequence[str] = (),
    upstream: Sequence[str] = (),
    modified: str = "2026-07-01T00:00:00Z",
    withdrawn: str | None = None,
    cvss: str | None = None,
) -> dict[str, Any]:
    """A record that affects `package` from `introduced` up to `fixed`."""
    events = [{"introduced": introduced}] + ([{"fixed": fixed}] if fixed else [])
    record = {
        "schema_version": "1.7.3",
        "id": record_id,
        "modified": modified,
        "published": "2026-06-01T00:00:00Z",
        "aliases": list(aliases),
        "upstream": list(upstream),
        "summary": f"A flaw of {package}",
        "details": f"**{package}** does what it should not.",
        "references": [{"type": "WEB", "url": f"https://example.com/{record_id}"}],
        "affected": [
            {
                "package": {"ecosystem": ecosystem, "name": package},
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
            }
        ],
    }
    if withdrawn:
        record["withdrawn"] = withdrawn
    if cvss:
        record["severity"] = [{"type": "CVSS_V3", "score": cvss}]
    return record


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return file.getvalue()


def zip_of(*records: Mapping[str, Any]) -> bytes:
    """A zip that holds each record under its id."""
    return zipped({f"{record['id']}.json": json.dumps(record).encode() for record in records})
