"""The bytes of essences: what was made out of a file, marked with what it was taken for.

A link may lead to a file that was read as another kind than its own path says.
"""

import zlib
from typing import Any, TypeVar

import msgspec

from scanner.layers.tree import Kept

T = TypeVar("T")


def pack(form: str, told: Any) -> bytes:
    """What a file tells, as an essence; `form` names what it was taken for."""
    return _mark(form) + zlib.compress(msgspec.json.encode(told), 1)


def unpack(form: str, body: bytes, kind: type[T]) -> T | None:
    """What `pack` was given under that name; None for any other bytes."""
    mark = _mark(form)
    return msgspec.json.decode(zlib.decompress(body[len(mark) :]), type=kind) if body.startswith(mark) else None


def problem_of(kept: Kept, form: str) -> str:
    """Why a file has no essence under that name, in a sentence; empty where it has one."""
    if kept.file.body is None:
        return kept.file.problem
    return "" if kept.file.body.startswith(_mark(form)) else "It leads to a file that is of another kind."


def _mark(form: str) -> bytes:
    return f"\0{form}\n".encode()
