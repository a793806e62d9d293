"""What the person who deploys gets to read: why not, and what to do. All of it is bounded."""

from collections.abc import Sequence
from typing import Final

from admission.verdicts import Effect, Verdict

_MOST_DENIED: Final = 10
_LONGEST_DENIAL: Final = 8192
_MOST_WARNINGS: Final = 20
_LONGEST_WARNING: Final = 256
"""The API server cuts a warning there; it travels in an HTTP header, hence ASCII alone."""


def denial(verdicts: Sequence[Verdict]) -> str:
    """Why an object is not let in: the images that are rejected, each with the verifier's sentence."""
    rejected = [verdict for verdict in verdicts if verdict.effect is Effect.REJECT]
    lines = [_sentence(verdict) for verdict in rejected[:_MOST_DENIED]]
    if len(rejected) > _MOST_DENIED:
        lines.append(f"And {len(rejected) - _MOST_DENIED} more images.")
    return _cut("hallmark: " + "\n".join(lines), _LONGEST_DENIAL)


def warnings(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """What to say of images that are let in with a warning."""
    warned = [verdict for verdict in verdicts if verdict.effect is Effect.ADMIT_WITH_WARNING]
    return tuple(
        _cut(_plain(f"hallmark: {_sentence(verdict)}"), _LONGEST_WARNING) for verdict in warned[:_MOST_WARNINGS]
    )


def refusal(reason: str, message: str) -> str:
    """Why nothing could be judged."""
    return _cut(f"hallmark: {reason}: {message}", _LONGEST_DENIAL)


def _sentence(verdict: Verdict) -> str:
    message = verdict.message or f"Image {verdict.named.image[:300]!a} is not let in."
    return f"{verdict.named.path}: {message}"


def _plain(text: str) -> str:
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
