"""Pinning: a Pod's tags become the digests that are behind them now. Nothing is judged; what cannot be found stays."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.errors import Kind

from admission.errors import NotJudged
from admission.reviews import Operation, Request
from admission.validation import MOST_IMAGES
from admission.verdicts import Verifier
from admission.workloads import Form, NamedImage, Workload, images_of, is_mirror, workload_of


@dataclass(frozen=True, slots=True)
class Pinning:
    """The operations of the patch. `verifier_error` is set where the verifier was asked and did not answer."""

    operations: tuple[Operation, ...] = ()
    verifier_error: Kind | None = None


async def pin(request: Request, verifier: Verifier, seconds: float | None) -> Pinning:
    """The patch for a request within so many seconds; None: too little time to ask. Raises Unreadable."""
    workload = workload_of(request.kind.group, request.kind.kind)
    if workload is None or workload.form is not Form.POD or request.operation not in ("CREATE", "UPDATE"):
        return Pinning()
    tagged = _tagged(workload, request)
    wanted = sorted({named.image for named in tagged})
    if not wanted or len(wanted) > MOST_IMAGES or seconds is None or is_mirror(request.object):
        return Pinning()
    try:
        found = await verifier.resolve(request.namespace, wanted, seconds)
    except NotJudged as error:
        return Pinning(verifier_error=error.verifier_error)
    pinned = dict(zip(wanted, found, strict=True))
    return Pinning(tuple(_operations(tagged, pinned)))


def _tagged(workload: Workload, request: Request) -> list[NamedImage]:
    """The images to pin. What runs already stays: another image would restart it. The API server takes no patch of
    ephemeral containers.
    """
    running = _running(workload, request)
    return [
        named
        for named in images_of(workload, request.object)
        if named.image
        and "@" not in named.image
        and named.list_name != "ephemeralContainers"
        and named.identity not in running
    ]


def _running(workload: Workload, request: Request) -> set[tuple[str, str, str]]:
    before = images_of(workload, request.old_object) if request.operation == "UPDATE" else ()
    return {named.identity for named in before}


def _operations(tagged: Sequence[NamedImage], pinned: dict[str, str | None]) -> list[Operation]:
    return [Operation(_pointer(named.path), digest) for named in tagged if (digest := pinned[named.image]) is not None]


def _pointer(path: str) -> str:
    """The JSON Pointer (RFC 6901) of `spec.containers[0].image`."""
    return "/" + path.replace("[", "/").replace("]", "").replace(".", "/")
