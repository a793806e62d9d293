"""Decisions: decoded with every bound checked, since they tell what strangers wrote into their objects."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from hallmark.policy.v1 import decision_pb2 as pb
from hallmark.policy.v1 import decision_service_pb2 as pb_service

from policy.errors import MalformedRequest
from policy.records import Alike, Decision, Effect, Outcome, RefusedDecision, Wanted
from policy.wire import requests
from policy.wire.revisions import encode_time

_LONGEST_ID: Final = 64
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_REASON: Final = re.compile(r"[A-Z0-9_]{1,64}", re.ASCII)
_DIGEST: Final = re.compile(r"(?:sha256:[0-9a-f]{64})?", re.ASCII)
_MOST_REASONS: Final = 16
_LONGEST: Final = {
    "namespace": 63,
    "object_kind": 63,
    "requester": 512,
    "image": 512,
    "found_at": 256,
    "rule": 100,
    "message": 2048,
    "correlation_id": 64,
}
_OUTCOMES: Final = {pb.DecisionOutcome.Value(f"DECISION_OUTCOME_{outcome.value}"): outcome for outcome in Outcome}
_EFFECTS: Final = {pb.DecisionEffect.Value(f"DECISION_EFFECT_{effect.value}"): effect for effect in Effect}
_OUTCOME_VALUES: Final = {outcome: value for value, outcome in _OUTCOMES.items()}
_EFFECT_VALUES: Final = {effect: value for value, effect in _EFFECTS.items()}


def decode_decisions(messages: Iterable[pb.Decision]) -> list[Decision | RefusedDecision]:
    """Decisions to keep, each by itself, so that a malformed one takes no other with it."""
    return [_decoded(message) for message in messages]


def _decoded(message: pb.Decision) -> Decision | RefusedDecision:
    try:
        return _decision(message)
    except MalformedRequest as refusal:
        return RefusedDecision(message.decision_id[:_LONGEST_ID], refusal)


def _decision(message: pb.Decision) -> Decision:
    _check(message)
    return Decision(
        decision_id=message.decision_id,
        time=requests.moment(message.time, "time"),
        cluster=requests.cluster(message.cluster, "cluster"),
        namespace=message.namespace,
        object_kind=message.object_kind,
        requester=message.requester,
        image=message.image,
        found_at=message.found_at,
        digest=message.digest,
        outcome=_OUTCOMES[message.outcome],
        effect=_EFFECTS[message.effect],
        rule=message.rule,
        policy_revision=requests.number(message.policy_revision, "policy_revision"),
        reasons=tuple(message.reasons),
        message=message.message,
        dry_run=message.dry_run,
        correlation_id=message.correlation_id,
    )


def _check(message: pb.Decision) -> None:
    for field, longest in _LONGEST.items():
        requests.text(getattr(message, field), field, longest)
    for field, holds, sentence in (
        ("decision_id", _ID.fullmatch(message.decision_id), "An id has 1 to 64 letters, digits, dots, hyphens."),
        ("time", message.HasField("time"), "The time is missing."),
        ("image", message.image, "The image is missing."),
        ("digest", _DIGEST.fullmatch(message.digest), "A digest is sha256: and 64 lower-case hex digits."),
        ("outcome", message.outcome in _OUTCOMES, "The outcome is missing or not known."),
        ("effect", message.effect in _EFFECTS, "The effect is missing or not known."),
        ("reasons", len(message.reasons) <= _MOST_REASONS, f"There are at most {_MOST_REASONS} reasons."),
        ("reasons", all(map(_REASON.fullmatch, message.reasons)), "A reason is a code of A-Z, 0-9 and _."),
    ):
        if not holds:
            raise MalformedRequest(sentence, field=field)


def encode_decision(decision: Decision) -> pb.Decision:
    """A decision as it was kept."""
    return pb.Decision(
        decision_id=decision.decision_id,
        time=encode_time(decision.time),
        cluster=decision.cluster,
        namespace=decision.namespace,
        object_kind=decision.object_kind,
        requester=decision.requester,
        image=decision.image,
        found_at=decision.found_at,
        digest=decision.digest,
        outcome=_OUTCOME_VALUES[decision.outcome],
        effect=_EFFECT_VALUES[decision.effect],
        rule=decision.rule,
        policy_revision=decision.policy_revision,
        reasons=decision.reasons,
        message=decision.message,
        dry_run=decision.dry_run,
        correlation_id=decision.correlation_id,
    )


def encode_refused(refused: RefusedDecision) -> pb_service.RefusedDecision:
    """Why a decision was not kept."""
    refusal = refused.refusal
    return pb_service.RefusedDecision(
        decision_id=refused.decision_id, reason=refusal.reason, field=refusal.field or "", message=refusal.message
    )


def encode_alike(alike: Alike) -> pb.DecisionCount:
    """A count of decisions."""
    return pb.DecisionCount(
        cluster=alike.cluster,
        rule=alike.rule,
        outcome=_OUTCOME_VALUES[alike.outcome],
        effect=_EFFECT_VALUES[alike.effect],
        reason=alike.reason,
        count=alike.count,
        last_time=encode_time(alike.last),
    )


def decode_listed(message: pb_service.ListDecisionsRequest) -> Wanted:
    """The filter of a list. Raises MalformedRequest."""
    image = requests.text(message.image, "image", _LONGEST["image"])
    return replace(decode_counted(message), image=image, outcomes=_outcomes(message.outcomes))


def decode_counted(message: pb_service.ListDecisionsRequest | pb_service.SummarizeDecisionsRequest) -> Wanted:
    """The filter of a summary. Raises MalformedRequest."""
    return Wanted(
        cluster=requests.cluster(message.cluster) if message.cluster else "",
        namespace=requests.text(message.namespace, "namespace", _LONGEST["namespace"]),
        start=requests.moment(message.start_time, "start_time") if message.HasField("start_time") else None,
        end=requests.moment(message.end_time, "end_time") if message.HasField("end_time") else None,
    )


def _outcomes(values: Iterable[pb.DecisionOutcome.ValueType]) -> tuple[Outcome, ...]:
    chosen = set(values)
    if unknown := chosen - _OUTCOMES.keys():
        raise MalformedRequest(f"The outcome {min(unknown)} is not known.", field="outcomes")
    return tuple(_OUTCOMES[value] for value in sorted(chosen))
