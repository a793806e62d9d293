"""The verifier over gRPC. Whatever does not fit the question is no answer."""

import re
from collections.abc import Sequence
from typing import Final

import grpc.aio
from chassis.client import RemoteRefusal, call
from chassis.errors import Kind
from hallmark.verifier.v1 import verdict_pb2, verifier_service_pb2_grpc
from hallmark.verifier.v1 import verifier_service_pb2 as pb

from admission.errors import NotJudged
from admission.verdicts import Effect, Question, Verdict
from admission.workloads import Form, NamedImage

_FORMS: Final = {Form.POD: verdict_pb2.OBJECT_FORM_POD, Form.TEMPLATE: verdict_pb2.OBJECT_FORM_TEMPLATE}
_EFFECTS: Final = {
    verdict_pb2.EFFECT_ADMIT: Effect.ADMIT,
    verdict_pb2.EFFECT_ADMIT_WITH_WARNING: Effect.ADMIT_WITH_WARNING,
}
_LONGEST_REQUESTER: Final = 512
_FAILED: Final = "It failed."
_ON_THE_WAY: Final = {
    Kind.DEADLINE_EXCEEDED: "It did not answer in time.",
    Kind.UNAVAILABLE: "It cannot be reached.",
}
_PINNED: Final = re.compile(r".+@sha256:[0-9a-f]{64}", re.ASCII)


class RemoteVerifier:
    """Implements the port Verifier."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = verifier_service_pb2_grpc.VerifierServiceStub(channel)

    async def verify(self, question: Question, seconds: float) -> Sequence[Verdict]:
        """Ask for verdicts. An effect that is not known rejects."""
        request = pb.VerifyImagesRequest(
            namespace=question.namespace,
            requester=question.requester[:_LONGEST_REQUESTER],
            object_kind=question.object_kind,
            object_form=_FORMS[question.form],
            images=[pb.NamedImage(image=one.image, found_at=one.path) for one in question.images],
            dry_run=question.dry_run,
        )
        try:
            answer = await call(self._stub.VerifyImages, request, timeout=seconds)
        except RemoteRefusal as refusal:
            raise _not_judged(refusal) from refusal
        _demand_same([one.image for one in question.images], [verdict.image for verdict in answer.verdicts])
        return [_verdict(*pair) for pair in zip(question.images, answer.verdicts, strict=True)]

    async def resolve(self, namespace: str, images: Sequence[str], seconds: float) -> Sequence[str | None]:
        """Ask for digests."""
        request = pb.ResolveImagesRequest(namespace=namespace, images=images)
        try:
            answer = await call(self._stub.ResolveImages, request, timeout=seconds)
        except RemoteRefusal as refusal:
            raise _not_judged(refusal) from refusal
        _demand_same(images, [resolved.image for resolved in answer.images])
        return [resolved.pinned if _PINNED.fullmatch(resolved.pinned) else None for resolved in answer.images]


def _verdict(named: NamedImage, verdict: verdict_pb2.Verdict) -> Verdict:
    return Verdict(named, _EFFECTS.get(verdict.effect, Effect.REJECT), verdict.message)


def _demand_same(asked: Sequence[str], answered: Sequence[str]) -> None:
    if list(asked) != list(answered):
        raise NotJudged("UNAVAILABLE", "The verifier's answer does not fit the question.", Kind.UNAVAILABLE)


def _not_judged(refusal: RemoteRefusal) -> NotJudged:
    """A refusal of the verifier as it stands; a failure on the way there without the addresses that it names."""
    on_the_way = refusal.reason == refusal.kind.value
    message = _ON_THE_WAY.get(refusal.kind, _FAILED) if on_the_way else refusal.message
    return NotJudged(refusal.reason, f"The verifier did not judge the images. {message}", refusal.kind)
