"""Every signature of an image, each with a verdict of its own: for a person who wants to see what is there."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.clock import Clock
from registry.references import Reference

from verifier.errors import NotInspectable, NotInspected, UnreadableKey
from verifier.evaluation.signature import Demand, check
from verifier.evaluation.subject import Subject
from verifier.evidence.attribution import Attribution, Keys
from verifier.evidence.claims import Place, Signature
from verifier.evidence.findings import Attributed, Finding, Unreadable
from verifier.evidence.keys import PublicKey, UnusableKey, parse_public_key
from verifier.evidence.lookups import Reader
from verifier.feeds import Feeds
from verifier.ports import Tags
from verifier.reasons import Code, Outcome, Reason, Rejection, outcome_of
from verifier.trust import KeyVersion, Trust

KEYS = 16
"""How many public keys a request may bring."""


@dataclass(frozen=True, slots=True)
class Report:
    """A signature and why it does not count; none: it counts under a key asked about.

    `signature` is None where it does not parse; `key` is the one under which it verifies, `version` the signer's name
    of it.
    """

    place: Place
    reasons: tuple[Reason, ...]
    signature: Signature | None = None
    key: PublicKey | None = None
    version: KeyVersion | None = None


@dataclass(frozen=True, slots=True)
class Inspected:
    """The digest looked at, and every signature of it."""

    digest: str
    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """Looks signatures up anew, past everything remembered."""

    feeds: Feeds
    tags: Tags
    reader: Reader
    attribution: Attribution
    clock: Clock

    async def inspect(self, image: Reference, pems: Sequence[str], seconds: float) -> Inspected:
        """Every signature of the image. Raises UnreadableKey, NotInspectable, NotInspected."""
        given = _parse(pems)
        try:
            async with asyncio.timeout(seconds):
                digest = image.digest or await self.tags.resolve(image)
                stored = await self.reader.signatures(image, digest)
                trust = self.feeds.trust()
                counting = given or tuple(trust.public_keys())
                keys = Keys(counting, tuple(trust.public_keys()))
                found = await self.attribution.attribute(image.name, digest, stored, keys)
                subject = Subject(image, digest, self.feeds.trust(), self.clock.now())
        except Rejection as rejection:
            raise _refusal(rejection.reason) from rejection
        except TimeoutError as error:
            raise _refusal(Reason(Code.LIMIT_EXCEEDED, "The time given did not suffice.")) from error
        return Inspected(digest, tuple(_report(finding, subject, Demand(frozenset(counting))) for finding in found))


def _parse(pems: Sequence[str]) -> tuple[PublicKey, ...]:
    if len(pems) > KEYS:
        raise UnreadableKey(f"The request brings {len(pems)} public keys; {KEYS} may be.", field="public_keys_pem")
    keys = []
    for number, pem in enumerate(pems):
        try:
            keys.append(parse_public_key(pem))
        except UnusableKey as error:
            raise UnreadableKey(f"Public key {number + 1} is {error}.", field=f"public_keys_pem[{number}]") from error
    return tuple(keys)


def _report(finding: Finding, subject: Subject, demand: Demand) -> Report:
    if isinstance(finding, Unreadable):
        return Report(finding.place, (finding.reason,))
    reasons: tuple[Reason, ...] = ()
    try:
        subject.trust.check_digest(subject.digest)
        check(finding, subject, demand)
    except Rejection as rejection:
        reasons = (rejection.reason,)
    version = _version(finding, subject.trust)
    return Report(finding.signature.place, reasons, finding.signature, finding.key, version)


def _version(finding: Attributed, trust: Trust) -> KeyVersion | None:
    return next(iter(trust.holders(finding.key.fingerprint)), None) if finding.key else None


def _refusal(reason: Reason) -> NotInspected | NotInspectable:
    kind = NotInspected if outcome_of((reason,)) is Outcome.UNAVAILABLE else NotInspectable
    return kind(reason.message, metadata={"code": reason.code.value} | dict(reason.metadata))
