"""Follows the policies in force, and writes the decision log."""

import logging
from collections.abc import AsyncIterator, Sequence
from typing import Final

import grpc.aio
from chassis.client import refusal_of
from chassis.clock import Clock
from chassis.watch import Follower
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.common.v1.stream_pb2 import StreamHead
from hallmark.policy.v1 import decision_pb2, decision_service_pb2, decision_service_pb2_grpc
from hallmark.policy.v1 import policy_service_pb2 as pb
from hallmark.policy.v1 import policy_service_pb2_grpc as rpc

from verifier.clients.policy_records import decode_policy
from verifier.reasons import Effect, Outcome
from verifier.rules.policy import Policy, Unsupported
from verifier.verification import Decision

log = logging.getLogger(__name__)

_OUTCOMES: Final = {
    outcome: decision_pb2.DecisionOutcome.Value(f"DECISION_OUTCOME_{outcome.value}") for outcome in Outcome
}
_EFFECTS: Final = {effect: decision_pb2.DecisionEffect.Value(f"DECISION_EFFECT_{effect.value}") for effect in Effect}


class PolicyFeed:
    """The Policies of WatchPolicies."""

    def __init__(self, channel: grpc.aio.Channel, epoch: int, clock: Clock) -> None:
        self._stub = rpc.PolicyServiceStub(channel)
        self._policies: dict[str, Policy | Unsupported] = {}
        self._follower = Follower(
            name="policies", epoch=epoch, clock=clock, opened=self._opened, swap=self._swap, apply=self._apply
        )

    def of(self, cluster: str) -> Policy | Unsupported | None:
        """The policy in force in a cluster."""
        return self._policies.get(cluster)

    def age(self) -> float:
        """Seconds since the policy service last spoke."""
        return self._follower.age()

    async def run(self) -> None:
        """Follows until cancelled."""
        await self._follower.run()

    async def _opened(self, token: str) -> AsyncIterator[tuple[StreamHead, Sequence[Policy | Unsupported]]]:
        async for answer in self._stub.WatchPolicies(pb.WatchPoliciesRequest(resume_token=token)):
            yield answer.head, [decode_policy(record) for record in answer.records]

    def _swap(self, policies: Sequence[Policy | Unsupported]) -> None:
        self._policies = {policy.cluster: policy for policy in policies}

    def _apply(self, policies: Sequence[Policy | Unsupported]) -> None:
        self._policies |= {policy.cluster: policy for policy in policies}


class DecisionLog:
    """The Log of RecordDecisions."""

    def __init__(self, channel: grpc.aio.Channel, seconds: float) -> None:
        self._stub = decision_service_pb2_grpc.DecisionServiceStub(channel)
        self._seconds = seconds

    async def write(self, decisions: Sequence[Decision]) -> int:
        """Sends the decisions, which are at most 500; returns how many were refused for good. Raises RemoteRefusal."""
        request = decision_service_pb2.RecordDecisionsRequest(decisions=[encode_decision(one) for one in decisions])
        try:
            answer = await self._stub.RecordDecisions(iter((request,)), timeout=self._seconds)
        except grpc.aio.AioRpcError as error:
            raise refusal_of(error) from error
        for refused in answer.refusals:
            fields = {"reason": refused.reason, "field": refused.field, "decision": refused.decision_id}
            log.error("decision refused by the log", extra=fields)
        return answer.refused


def encode_decision(decision: Decision) -> decision_pb2.Decision:
    """A decision within the bounds of the log."""
    verdict, asked = decision.verdict, decision.asked
    time = Timestamp()
    time.FromDatetime(decision.time)
    return decision_pb2.Decision(
        decision_id=decision.id,
        time=time,
        cluster=decision.context.cluster,
        namespace=decision.context.namespace,
        object_kind=asked.object_kind,
        requester=asked.requester,
        image=verdict.named.image[:512] or '""',
        found_at=verdict.named.found_at,
        digest=verdict.digest,
        outcome=_OUTCOMES[verdict.outcome],
        effect=_EFFECTS[verdict.effect],
        rule=verdict.rule,
        policy_revision=verdict.revision,
        reasons=[reason.code.value for reason in verdict.reasons],
        message=verdict.message,
        dry_run=asked.dry_run,
        correlation_id=asked.correlation_id,
    )
