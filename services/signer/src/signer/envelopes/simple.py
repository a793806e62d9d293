"""Simple signing: the payload of cosign's `.sig` signatures, and the manifest that holds them.

Payload: `containers-signature(5)` of containers/image, with the type that cosign gives it. Storage: cosign's signature
specification. One OCI image manifest at the tag `sha256-<hex>.sig` has one layer for each signature, whoever made it.
"""

import base64
import json
from typing import Any, Final

from registry.digests import Digest
from registry.manifests import LARGEST, OCI_MANIFEST

from signer.envelopes.blobs import Blob
from signer.envelopes.facts import Facts, annotations, compact
from signer.errors import SignaturesFull

_CONFIG_TYPE: Final = "application/vnd.oci.image.config.v1+json"
_PAYLOAD_TYPE: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
_SIGNATURE: Final = "dev.cosignproject.cosign/signature"
_MAX_LAYERS: Final = 1000  # cosign reads no more


def payload(facts: Facts) -> bytes:
    """Return the bytes to sign."""
    critical = {
        "identity": {"docker-reference": facts.reference},
        "image": {"docker-manifest-digest": facts.digest},
        "type": "cosign container image signature",
    }
    return compact({"critical": critical, "optional": annotations(facts)})


def layer(signed: bytes, signature: bytes) -> Blob:
    """Return the layer of a signed payload, with the signature beside it."""
    return Blob(_PAYLOAD_TYPE, signed, {_SIGNATURE: base64.b64encode(signature).decode("ascii")})


def tag(digest: Digest) -> str:
    """Return the tag that holds the signatures on a digest."""
    return digest.replace(":", "-") + ".sig"


def with_layer(stored: Blob | None, added: Blob) -> tuple[Blob, Blob]:
    """Return config and manifest with one more signature; those stored (None: none yet) stay as they are.

    Raises SignaturesFull where what is stored is no such manifest, or has no room.
    """
    manifest = _read(stored) if stored is not None else {}
    layers = [*manifest.get("layers", []), added.descriptor()]
    config = Blob(_CONFIG_TYPE, _config([item["digest"] for item in layers]))
    kind = {"schemaVersion": 2, "mediaType": OCI_MANIFEST}
    content = compact({**manifest, **kind, "config": config.descriptor(), "layers": layers})
    if len(layers) > _MAX_LAYERS or len(content) > LARGEST:
        raise SignaturesFull(f"The image has {len(layers) - 1} signatures, and no more fit in one manifest.")
    return config, Blob(OCI_MANIFEST, content)


def holds(stored: Blob | None, layer_: Blob) -> bool:
    """Say whether the manifest stored has this very layer."""
    return stored is not None and layer_.descriptor() in _read(stored)["layers"]


def _read(stored: Blob) -> dict[str, Any]:
    try:
        manifest = json.loads(stored.content)
        kinds = {stored.media_type, manifest.get("mediaType", OCI_MANIFEST)}
        digests = [item["digest"] for item in manifest["layers"]]
        if kinds == {OCI_MANIFEST} and all(isinstance(digest, str) for digest in digests):
            return dict(manifest)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass  # refused below, like any other manifest that holds no signatures
    raise SignaturesFull("What stands at the image's signature tag is no manifest of signatures; have it removed.")


def _config(diff_ids: list[str]) -> bytes:
    return compact({"architecture": "", "os": "", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}})
