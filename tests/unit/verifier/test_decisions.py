"""Decisions on their way to the log: in order, in batches, bounded, and counted where they are lost."""

import asyncio
from collections.abc import Sequence

import pytest
from chassis.errors import InvalidArgument, Refusal, Unavailable
from hallmark.policy.v1 import decision_pb2
from verifier.clients.policy import encode_decision
from verifier.decisions import DecisionBuffer
from verifier.judging import Context
from verifier.reasons import Code, Reason
from verifier.rules.policy import Mode
from verifier.verdicts import Form, Judged, NamedImage, verdict
from verifier.verification import Asked, Decision

from tests.factories import trusts

CONTEXT = Context("prod-eu", "pay", Form.POD)


def decision(number: int = 0, image: str = "reg.example.com/x:1") -> Decision:
    judged = Judged("payments", 7, Mode.WARN, "sha256:" + "ab" * 32)
    given = verdict(NamedImage(image, "spec"), judged, [Reason(Code.NO_SIGNATURE, "No signature.")])
    return Decision(str(number), trusts.NOW, CONTEXT, Asked("ann", "Pod", False, "c1"), given)


class FakeLog:
    """A decision log that may be away."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.refusal: Refusal | None = None
        self.refused = 0
        self.asked = asyncio.Semaphore(0)

    async def write(self, decisions: Sequence[Decision]) -> int:
        await asyncio.sleep(0)
        self.asked.release()
        if self.refusal:
            raise self.refusal
        self.batches.append([decision.id for decision in decisions])
        return self.refused


class Counted:
    def __init__(self) -> None:
        self.written = 0
        self.lost = 0

    def recorded(self, count: int) -> None:
        self.written += count

    def dropped(self, count: int) -> None:
        self.lost += count


async def test_what_comes_in_is_written_in_order_and_in_batches() -> None:
    log, counted = FakeLog(), Counted()
    buffer = DecisionBuffer(log, counted, 10_000)
    for number in range(1200):
        buffer.record(decision(number))
    await buffer.flush()
    assert [len(batch) for batch in log.batches] == [200] * 6
    assert [one for batch in log.batches for one in batch] == [str(number) for number in range(1200)]
    assert (counted.written, counted.lost, len(buffer)) == (1200, 0, 0)


async def test_a_full_buffer_drops_and_counts() -> None:
    log, counted = FakeLog(), Counted()
    buffer = DecisionBuffer(log, counted, 2)
    for number in range(5):
        buffer.record(decision(number))
    await buffer.flush()
    assert (log.batches, counted.lost) == ([["0", "1"]], 3)


async def test_what_the_log_cannot_take_now_is_sent_again() -> None:
    log, counted, slept = FakeLog(), Counted(), asyncio.Event()
    log.refusal = Unavailable("It is away.")

    async def sleep(_seconds: float) -> None:
        log.refusal = None
        slept.set()

    buffer = DecisionBuffer(log, counted, 10, sleep)
    running = asyncio.create_task(buffer.run())
    buffer.record(decision(1))
    await slept.wait()
    await log.asked.acquire()
    await log.asked.acquire()
    running.cancel()
    assert (log.batches, counted.written, counted.lost) == ([["1"]], 1, 0)


async def test_a_flush_that_fails_loses_nothing() -> None:
    log = FakeLog()
    log.refusal = Unavailable("It is away.")
    buffer = DecisionBuffer(log, Counted(), 10)
    buffer.record(decision(1))
    with pytest.raises(Unavailable):
        await buffer.flush()
    assert len(buffer) == 1


async def test_two_flushes_at_once_write_everything_once() -> None:
    log = FakeLog()
    buffer = DecisionBuffer(log, Counted(), 10)
    buffer.record(decision(1))
    await asyncio.gather(buffer.flush(), buffer.flush())
    assert log.batches == [["1"]]


async def test_what_the_log_refuses_by_itself_is_counted_as_lost_and_not_sent_again() -> None:
    log, counted = FakeLog(), Counted()
    log.refused = 1
    buffer = DecisionBuffer(log, counted, 10)
    for number in range(3):
        buffer.record(decision(number))
    await buffer.flush()
    assert (counted.written, counted.lost, len(buffer)) == (2, 1, 0)


async def test_what_the_log_calls_malformed_does_not_hold_up_the_rest() -> None:
    log, counted = FakeLog(), Counted()
    log.refusal = InvalidArgument("So odd.")
    buffer = DecisionBuffer(log, counted, 10)
    buffer.record(decision(1))
    await buffer.flush()
    log.refusal = None
    buffer.record(decision(2))
    await buffer.flush()
    assert (log.batches, counted.lost) == ([["2"]], 1)


def test_a_decision_carries_the_whole_verdict() -> None:
    sent = encode_decision(decision(5))
    assert (sent.decision_id, sent.cluster, sent.namespace, sent.requester) == ("5", "prod-eu", "pay", "ann")
    assert (sent.image, sent.digest, sent.rule, sent.policy_revision) == (
        "reg.example.com/x:1", "sha256:" + "ab" * 32, "payments", 7,
    )  # fmt: skip
    assert sent.outcome == decision_pb2.DECISION_OUTCOME_DENY
    assert sent.effect == decision_pb2.DECISION_EFFECT_ADMIT_WITH_WARNING
    assert (list(sent.reasons), sent.correlation_id) == (["NO_SIGNATURE"], "c1")
    assert sent.message.startswith("Image 'reg.example.com/x:1' is denied by rule 'payments'.")


@pytest.mark.parametrize("image", ["", "x" * 5000])
def test_an_odd_image_stays_within_the_bounds_of_the_log(image: str) -> None:
    assert 1 <= len(encode_decision(decision(image=image)).image) <= 512
