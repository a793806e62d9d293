"""How old what is known of an image may be."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from scanner import versions
from scanner.ecosystems import feed_of
from scanner.risk.model import FeedSet, ImageRisk, PlatformRisk, RiskState


@dataclass(frozen=True, slots=True)
class Feed:
    """The advisories of one ecosystem: the time of their source, when they came, how many, and of which releases."""

    ecosystem: str
    as_of: datetime
    last_imported: datetime
    advisories: int
    releases: tuple[str, ...]

    def covers(self, ecosystem: str) -> bool:
        """Whether it speaks of an ecosystem: of its release, or of all of them."""
        return ecosystem == self.ecosystem or ecosystem in self.releases or self.ecosystem in self.releases


MaxAge = Callable[[str], timedelta]
"""How old a feed, by its ecosystem, may grow."""


@dataclass(frozen=True, slots=True)
class Still:
    """An image is not compared with advisories any more; what is known of it is of `as_of` (None: not of any time)."""

    as_of: datetime | None


_SKEW = timedelta(minutes=5)
"""How far the clock may be put back unnoticed."""

_STILL = "still:"
_NEVER = "never"
_STAMP = "%Y%m%dT%H%M%S.%fZ"


def feed_set_name(ecosystems: Collection[str], still: Still | None = None) -> str:
    """The name of the feed set that covers these ecosystems; that of images that stand still says of when."""
    name = "+".join(sorted(ecosystems))
    if still is None or not name:
        return name
    stamp = still.as_of.astimezone(UTC).strftime(_STAMP) if still.as_of else _NEVER
    return f"{_STILL}{stamp}:{name}"


def _split_name(name: str) -> tuple[tuple[str, ...], Still | None]:
    if not name.startswith(_STILL):
        return tuple(name.split("+")), None
    stamp, _, ecosystems = name.removeprefix(_STILL).partition(":")
    as_of = None if stamp == _NEVER else datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    return tuple(ecosystems.split("+")), Still(as_of)


def feed_set(name: str, feeds: Mapping[str, Feed], max_age: MaxAge, now: datetime) -> FeedSet:
    """How fresh the feed set of this name is at `now`. `feeds` is by ecosystem without release."""
    ecosystems, still = _split_name(name)
    if still is not None:
        reason = _stillness(ecosystems, still, max_age, now)
        return FeedSet(name, ecosystems, still.as_of, (reason,) if reason else ())
    compared = {ecosystem: feed_of(ecosystem) for ecosystem in ecosystems if versions.is_known(ecosystem)}
    needed = {ecosystem: feeds.get(compared.get(ecosystem, "")) for ecosystem in ecosystems}
    reasons = tuple(filter(None, (_problem(name, feed, max_age, now) for name, feed in needed.items())))
    known = [feed.as_of for name, feed in needed.items() if feed and feed.covers(name)]
    return FeedSet(name, ecosystems, min(known) if len(known) == len(ecosystems) else None, reasons)


def _stillness(ecosystems: Iterable[str], still: Still, max_age: MaxAge, now: datetime) -> str | None:
    allowed = min(max_age(feed_of(ecosystem)) for ecosystem in ecosystems)
    if still.as_of is None:
        return "It is not kept fresh, and advisories that it needs were not there when it last was."
    if still.as_of - now > _SKEW:
        return f"It was last compared with advisories of {_minute(still.as_of)}, a time to come: a clock is wrong."
    if now - still.as_of > allowed:
        return f"It is not kept fresh: it was last compared with advisories of {_minute(still.as_of)}."
    return None


def _problem(ecosystem: str, feed: Feed | None, max_age: MaxAge, now: datetime) -> str | None:
    if not versions.is_known(ecosystem):
        return f"Packages of {ecosystem} are listed, but not compared with advisories."
    if feed is None:
        return f"The advisories of {ecosystem} were never imported."
    if not feed.covers(ecosystem):
        return f"The advisories imported for {feed.ecosystem} say nothing of {ecosystem}."
    if feed.as_of - now > _SKEW:
        return f"The advisories of {ecosystem} are of {_minute(feed.as_of)}, a time to come: a clock is, or was, wrong."
    allowed = max_age(feed.ecosystem)
    if now - feed.as_of > allowed:
        return f"The advisories of {ecosystem} are of {_minute(feed.as_of)}, older than {_days(allowed)}."
    return None


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _days(age: timedelta) -> str:
    days = age / timedelta(days=1)
    return f"{days:g} day{'' if days == 1 else 's'}"


def next_expiry(feeds: Iterable[Feed], max_age: MaxAge, now: datetime) -> datetime | None:
    """When the next feed grows too old; None where none that is fresh will."""
    expiries = (feed.as_of + max_age(feed.ecosystem) for feed in feeds)
    return min((expiry for expiry in expiries if expiry >= now), default=None)


def with_freshness(risk: ImageRisk, feed_sets: Mapping[str, FeedSet]) -> ImageRisk:
    """The risk with the age of its feeds reckoned in: what was SCANNED is INCOMPLETE where one is too old.

    `feed_sets` holds, by name, those that the risk and its platforms name.
    """
    state, reasons = _aged(risk.state, risk.feed_set, feed_sets)
    return replace(
        risk,
        state=state,
        reasons=risk.reasons + reasons,
        platforms=tuple(_platform_with_freshness(platform, feed_sets) for platform in risk.platforms),
    )


def _platform_with_freshness(platform: PlatformRisk, feed_sets: Mapping[str, FeedSet]) -> PlatformRisk:
    return replace(platform, state=_aged(platform.state, platform.feed_set, feed_sets)[0])


def _aged(state: RiskState, name: str, feed_sets: Mapping[str, FeedSet]) -> tuple[RiskState, tuple[str, ...]]:
    if state not in {RiskState.SCANNED, RiskState.INCOMPLETE}:
        return state, ()
    reasons = feed_sets[name].reasons if name else ()
    return (RiskState.INCOMPLETE if reasons else state), reasons
