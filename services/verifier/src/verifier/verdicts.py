"""The verdict on one image: outcome, effect, and a sentence for a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from verifier.reasons import Code, Effect, Outcome, Reason, outcome_of
from verifier.rules.policy import Mode

REASONS = 16
"""How many reasons a verdict carries."""
MESSAGE = 2048
"""How many characters a verdict's message has at most."""
_SPELLED = 4
"""How many reasons a message spells out, lest what to do fall off its end."""


class Form(Enum):
    """Which kind of object names the image: what runs, or a template whose Pods are judged again."""

    POD = "POD"
    TEMPLATE = "TEMPLATE"


@dataclass(frozen=True, slots=True)
class NamedImage:
    """An image as an object names it, and where in the object."""

    image: str
    found_at: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about an image and what to do about it. No `rule`, `revision` 0: no policy was reached."""

    named: NamedImage
    outcome: Outcome
    effect: Effect
    digest: str
    rule: str
    revision: int
    reasons: tuple[Reason, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Judged:
    """By what an image was judged; `mode` is ENFORCE wherever there is no rule."""

    rule: str = ""
    revision: int = 0
    mode: Mode = Mode.ENFORCE
    digest: str = ""


_EFFECTS = {Mode.ENFORCE: Effect.REJECT, Mode.WARN: Effect.ADMIT_WITH_WARNING, Mode.AUDIT: Effect.ADMIT}

_REMEDIES = {
    Code.NO_SIGNATURE: "Have it signed by a key that the rule accepts.",
    Code.INVALID_SIGNATURE: "Find out who changed the signature, and sign the image again.",
    Code.UNTRUSTED_KEY: "Have it signed by a key that the rule accepts.",
    Code.KEY_UNKNOWN: "Correct the policy, or create the key.",
    Code.KEY_DISABLED: "Enable the key, or sign with another one that the rule accepts.",
    Code.KEY_UNAVAILABLE: "Upgrade the verifier, or sign with another key that the rule accepts.",
    Code.AUTHORITY_OVERLAP: "Give each authority of the policy keys of its own.",
    Code.SIGNATURE_REVOKED: "Deploy an image that is not revoked.",
    Code.SIGNATURE_TOO_OLD: "Sign the image again.",
    Code.DIGEST_MISMATCH: "Deploy the image that was signed.",
    Code.IDENTITY_MISMATCH: "Deploy the image from the repository that was signed.",
    Code.WRONG_TYPE: "Sign the image with a key for image signatures.",
    Code.THRESHOLD_NOT_MET: "Have it signed by the missing authorities.",
    Code.TAG_NOT_PINNED: "Name the digest.",
    Code.NOT_SCANNED: "Scan the image.",
    Code.SCAN_FAILED: "Look at the scan's error, and scan the image again.",
    Code.SCAN_UNSUPPORTED: "Build the image on a distribution that the scanner knows.",
    Code.SCAN_INCOMPLETE: "Look at the scan's gaps: import the missing feed, or mend the image.",
    Code.SCAN_UNREADABLE: "Look at what the scan could not read, and mend the image.",
    Code.SCAN_TOO_OLD: "Bring the scanner's feeds up to date.",
    Code.SEVERITY_EXCEEDED: "Build the image anew with fixed versions.",
    Code.INVALID_REFERENCE: "Correct the image reference.",
    Code.REGISTRY_NOT_ALLOWED: "Take the image from a registry that the verifier is configured for.",
    Code.REGISTRY_UNAVAILABLE: "Try again; if it stays, look after the registry.",
    Code.RISK_UNAVAILABLE: "Try again; if it stays, look after the scanner.",
    Code.POLICY_MISSING: "Activate a policy for the cluster.",
    Code.POLICY_STALE: "Try again; if it stays, look after the policy service.",
    Code.POLICY_UNSUPPORTED: "Upgrade the verifier, or roll the policy back.",
    Code.TRUST_STALE: "Try again; if it stays, look after the signer.",
    Code.LIMIT_EXCEEDED: "Try again with more time, or fewer images and signatures.",
    Code.DENIED_BY_RULE: "Use an image that a rule allows, or have the policy changed.",
}


def verdict(named: NamedImage, judged: Judged, reasons: Sequence[Reason], warnings: Sequence[Reason] = ()) -> Verdict:
    """The verdict that follows from the reasons against the image; none is ALLOW. Warnings deny nothing.

    A missing, stale or unsupported policy leaves no rule whose mode could let the image in, hence REJECT.
    """
    outcome = outcome_of(reasons)
    effect = _EFFECTS[judged.mode]
    if outcome is Outcome.ALLOW:
        effect = Effect.ADMIT_WITH_WARNING if warnings else Effect.ADMIT
    told = (*reasons, *warnings)[:REASONS]
    return Verdict(
        named,
        outcome,
        effect,
        judged.digest,
        judged.rule,
        judged.revision,
        told,
        _message(named, judged, outcome, told),
    )


def _message(named: NamedImage, judged: Judged, outcome: Outcome, reasons: Sequence[Reason]) -> str:
    what = {
        Outcome.ALLOW: "is allowed",
        Outcome.DENY: "is denied",
        Outcome.UNAVAILABLE: "could not be judged",
    }[outcome]
    by = f" by rule {judged.rule!r}" if judged.rule else ""
    sentences = [f"Image {named.image!a:.300} {what}{by}."]
    sentences += [f"{reason.code.value}: {reason.message:.300}" for reason in reasons[:_SPELLED]]
    if len(reasons) > _SPELLED:
        sentences.append(f"There are {len(reasons) - _SPELLED} more reasons.")
    sentences += list(dict.fromkeys(_REMEDIES[reason.code] for reason in reasons))[:_SPELLED]
    message = " ".join(sentences)
    return message if len(message) <= MESSAGE else message[: MESSAGE - 1] + "…"
