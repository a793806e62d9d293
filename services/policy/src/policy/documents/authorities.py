"""Problems of authorities: their names and keys."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from chassis.errors import Violation

from policy.documents.model import Authority, PublicKey, SignerKey
from policy.documents.problems import count, repeated
from policy.documents.public_keys import UnusableKey, fingerprint

_MOST_AUTHORITIES: Final = 100
_MOST_KEYS: Final = 50
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,63}", re.ASCII)
_KEY_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


def authority_problems(authorities: Sequence[Authority]) -> Iterator[Violation]:
    """Everything that is wrong with the authorities of a policy."""
    yield from count("policy.authorities", authorities, _MOST_AUTHORITIES)
    names = []
    for number, authority in enumerate(authorities[:_MOST_AUTHORITIES]):
        path = f"policy.authorities[{number}]"
        names.append((f"{path}.name", authority.name))
        if not _NAME.fullmatch(authority.name):
            yield Violation(f"{path}.name", "A name has 1 to 63 letters, digits, dots, underscores and hyphens.")
        yield from _key_problems(f"{path}.keys", authority.keys)
    yield from repeated(names, "This name")


def public_keys(authorities: Sequence[Authority]) -> Mapping[str, frozenset[str]]:
    """The fingerprints of the PEMs in each authority, by its name; those that cannot be read left out."""
    return {authority.name: frozenset(_fingerprints(authority)) for authority in authorities}


def _fingerprints(authority: Authority) -> Iterator[str]:
    for key in authority.keys[:_MOST_KEYS]:
        if isinstance(key, PublicKey):
            try:
                yield fingerprint(key.pem)
            except UnusableKey:
                # Reported with the key itself; it can overlap with nothing.
                continue


def _key_problems(path: str, keys: Sequence[SignerKey | PublicKey | None]) -> Iterator[Violation]:
    yield from count(path, keys, _MOST_KEYS, least=1)
    seen: list[tuple[str, object]] = []
    for number, key in enumerate(keys[:_MOST_KEYS]):
        at = f"{path}[{number}]"
        match key:
            case None:
                yield Violation(at, "A key is named by signer_key or public_key_pem; neither is set.")
            case SignerKey(name=name):
                seen.append((at, key))
                if not _KEY_NAME.fullmatch(name):
                    yield Violation(f"{at}.signer_key.name", "The signer has keys of 1 to 63 of a-z, 0-9 and hyphens.")
            case PublicKey(pem=pem):
                try:
                    seen.append((at, fingerprint(pem)))
                except UnusableKey as error:
                    yield Violation(f"{at}.public_key_pem", str(error))
    yield from repeated(seen, "This key")
