"""Images made in memory: layers of any content, manifests, indexes; hostile ones are made by giving other bytes."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backports import zstd

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"

DEBIAN_12 = b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n'


def digest_of(data: bytes) -> str:
    """Its digest, `sha256:` and 64 hex digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True)
class Member:
    """A member of a tar archive; `kind` is one of tarfile's types."""

    path: str
    body: bytes = b""
    kind: bytes = tarfile.REGTYPE
    link: str = ""


def file(path: str, body: bytes | str = b"") -> Member:
    """A regular file."""
    return Member(path, body.encode() if isinstance(body, str) else body)


def directory(path: str) -> Member:
    """A directory."""
    return Member(path, kind=tarfile.DIRTYPE)


def symlink(path: str, target: str) -> Member:
    """A symbolic link."""
    return Member(path, kind=tarfile.SYMTYPE, link=target)


def hard_link(path: str, target: str) -> Member:
    """A hard link to another path of the image."""
    return Member(path, kind=tarfile.LNKTYPE, link=target)


def whiteout(path: str) -> Member:
    """The mark that removes a path of lower layers."""
    parent, slash, name = path.rpartition("/")
    return Member(f"{parent}{slash}.wh.{name}")


def opaque(path: str) -> Member:
    """The mark that empties a directory of lower layers."""
    return Member(f"{path}/.wh..wh..opq")


def tar(members: Iterable[Member], form: int = tarfile.PAX_FORMAT) -> bytes:
    """An archive with its end mark."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for member in members:
            info = tarfile.TarInfo(member.path)
            info.type, info.linkname, info.size = member.kind, member.link, len(member.body)
            info.mtime, info.mode = 1_700_000_000, 0o755
            archive.addfile(info, io.BytesIO(member.body))
    return stream.getvalue()


@dataclass(frozen=True)
class Layer:
    """A layer as it is stored, and the archive in it."""

    blob: bytes
    archive: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """The digest of the blob."""
        return digest_of(self.blob)

    @property
    def diff_id(self) -> str:
        """The digest of the archive."""
        return digest_of(self.archive)

    @property
    def descriptor(self) -> dict[str, Any]:
        """How a manifest names it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.blob)}


def layer(*members: Member, compression: str = "gzip") -> Layer:
    """A layer of these members; `compression` is gzip, zstd or empty."""
    return layer_of(tar(members), compression)


def layer_of(archive: bytes, compression: str = "gzip") -> Layer:
    """A layer of this archive."""
    if compression == "gzip":
        return Layer(gzip.compress(archive, mtime=0), archive, f"{OCI_LAYER}+gzip")
    if compression == "zstd":
        return Layer(zstd.compress(archive), archive, f"{OCI_LAYER}+zstd")
    return Layer(archive, archive, OCI_LAYER)


@dataclass(frozen=True)
class Image:
    """A manifest or index, and the blobs and manifests beneath it."""

    body: bytes
    media_type: str
    platform: Mapping[str, str] = field(default_factory=dict)
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    children: tuple["Image", ...] = ()

    @property
    def digest(self) -> str:
        """Its digest."""
        return digest_of(self.body)

    @property
    def descriptor(self) -> dict[str, Any]:
        """How an index names it."""
        named = {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body)}
        return named | ({"platform": dict(self.platform)} if self.platform else {})

    def manifests(self) -> dict[str, tuple[str, bytes]]:
        """Every manifest in it, children first: digest -> (media type, bytes)."""
        beneath = {digest: one for child in self.children for digest, one in child.manifests().items()}
        return beneath | {self.digest: (self.media_type, self.body)}

    def all_blobs(self) -> dict[str, bytes]:
        """Every blob in it, by digest."""
        return {digest: blob for child in self.children for digest, blob in child.all_blobs().items()} | dict(
            self.blobs
        )


def image(
    *layers: Layer,
    platform: str = "linux/amd64",
    created: str | None = "2026-01-02T03:04:05Z",
    config: Mapping[str, Any] | None = None,
    manifest: Mapping[str, Any] | None = None,
    named_platform: Mapping[str, str] | None = None,
) -> Image:
    """An image of these layers. `config` and `manifest` replace members of those; `named_platform` is what an index
    says of it, by default the truth.
    """
    names = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
    rootfs = {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}
    content = dict(names) | {"rootfs": rootfs} | ({"created": created} if created else {}) | dict(config or {})
    config_body = json.dumps(content).encode()
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": digest_of(config_body), "size": len(config_body)},
        "layers": [layer.descriptor for layer in layers],
    } | dict(manifest or {})
    blobs = {layer.digest: layer.blob for layer in layers} | {digest_of(config_body): config_body}
    named = names if named_platform is None else named_platform
    return Image(json.dumps(body).encode(), str(body["mediaType"]), named, blobs)


def index(*images: Image, annotations: Sequence[Mapping[str, str]] = ()) -> Image:
    """An index of these images; `annotations` are of its first descriptors."""
    descriptors = [one.descriptor for one in images]
    for descriptor, annotation in zip(descriptors, annotations, strict=False):
        descriptor["annotations"] = dict(annotation)
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": descriptors}
    return Image(json.dumps(body).encode(), OCI_INDEX, children=images)


def attestation(subject: Image) -> Image:
    """What build tools put beside an image in its index: an in-toto statement that no runtime runs."""
    statement = json.dumps({"_type": "https://in-toto.io/Statement/v0.1", "subject": subject.digest}).encode()
    descriptor = {"mediaType": "application/vnd.in-toto+json", "digest": digest_of(statement), "size": len(statement)}
    unknown = {"os": "unknown", "architecture": "unknown"}
    made = image(platform="unknown/unknown", manifest={"layers": [descriptor]}, named_platform=unknown)
    return Image(made.body, made.media_type, unknown, {**made.blobs, digest_of(statement): statement})


def dpkg_record(
    name: str, version: str, *, source: str = "", arch: str = "amd64", status: str = "install ok installed"
) -> str:
    """A record of dpkg's database; without `status`, one of a distroless image."""
    lines = [f"Package: {name}", f"Status: {status}" if status else "", f"Architecture: {arch}"]
    lines += [f"Source: {source}" if source else "", f"Version: {version}", f"Description: {name}\n more of {name}"]
    return "\n".join(line for line in lines if line) + "\n\n"


def dpkg_status(*records: str) -> Member:
    """dpkg's database."""
    return file("var/lib/dpkg/status", "".join(records))


def os_release(body: bytes = DEBIAN_12) -> Member:
    """What says which distribution it is."""
    return file("etc/os-release", body)


def wheel(name: str, version: str, *, root: str = "usr/lib/python3/dist-packages") -> Member:
    """An installed Python package."""
    folder = f"{root}/{name.replace('-', '_')}-{version}.dist-info"
    return file(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nText\n")


def node_module(name: str, version: str, *, root: str = "app") -> Member:
    """An installed npm package."""
    return file(f"{root}/node_modules/{name}/package.json", json.dumps({"name": name, "version": version}))


def debian(*records: str, more: Iterable[Member] = ()) -> Image:
    """A Debian image of one layer with these packages."""
    return image(layer(os_release(), dpkg_status(*(records or [dpkg_record("bash", "5.2.15-2+b2")])), *more))
