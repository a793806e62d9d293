"""Watch streams: whole snapshots, honest heartbeats, and no way back."""

import math
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from chassis.watch import Follower, Notifier, Position, serve
from hallmark.common.v1.stream_pb2 import StreamEvent, StreamHead

from tests.fakes.clock import FakeClock


class Shelf:
    """A store of words, each with the counter of its last change."""

    def __init__(self, *words: str, epoch: int = 1, kept: bool = True) -> None:
        self.words = dict.fromkeys(words, 1)
        self.epoch = epoch
        self.kept = kept

    def put(self, word: str) -> None:
        self.words[word] = max(self.words.values(), default=0) + 1

    async def position(self) -> Position:
        return Position(self.epoch, max(self.words.values(), default=0))

    async def snapshot(self) -> tuple[Position, AsyncIterator[Sequence[str]]]:
        async def batches() -> AsyncIterator[Sequence[str]]:
            for word in sorted(self.words):
                yield [word]

        return await self.position(), batches()

    async def changes(self, after: int) -> Sequence[tuple[int, str]] | None:
        if not self.kept:
            return None
        return sorted((counter, word) for word, counter in self.words.items() if counter > after)


async def take(shelf: Shelf, token: str, until: str) -> list[tuple[str, tuple[str, ...], str]]:
    seen = []
    async for head, records in serve(shelf, token, Notifier()):
        name = StreamEvent.Name(head.event).removeprefix("STREAM_EVENT_")
        seen.append((name, tuple(records), head.resume_token))
        if name == until:
            break
    return seen


async def test_a_new_reader_gets_a_snapshot_then_heartbeats() -> None:
    assert await take(Shelf("a", "b"), "", "HEARTBEAT") == [
        ("SNAPSHOT_BEGIN", (), ""),
        ("SNAPSHOT_BATCH", ("a",), ""),
        ("SNAPSHOT_BATCH", ("b",), ""),
        ("SNAPSHOT_END", (), "1.1"),
        ("HEARTBEAT", (), "1.1"),
    ]


async def test_a_reader_resumes_with_what_changed() -> None:
    shelf = Shelf("a", "b")
    shelf.put("c")
    assert await take(shelf, "1.1", "HEARTBEAT") == [("CHANGE", ("c",), "1.2"), ("HEARTBEAT", (), "1.2")]


@pytest.mark.parametrize("token", ["nonsense", "2.1", "1.99", "1.\u0661", "-1.1"])
async def test_an_unknown_token_restarts_a_snapshot(token: str) -> None:
    assert (await take(Shelf("a"), token, "SNAPSHOT_END"))[0][0] == "SNAPSHOT_BEGIN"


async def test_changes_that_are_not_kept_restart_a_snapshot() -> None:
    assert (await take(Shelf("a", kept=False), "1.1", "SNAPSHOT_END"))[0][0] == "SNAPSHOT_BEGIN"


class Reader:
    """A follower with what it holds, over streams that are given one by one."""

    def __init__(self, *streams: list[tuple[str, int, int, list[str]]]) -> None:
        self.clock = FakeClock()
        self.held: list[str] = []
        self.tokens: list[str] = []
        self._streams = iter(streams)
        self.follower = Follower[str](
            name="shelf", epoch=1, clock=self.clock, opened=self._open, swap=self._swap, apply=self.held.extend,
            sleep=self._sleep,
        )  # fmt: skip

    def _swap(self, words: Sequence[str]) -> None:
        self.held[:] = words

    async def _sleep(self, _seconds: float) -> None:
        self.clock.advance(10)

    async def _open(self, token: str) -> AsyncIterator[tuple[StreamHead, Sequence[str]]]:
        self.tokens.append(token)
        stream = next(self._streams, None)
        if stream is None:
            raise KeyboardInterrupt
        for name, epoch, counter, words in stream:
            text = "" if name in {"SNAPSHOT_BEGIN", "SNAPSHOT_BATCH"} else f"{epoch}.{counter}"
            event = StreamEvent.Value(f"STREAM_EVENT_{name}")
            yield StreamHead(event=event, epoch=epoch, counter=counter, resume_token=text), words

    async def run(self) -> "Reader":
        with pytest.raises(KeyboardInterrupt):
            await self.follower.run()
        return self


WHOLE = [("SNAPSHOT_BEGIN", 1, 5, []), ("SNAPSHOT_BATCH", 1, 5, ["a"]), ("SNAPSHOT_END", 1, 5, [])]


async def test_before_the_first_snapshot_nothing_is_held_and_the_age_has_no_end() -> None:
    reader = await Reader([("SNAPSHOT_BEGIN", 1, 5, []), ("SNAPSHOT_BATCH", 1, 5, ["a"])]).run()
    assert (reader.held, reader.follower.age()) == ([], math.inf)


async def test_a_snapshot_that_breaks_half_way_leaves_what_was_held() -> None:
    again = [("SNAPSHOT_BEGIN", 1, 6, []), ("SNAPSHOT_BATCH", 1, 6, ["b"])]
    reader = await Reader([*WHOLE, ("CHANGE", 1, 6, ["x"])], again, [("HEARTBEAT", 1, 6, [])]).run()
    assert reader.held == ["a", "x"]
    assert reader.tokens[:3] == ["", "1.6", "1.6"]


@pytest.mark.parametrize(("epoch", "counter"), [(2, 9), (1, 4)])
async def test_a_stream_of_another_epoch_or_that_goes_back_is_not_believed(epoch: int, counter: int) -> None:
    rolled: list[tuple[str, int, int, list[str]]] = [
        ("SNAPSHOT_BEGIN", epoch, counter, []),
        ("SNAPSHOT_END", epoch, counter, []),
    ]
    reader = await Reader(WHOLE, rolled).run()
    assert reader.held == ["a"]
    assert reader.follower.age() == 20


async def test_a_heartbeat_makes_it_young_again() -> None:
    reader = await Reader(WHOLE, [("HEARTBEAT", 1, 5, [])]).run()
    assert reader.follower.age() == 10


async def test_a_heartbeat_before_any_snapshot_is_not_believed() -> None:
    reader = await Reader([("HEARTBEAT", 1, 5, [])]).run()
    assert reader.follower.age() == math.inf


@pytest.mark.parametrize("jump", [timedelta(days=-365), timedelta(days=365)])
async def test_a_time_of_day_that_jumps_makes_it_neither_older_nor_younger(jump: timedelta) -> None:
    reader = await Reader(WHOLE, [("HEARTBEAT", 1, 5, [])]).run()
    reader.clock.set(reader.clock.now() + jump)
    assert reader.follower.age() == 10
