"""What is remembered of registries, and for how long."""

import asyncio

import pytest
from registry.digests import Digest
from registry.references import Reference, parse_reference
from verifier.evidence import simple_signing
from verifier.evidence.findings import Stored
from verifier.evidence.lookups import Lookups
from verifier.reasons import Code, Rejection

from tests.factories import marks
from tests.fakes.clock import FakeClock

IMAGE = parse_reference(f"{marks.REPOSITORY}@{marks.DIGEST}")
KEY = marks.new_key()


def signature(note: str = "") -> Stored:
    payload = marks.payload(optional={"note": note})
    return simple_signing.parse(simple_signing.place_of(marks.DIGEST, 0), payload, marks.b64(marks.sign(KEY, payload)))


class FakeReader:
    """A registry's signatures, with a door that a test may hold shut."""

    def __init__(self, *stored: Stored) -> None:
        self.stored = stored
        self.reads = 0
        self.failure: Rejection | None = None
        self.began = asyncio.Semaphore(0)
        self.open = asyncio.Event()
        self.open.set()

    async def signatures(self, image: Reference, digest: Digest) -> tuple[Stored, ...]:
        self.reads += 1
        self.began.release()
        stored, failure = self.stored, self.failure
        await self.open.wait()
        if failure:
            raise failure
        return stored


class Counted:
    def __init__(self) -> None:
        self.remembered: list[bool] = []

    def lookup(self, *, remembered: bool) -> None:
        self.remembered.append(remembered)


def lookups(reader: FakeReader, clock: FakeClock, capacity: int = 1 << 20) -> Lookups:
    return Lookups(reader, clock, Counted(), capacity)


async def test_signatures_found_are_not_read_again() -> None:
    reader, clock = FakeReader(signature()), FakeClock()
    subject = lookups(reader, clock)
    first = await subject.look(IMAGE, marks.DIGEST)
    clock.advance(3600)
    assert await subject.look(IMAGE, marks.DIGEST) is first
    assert reader.reads == 1


async def test_absence_is_believed_for_five_seconds() -> None:
    reader, clock = FakeReader(), FakeClock()
    subject = lookups(reader, clock)
    assert not (await subject.look(IMAGE, marks.DIGEST)).stored
    reader.stored = (signature(),)
    clock.advance(5)
    assert not (await subject.look(IMAGE, marks.DIGEST)).stored
    clock.advance(0.5)
    assert (await subject.look(IMAGE, marks.DIGEST)).stored


async def test_what_does_not_suffice_is_read_anew_after_five_seconds() -> None:
    reader, clock = FakeReader(signature()), FakeClock()
    subject = lookups(reader, clock)
    await subject.look(IMAGE, marks.DIGEST)
    reader.stored = (signature(), signature("second"))
    clock.advance(4)
    assert len((await subject.look(IMAGE, marks.DIGEST, anew=True)).stored) == 1
    clock.advance(2)
    assert len((await subject.look(IMAGE, marks.DIGEST, anew=True)).stored) == 2


async def test_a_new_signing_is_seen_at_once() -> None:
    reader = FakeReader()
    subject = lookups(reader, FakeClock())
    await subject.look(IMAGE, marks.DIGEST)
    reader.stored = (signature(),)
    subject.forget("reg.example.com/other", [marks.DIGEST])
    assert not (await subject.look(IMAGE, marks.DIGEST)).stored
    subject.forget(marks.REPOSITORY, [marks.DIGEST])
    assert (await subject.look(IMAGE, marks.DIGEST)).stored


async def test_a_signing_announced_during_a_look_is_not_lost() -> None:
    reader = FakeReader()
    subject = lookups(reader, FakeClock())
    reader.open.clear()
    early = asyncio.create_task(subject.look(IMAGE, marks.DIGEST))
    await reader.began.acquire()
    reader.stored = (signature(),)
    subject.forget(marks.REPOSITORY, [marks.DIGEST])
    late = asyncio.create_task(subject.look(IMAGE, marks.DIGEST))
    await reader.began.acquire()
    reader.open.set()
    assert not (await early).stored
    assert (await late).stored
    assert (await subject.look(IMAGE, marks.DIGEST)).stored


async def test_an_error_is_no_absence_and_not_remembered() -> None:
    reader = FakeReader(signature())
    reader.failure = Rejection(Code.REGISTRY_UNAVAILABLE, "The registry does not answer.")
    subject = lookups(reader, FakeClock())
    for _ in range(2):
        with pytest.raises(Rejection) as refused:
            await subject.look(IMAGE, marks.DIGEST)
        assert refused.value.reason.code is Code.REGISTRY_UNAVAILABLE
    reader.failure = None
    assert (await subject.look(IMAGE, marks.DIGEST)).stored
    assert reader.reads == 3


async def test_those_who_ask_at_the_same_time_share_one_look() -> None:
    reader = FakeReader(signature())
    subject = lookups(reader, FakeClock())
    reader.open.clear()
    asking = [asyncio.create_task(subject.look(IMAGE, marks.DIGEST)) for _ in range(20)]
    await reader.began.acquire()
    asking[0].cancel()
    reader.open.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert len({id(answer) for answer in answers[1:]}) == 1
    assert reader.reads == 1


async def test_a_digest_is_remembered_for_one_repository() -> None:
    reader = FakeReader(signature())
    subject = lookups(reader, FakeClock())
    await subject.look(IMAGE, marks.DIGEST)
    reader.stored = ()
    other = parse_reference(f"reg.example.com/other@{marks.DIGEST}")
    assert not (await subject.look(other, marks.DIGEST)).stored


async def test_memory_is_bounded_and_the_longest_unused_goes_first() -> None:
    reader = FakeReader(signature())
    subject = lookups(reader, FakeClock(), capacity=8000)
    digests = [Digest(f"sha256:{number:064x}") for number in range(9)]
    for digest in digests:
        await subject.look(IMAGE, digest)
        await subject.look(IMAGE, digests[0])
        assert subject.weight <= 8000
    assert reader.reads == len(digests)
    await subject.look(IMAGE, digests[1])
    assert reader.reads == len(digests) + 1


async def test_what_is_too_heavy_to_remember_is_still_answered() -> None:
    reader = FakeReader(signature("x" * 9000))
    subject = lookups(reader, FakeClock(), capacity=8000)
    assert (await subject.look(IMAGE, marks.DIGEST)).stored
    assert subject.weight == 0


async def test_claims_weigh_what_they_take_in_memory_and_not_their_spelling() -> None:
    payload = marks.payload(optional={"a": [[] for _ in range(9000)]})
    reader = FakeReader(simple_signing.parse(simple_signing.place_of(marks.DIGEST, 0), payload, "YQ=="))
    subject = lookups(reader, FakeClock(), capacity=10 * len(payload))
    await subject.look(IMAGE, marks.DIGEST)
    assert subject.weight == 0
