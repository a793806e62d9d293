"""The piece of the configuration that says how old feeds may grow."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from scanner.risk.freshness import MaxAge

DEFAULT_DAYS = 7.0


class Feeds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many days old a feed may grow: every one, and by ecosystem (OSV's name without a release)."""

    max_age_days: float = DEFAULT_DAYS
    max_age_days_of: Mapping[str, float] = {}

    def __post_init__(self) -> None:
        if not all(0 < days <= 3650 for days in (self.max_age_days, *self.max_age_days_of.values())):  # noqa: PLR2004
            raise ValueError("a feed's age is more than 0 and at most 3650 days")


def max_age(feeds: Feeds) -> MaxAge:
    """How old each feed may grow."""
    return lambda ecosystem: timedelta(days=feeds.max_age_days_of.get(ecosystem, feeds.max_age_days))
