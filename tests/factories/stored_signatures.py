"""Puts signatures into a registry as cosign does: `.sig` manifests, and bundles that refer to the image."""

import json
from typing import Any

from tests.factories import marks
from tests.fakes.registry import FakeRegistry

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2}


def manifest(layers: list[dict[str, Any]], **members: Any) -> bytes:
    """An OCI manifest with an empty config."""
    config = EMPTY | {"digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}
    top = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers}
    return json.dumps(top | members).encode()


def simple_layer(registry: FakeRegistry, repository: str, payload: bytes, signature: str | None) -> dict[str, Any]:
    """Stores a payload; the layer that names it, with its signature."""
    layer: dict[str, Any] = {
        "mediaType": SIMPLE,
        "size": len(payload),
        "digest": registry.put_blob(repository, payload),
    }
    if signature is not None:
        layer["annotations"] = {"dev.cosignproject.cosign/signature": signature}
    return layer


def store_simple(registry: FakeRegistry, repository: str, digest: str, key: marks.PrivateKey, *payloads: bytes) -> str:
    """Signs payloads and stores them as the `.sig` manifest of a digest; its own digest."""
    layers = [simple_layer(registry, repository, payload, marks.b64(marks.sign(key, payload))) for payload in payloads]
    return registry.put_manifest(repository, OCI_MANIFEST, manifest(layers), f"sha256-{digest[7:]}.sig")


def store_bundle(registry: FakeRegistry, repository: str, digest: str, bundle: bytes, **members: Any) -> str:
    """Stores a bundle as a referrer of a digest; the digest of its manifest."""
    layer = {"mediaType": BUNDLE, "size": len(bundle), "digest": registry.put_blob(repository, bundle)}
    subject = {"mediaType": OCI_MANIFEST, "digest": digest, "size": 2}
    body = manifest(**({"layers": [layer], "artifactType": BUNDLE, "subject": subject} | members))
    return registry.put_manifest(repository, OCI_MANIFEST, body)
