"""The images of Kubernetes objects: where each kind keeps the description of its Pods, and the images in it.

Source: the Kubernetes API reference of core/v1, apps/v1 and batch/v1; EphemeralContainers is of that of 1.16 to 1.22.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, TypeVar

import msgspec

from admission.errors import Unreadable

T = TypeVar("T")


class Form(Enum):
    """Whether an object runs, or is a template of what will."""

    POD = "POD"
    TEMPLATE = "TEMPLATE"


@dataclass(frozen=True, slots=True)
class NamedImage:
    """An image as it stands in an object: `list_name` and `name` tell the container or volume, `path` where it stands
    (as in `spec.containers[0].image`).
    """

    list_name: str
    name: str
    image: str
    path: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it the same in two versions of an object, wherever it stands in its list."""
        return self.list_name, self.name, self.image


class _Container(msgspec.Struct, frozen=True):
    name: str = ""
    image: str = ""


class _ImageSource(msgspec.Struct, frozen=True):
    reference: str = ""


class _Volume(msgspec.Struct, frozen=True):
    name: str = ""
    image: _ImageSource | None = None


class _PodSpec(msgspec.Struct, frozen=True, rename="camel"):
    containers: tuple[_Container, ...] | None = None
    init_containers: tuple[_Container, ...] | None = None
    ephemeral_containers: tuple[_Container, ...] | None = None
    volumes: tuple[_Volume, ...] | None = None


class _EphemeralContainers(msgspec.Struct, frozen=True, rename="camel"):
    ephemeral_containers: tuple[_Container, ...] | None


class _Spec(msgspec.Struct, Generic[T], frozen=True):
    spec: T


class _Template(msgspec.Struct, Generic[T], frozen=True):
    template: T


class _JobTemplate(msgspec.Struct, frozen=True, rename="camel"):
    job_template: _Spec[_Template[_Spec[_PodSpec]]]


class _Annotated(msgspec.Struct, frozen=True):
    class Metadata(msgspec.Struct, frozen=True):
        """The annotations of an object."""

        annotations: dict[str, msgspec.Raw] | None = None

    metadata: Metadata = Metadata()


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind that has Pods: its name, its form, the path of its Pod spec, and how to read it.

    The path is empty where the object itself holds the containers.
    """

    kind: str
    form: Form
    path: str
    read: Callable[[bytes], _PodSpec]


def _reader(shape: type[T], pod_spec: Callable[[T], _PodSpec]) -> Callable[[bytes], _PodSpec]:
    decoder = msgspec.json.Decoder(shape)
    return lambda body: pod_spec(decoder.decode(body))


_POD: Final = Workload("Pod", Form.POD, "spec", _reader(_Spec[_PodSpec], lambda pod: pod.spec))
_TEMPLATED: Final = _reader(_Spec[_Template[_Spec[_PodSpec]]], lambda owner: owner.spec.template.spec)


def _templated(kind: str) -> Workload:
    return Workload(kind, Form.TEMPLATE, "spec.template.spec", _TEMPLATED)


_WORKLOADS: Final = {
    ("", "Pod"): _POD,
    ("", "EphemeralContainers"): Workload(
        "EphemeralContainers",
        Form.POD,
        "",
        _reader(_EphemeralContainers, lambda added: _PodSpec(ephemeral_containers=added.ephemeral_containers)),
    ),
    ("", "PodTemplate"): Workload(
        "PodTemplate",
        Form.TEMPLATE,
        "template.spec",
        _reader(_Template[_Spec[_PodSpec]], lambda owner: owner.template.spec),
    ),
    ("", "ReplicationController"): _templated("ReplicationController"),
    ("apps", "Deployment"): _templated("Deployment"),
    ("apps", "ReplicaSet"): _templated("ReplicaSet"),
    ("apps", "StatefulSet"): _templated("StatefulSet"),
    ("apps", "DaemonSet"): _templated("DaemonSet"),
    ("batch", "Job"): _templated("Job"),
    ("batch", "CronJob"): Workload(
        "CronJob",
        Form.TEMPLATE,
        "spec.jobTemplate.spec.template.spec",
        _reader(_Spec[_JobTemplate], lambda owner: owner.spec.job_template.spec.template.spec),
    ),
}
KINDS: Final = tuple(workload.kind for workload in _WORKLOADS.values() if workload.path)
"""Every kind that has Pods, as far as it is a resource and no part of one."""
_MIRROR: Final = "kubernetes.io/config.mirror"


def workload_of(group: str, kind: str) -> Workload | None:
    """How a kind names its images; None for a kind that has no Pods."""
    return _WORKLOADS.get((group, kind))


def images_of(workload: Workload, body: bytes) -> Sequence[NamedImage]:
    """Every image that an object names, exactly as it stands there. Raises Unreadable."""
    try:
        spec = workload.read(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"The images of this {workload.kind} cannot be read: {str(error)[:200]}") from error
    return list(_images(spec, workload.path))


def is_mirror(body: bytes) -> bool:
    """Whether a Pod says that it mirrors a static one, which a kubelet compares with its own file."""
    try:
        annotations = msgspec.json.decode(body, type=_Annotated).metadata.annotations
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Its images can be read, its annotations cannot: it is no mirror that a kubelet made.
        return False
    return _MIRROR in (annotations or {})


def _images(spec: _PodSpec, path: str) -> Iterator[NamedImage]:
    within = f"{path}." if path else ""
    for list_name, containers in (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
        ("ephemeralContainers", spec.ephemeral_containers),
    ):
        for number, container in enumerate(containers or ()):
            yield NamedImage(list_name, container.name, container.image, f"{within}{list_name}[{number}].image")
    for number, volume in enumerate(spec.volumes or ()):
        if volume.image is not None:
            reference = f"{within}volumes[{number}].image.reference"
            yield NamedImage("volumes", volume.name, volume.image.reference, reference)
