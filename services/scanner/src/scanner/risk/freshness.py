"""How old what is known of an image may be."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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


def feed_set_name(ecosystems: Collection[str]) -> str:
    """The name of the feed set that covers these ecosystems."""
    return "+".join(sorted(ecosystems))


def ecosystems_of(name: str) -> tuple[str, ...]:
    """The ecosystems that the feed set of this name covers."""
    return tuple(name.split("+")) if name else ()


def feed_set(ecosystems: Collection[str], feeds: Mapping[str, Feed], max_age: MaxAge, now: datetime) -> FeedSet:
    """How fresh these ecosystems' feeds are at `now`. `feeds` is by ecosystem without release."""
    ordered = tuple(sorted(ecosystems))
    needed = {ecosystem: feeds.get(feed_of(ecosystem)) for ecosystem in ordered}
    reasons = tuple(filter(None, (_problem(name, feed, max_age, now) for name, feed in needed.items())))
    known = [feed.as_of for name, feed in needed.items() if feed and feed.covers(name)]
    as_of = min(known) if known and len(known) == len(ordered) else None
    return FeedSet(feed_set_name(ordered), ordered, as_of, reasons)


def _problem(ecosystem: str, feed: Feed | None, max_age: MaxAge, now: datetime) -> str | None:
    if feed is None:
        return f"The advisories of {ecosystem} were never imported."
    if not feed.covers(ecosystem):
        return f"The advisories imported for {feed.ecosystem} say nothing of {ecosystem}."
    allowed = max_age(feed.ecosystem)
    if now - feed.as_of > allowed:
        return f"The advisories of {ecosystem} are of {feed.as_of:%Y-%m-%d %H:%M} UTC, older than {_days(allowed)}."
    return None


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
