"""Whether an image carries the signatures that a rule demands: enough that count, by enough different keys."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from verifier.evaluation.signature import Demand, check
from verifier.evaluation.subject import Subject
from verifier.evaluation.thresholds import authorities_met, is_met
from verifier.evidence.findings import Finding, Unreadable
from verifier.evidence.keys import PublicKey
from verifier.reasons import Code, Reason, Rejection
from verifier.rules.authorities import Accepted, check_overlap, resolve
from verifier.rules.policy import Policy, Requirements, Signatures, Threshold


def unmet_signatures(
    signatures: Signatures, requirements: Requirements, policy: Policy, subject: Subject, found: Sequence[Finding]
) -> tuple[Reason, ...]:
    """Why the signatures found are not those that the rule demands; empty where they are."""
    try:
        accepted = resolve(policy.authorities, signatures.threshold, subject.trust)
        check_overlap(signatures.threshold, accepted.keys)
        demand = Demand(accepted.all_keys(), requirements.identity, signatures.max_age)
        counting, against = _count(found, subject, demand)
        keys = _by_authority(counting, accepted)
        if is_met(signatures.threshold, keys):
            return ()
    except Rejection as rejection:
        return (rejection.reason,)
    if not found:
        against = [Reason(Code.NO_SIGNATURE, f"No signature of {subject.digest} was found in {subject.image.name}.")]
    if keys or not against:
        against.insert(0, _shortfall(signatures.threshold, keys))
    return (*against, *accepted.problems)


def _count(found: Iterable[Finding], subject: Subject, demand: Demand) -> tuple[frozenset[PublicKey], list[Reason]]:
    counting: set[PublicKey] = set()
    against: dict[tuple[Code, str], Reason] = {}
    for finding in found:
        try:
            counting.add(_check(finding, subject, demand))
        except Rejection as rejection:
            against.setdefault((rejection.reason.code, rejection.reason.message), rejection.reason)
    return frozenset(counting), list(against.values())


def _check(finding: Finding, subject: Subject, demand: Demand) -> PublicKey:
    if isinstance(finding, Unreadable):
        raise Rejection(finding.reason.code, finding.reason.message)
    return check(finding, subject, demand)


def _by_authority(counting: Iterable[PublicKey], accepted: Accepted) -> Mapping[str, frozenset[str]]:
    keys: dict[str, set[str]] = defaultdict(set)
    for key in counting:
        for authority in accepted.authorities_of(key):
            keys[authority].add(key.fingerprint)
    return {authority: frozenset(fingerprints) for authority, fingerprints in keys.items()}


def _shortfall(threshold: Threshold, keys: Mapping[str, frozenset[str]]) -> Reason:
    met, by = authorities_met(threshold, keys), ", ".join(sorted(keys))
    return Reason(
        Code.THRESHOLD_NOT_MET,
        f"Signatures by different keys are there for {met} of the authorities ({by}); the rule demands {threshold}.",
    )
