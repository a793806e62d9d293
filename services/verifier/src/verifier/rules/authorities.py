"""Which public keys the authorities of a rule mean, by what the signer says now."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from verifier.evidence.keys import PublicKey
from verifier.reasons import Code, Reason, Rejection
from verifier.rules.policy import KeySelector, NamedKey, Threshold
from verifier.trust import KeyVersion, Trust


@dataclass(frozen=True, slots=True)
class Accepted:
    """The public keys that count for each authority, and why some that the policy names are missing."""

    keys: Mapping[str, frozenset[PublicKey]]
    problems: tuple[Reason, ...]

    def all_keys(self) -> frozenset[PublicKey]:
        """Every key that counts for some authority."""
        return frozenset().union(*self.keys.values())

    def authorities_of(self, key: PublicKey) -> Iterator[str]:
        """The authorities that a key counts for."""
        return (name for name, keys in self.keys.items() if key in keys)


def resolve(authorities: Mapping[str, tuple[KeySelector, ...]], threshold: Threshold, trust: Trust) -> Accepted:
    """The keys of every authority in a threshold."""
    problems: list[Reason] = []
    keys = {name: frozenset(_keys(authorities[name], trust, problems)) for name in sorted(threshold.authorities())}
    return Accepted(keys, tuple(problems))


def check_overlap(threshold: Threshold, keys: Mapping[str, frozenset[PublicKey]]) -> None:
    """Raises Rejection AUTHORITY_OVERLAP where two authorities of one `of` share a public key."""
    seen: dict[PublicKey, str] = {}
    for member in threshold.of:
        if isinstance(member, Threshold):
            check_overlap(member, keys)
            continue
        for key in keys[member]:
            if seen.setdefault(key, member) != member:
                raise Rejection(
                    Code.AUTHORITY_OVERLAP,
                    f"The authorities {seen[key]} and {member} share a public key: one signer would count as two.",
                    fingerprint=key.fingerprint,
                )


def _keys(selectors: Iterable[KeySelector], trust: Trust, problems: list[Reason]) -> Iterator[PublicKey]:
    for selector in selectors:
        if isinstance(selector, PublicKey):
            yield selector
            continue
        versions = [version for version in trust.versions(selector.name) if selector.version in (None, version.version)]
        if not versions:
            problems.append(_unknown(selector))
        for version in versions:
            if version.public:
                yield version.public
            else:
                problems.append(_unusable(version))


def _unknown(selector: NamedKey) -> Reason:
    return Reason(
        Code.KEY_UNKNOWN,
        f"The policy names the key {selector}, which the signer does not have.",
        {"key": str(selector)},
    )


def _unusable(version: KeyVersion) -> Reason:
    if version.unreadable:
        return Reason(
            Code.KEY_UNAVAILABLE, f"The key {version} cannot be read here: {version.unreadable}.", {"key": str(version)}
        )
    return Reason(Code.WRONG_TYPE, f"The key {version} is no key of image signatures.", {"key": str(version)})
