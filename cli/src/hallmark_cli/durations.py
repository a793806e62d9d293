"""Durations as people write them: a whole number and a unit, `90d`, `24h`, `30m` or `45s`."""

import re

from google.protobuf.duration_pb2 import Duration

SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
FORM = re.compile(r"([1-9][0-9]{0,9})([dhms])", re.ASCII)
LONGEST = 100 * 365 * 86_400


def parse(text: str) -> Duration:
    """The duration. Raises ValueError with a sentence."""
    match = FORM.fullmatch(text)
    seconds = int(match[1]) * SECONDS[match[2]] if match else 0
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"`{text}` is no duration: write a whole number and d, h, m or s, for example 90d.")
    return Duration(seconds=seconds)


def spoken(duration: Duration) -> str:
    """The duration in its largest whole unit."""
    unit = next(unit for unit, seconds in SECONDS.items() if duration.seconds % seconds == 0)
    return f"{duration.seconds // SECONDS[unit]}{unit}"
