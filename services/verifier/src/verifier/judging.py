"""Judges one image: which rule decides, what the rule demands, and whether that holds now."""

import asyncio
from dataclasses import dataclass, replace

from chassis.clock import Clock
from registry import references
from registry.digests import Digest
from registry.references import InvalidReference, Reference

from verifier.evaluation.scan import unmet_scan
from verifier.evaluation.signatures import unmet_signatures
from verifier.evaluation.subject import Subject
from verifier.evidence.attribution import Attribution, Keys
from verifier.evidence.lookups import Lookup, Lookups
from verifier.feeds import Feeds
from verifier.ports import Tags
from verifier.reasons import Code, Reason, Rejection
from verifier.rules.authorities import resolve
from verifier.rules.policy import FixedVerdict, Policy, Requirements, ScanCondition, Signatures, Unsupported
from verifier.rules.selection import select
from verifier.verdicts import Form, Judged, NamedImage, Verdict, verdict


@dataclass(frozen=True, slots=True)
class Context:
    """Where images are to run: cluster, namespace (may be empty), and the form of the object that names them."""

    cluster: str
    namespace: str
    form: Form


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges images by the active policy. What is not known to hold does not allow."""

    feeds: Feeds
    tags: Tags
    lookups: Lookups
    attribution: Attribution
    clock: Clock

    async def judge(self, context: Context, named: NamedImage, seconds: float) -> Verdict:
        """The verdict on one image, within so many seconds."""
        judged = Judged()
        try:
            policy = self.feeds.policy(context.cluster)
            judged = Judged(revision=policy.revision)
            understood = check_supported(policy)
            image = parse_image(named.image)
        except Rejection as rejection:
            return verdict(named, judged, (rejection.reason,))
        rule = select(understood, context.namespace, image)
        judged = Judged(rule.name, policy.revision, rule.mode)
        match rule.decision:
            case FixedVerdict.ALLOW:
                return verdict(named, judged, ())
            case FixedVerdict.DENY:
                return verdict(named, judged, (Reason(Code.DENIED_BY_RULE, f"The rule {rule.name!r} denies it."),))
            case Requirements() as requirements:
                digest, against = await self._against(understood, requirements, image, seconds)
                return _conclude(context.form, named, image, replace(judged, digest=digest or ""), against)

    async def _against(
        self, policy: Policy, requirements: Requirements, image: Reference, seconds: float
    ) -> tuple[Digest | None, tuple[Reason, ...]]:
        """The digest that the image stands for, if it was reached, and why it is not allowed."""
        digest = image.digest
        try:
            async with asyncio.timeout(seconds):
                digest = digest or await self.tags.resolve(image)
                return digest, await self._unmet(policy, requirements, image, digest)
        except Rejection as rejection:
            return digest, (rejection.reason,)
        except TimeoutError:
            return digest, (Reason(Code.LIMIT_EXCEEDED, "The time given did not suffice to judge the image."),)

    async def _unmet(
        self, policy: Policy, requirements: Requirements, image: Reference, digest: Digest
    ) -> tuple[Reason, ...]:
        self._subject(image, digest)
        unmet: tuple[Reason, ...] = ()
        if requirements.signatures:
            unmet = await self._unmet_signatures(policy, requirements, requirements.signatures, image, digest)
        if requirements.scan:
            unmet += self._unmet_scan(requirements.scan, self._subject(image, digest))
        return unmet

    async def _unmet_signatures(
        self, policy: Policy, requirements: Requirements, signatures: Signatures, image: Reference, digest: Digest
    ) -> tuple[Reason, ...]:
        """Judges by what is remembered; where that does not suffice and is older than seconds, looks again."""
        lookup = await self.lookups.look(image, digest)
        unmet = await self._compare(policy, requirements, signatures, image, digest, lookup)
        if unmet and self.lookups.is_aged(lookup):
            lookup = await self.lookups.look(image, digest, anew=True)
            unmet = await self._compare(policy, requirements, signatures, image, digest, lookup)
        return unmet

    async def _compare(
        self,
        policy: Policy,
        requirements: Requirements,
        signatures: Signatures,
        image: Reference,
        digest: Digest,
        lookup: Lookup,
    ) -> tuple[Reason, ...]:
        trust = self.feeds.trust()
        accepted = resolve(policy.authorities, signatures.threshold, trust)
        keys = Keys(tuple(accepted.all_keys()), tuple(trust.public_keys()))
        found = await self.attribution.attribute(image.name, digest, lookup.stored, keys)
        return unmet_signatures(signatures, requirements, policy, self._subject(image, digest), found)

    def _unmet_scan(self, condition: ScanCondition, subject: Subject) -> tuple[Reason, ...]:
        try:
            risk = self.feeds.risks().of(subject.image.name, subject.digest)
        except Rejection as rejection:
            return (rejection.reason,)
        return unmet_scan(condition, risk, subject.now)

    def _subject(self, image: Reference, digest: Digest) -> Subject:
        """The image with what is trusted now. Raises Rejection TRUST_STALE, or SIGNATURE_REVOKED for its digest."""
        trust = self.feeds.trust()
        trust.check_digest(digest)
        return Subject(image, digest, trust, self.clock.now())


def check_supported(policy: Policy | Unsupported) -> Policy:
    """The policy, if it is understood. Raises Rejection POLICY_UNSUPPORTED."""
    if isinstance(policy, Unsupported):
        raise Rejection(Code.POLICY_UNSUPPORTED, f"The active policy is not understood: {policy.problem}.")
    return policy


def parse_image(text: str) -> Reference:
    """The image in its normal form, which names a tag or a digest. Raises Rejection INVALID_REFERENCE."""
    try:
        return references.parse_image(text)
    except InvalidReference as error:
        raise Rejection(Code.INVALID_REFERENCE, error.message) from error


def _conclude(form: Form, named: NamedImage, image: Reference, judged: Judged, against: tuple[Reason, ...]) -> Verdict:
    if image.digest or not judged.digest:
        return verdict(named, judged, against)
    unpinned = Reason(
        Code.TAG_NOT_PINNED, f"It is named by a tag, which now stands for {judged.digest}.", {"digest": judged.digest}
    )
    if form is Form.POD:
        return verdict(named, judged, (*against, unpinned))
    return verdict(named, judged, against, (unpinned,))
