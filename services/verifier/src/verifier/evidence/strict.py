"""Strict decoding of what strangers wrote: JSON with one meaning only, and base64 with one spelling only."""

import base64
import binascii
import json
import math
from typing import TypeAlias

from verifier.reasons import Code, Rejection

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

DEPTH = 32
"""How deep objects and arrays may nest."""
VALUES = 10_000
"""How many values a text may hold: in memory each takes many times the bytes of its spelling."""
DIGITS = 18
"""How many digits an integer may have, so that it fits 64 bits everywhere."""


def malformed(problem: str) -> Rejection:
    """A signature that does not parse: it counts for nothing, and says so."""
    return Rejection(Code.INVALID_SIGNATURE, f"A signature does not parse: {problem}.")


def decode_json(data: bytes, what: str) -> Json:
    """The value of a JSON text (RFC 8259) that every reader understands alike.

    Refused: other encodings than UTF-8, a byte order mark, duplicate names, NaN and infinities, lone surrogates,
    integers beyond 18 digits, nesting beyond 32, more than 10,000 values. Raises Rejection INVALID_SIGNATURE.
    """
    try:
        value: Json = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_bounded,
        )
        # Escaped lone surrogates survive decoding, and no UTF-8 can say them.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise malformed(f"{what} is not strict JSON") from error
    if _is_deeper(value, DEPTH):
        raise malformed(f"{what} nests too deep")
    if count_values(value) > VALUES:
        raise malformed(f"{what} holds more than {VALUES} values")
    return value


def count_values(value: Json) -> int:
    """How many values are in a value, itself among them."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(count_values, inner))


def decode_base64(text: Json, what: str) -> bytes:
    """The bytes of standard base64 with padding (RFC 4648 section 4), in its one canonical spelling, not empty.

    Raises Rejection INVALID_SIGNATURE.
    """
    if not isinstance(text, str) or not text:
        raise malformed(f"{what} is missing")
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise malformed(f"{what} is not standard base64") from error
    if base64.b64encode(data).decode("ascii") != text:
        raise malformed(f"{what} is not canonical base64")
    return data


def members(
    value: Json, what: str, required: frozenset[str], optional: frozenset[str] = frozenset()
) -> dict[str, Json]:
    """The members of an object that has all the required names and none beyond the optional ones."""
    if not isinstance(value, dict):
        raise malformed(f"{what} is not an object")
    missing = required - value.keys()
    strange = value.keys() - required - optional
    if missing or strange:
        raise malformed(f"{what} lacks or adds members: {', '.join(sorted(missing | strange))[:200]!a}")
    return value


def string(value: Json, what: str) -> str:
    """A string, which may be empty."""
    if not isinstance(value, str):
        raise malformed(f"{what} is not a string")
    return value


def _is_deeper(value: Json, depth: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is not None and (depth == 0 or any(_is_deeper(below, depth - 1) for below in inner))


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate name")
    return found


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("infinite number")
    return number


def _bounded(text: str) -> int:
    if len(text.lstrip("-")) > DIGITS:
        raise ValueError("integer too long")
    return int(text)
