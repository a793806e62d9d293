"""How much time a review has: what the API server's `?timeout=` says, less what the answer's way back takes."""

import re
from typing import Final

from admission.errors import NoReview

_DEFAULT: Final = 10.0
_LONGEST: Final = 30.0
"""Kubernetes gives a webhook 10 seconds unless told otherwise, and 30 at most."""
_MARGIN: Final = 0.3
_LEAST: Final = 0.1
_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ns|us|µs|ms|s|m|h)")
_LONGEST_TEXT: Final = 32


def seconds_of(timeout: str | None) -> float:
    """The seconds of a Go duration such as `10s` or `1m30s`; 10 where it is absent. Raises NoReview."""
    if timeout is None:
        return _DEFAULT
    parts = list(_PART.finditer(timeout)) if len(timeout) <= _LONGEST_TEXT else []
    if not parts or "".join(part[0] for part in parts) != timeout:
        raise NoReview(f"The timeout {timeout[:_LONGEST_TEXT]!a} is no duration such as 10s.")
    return min(sum(float(part[1]) * _UNITS[part[2]] for part in parts), _LONGEST)


def patience(timeout: str | None) -> float:
    """The seconds for which to wait for a body; 10 where the timeout is no duration, so that its sender can be told."""
    try:
        return seconds_of(timeout)
    except NoReview:
        return _DEFAULT


def left(seconds: float, spent: float) -> float | None:
    """The seconds left for the verifier of those given, after `spent`; None where they do not suffice."""
    remaining = seconds - spent - _MARGIN
    return remaining if remaining >= _LEAST else None
