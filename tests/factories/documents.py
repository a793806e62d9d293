"""Documents about what is in an image, as tools write them."""

import json
from typing import Any


def cyclonedx(*purls: str, version: str = "1.5", **more: Any) -> bytes:
    """A CycloneDX document of these package URLs."""
    components = [{"type": "library", "name": "x", "purl": purl} for purl in purls]
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": version, "components": components} | more).encode()


def spdx(*purls: str, version: str = "SPDX-2.3", **more: Any) -> bytes:
    """An SPDX document of these package URLs."""
    packages = [
        {
            "name": "x",
            "externalRefs": [
                {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:x"},
                {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl},
            ],
        }
        for purl in purls
    ]
    return json.dumps({"spdxVersion": version, "packages": packages} | more).encode()
