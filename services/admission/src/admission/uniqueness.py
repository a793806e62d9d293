"""Refuses JSON in which an object has a name twice, since two readers may take two different values of it."""

import json
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from admission.errors import NoReview

_ODD: Final = (b"\\u0022", b"\\u003a", b"\\u003A", b'" ', b'"\t', b'"\r', b'"\n')


def demand_unique(body: bytes) -> None:
    """Return where every name is unique in its object. Raises NoReview.

    An API server writes compactly: each name ends in `":`, and each `":` ends a name or stands so in a text. Where
    the body is like that, and none of them is lost when it is read and written again, no name was; else each object is
    looked at, which takes ten times as long.
    """
    try:
        if not any(odd in body for odd in _ODD) and body.count(b'":') == _once(body).count(b'":'):
            return
        json.loads(body, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise NoReview(f"The body is no JSON that has one meaning: {str(error)[:200]}.") from error


def _once(body: bytes) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(body))


def _unique(pairs: Sequence[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice in an object")
