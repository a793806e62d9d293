"""Policies of every form that the YAML can say."""

from google.protobuf.duration_pb2 import Duration
from hallmark.common.v1.severity_pb2 import Severity
from hallmark.policy.v1 import policy_pb2 as pb
from hypothesis import strategies as st

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z"), include_characters=" "), max_size=20)
DURATIONS = st.integers(1, 3_650 * 86_400).map(lambda seconds: Duration(seconds=seconds))
RANKED = st.sampled_from(
    [
        Severity.SEVERITY_CRITICAL,
        Severity.SEVERITY_HIGH,
        Severity.SEVERITY_MEDIUM,
        Severity.SEVERITY_LOW,
        Severity.SEVERITY_NEGLIGIBLE,
    ]
)
VERDICTS = st.sampled_from([pb.FIXED_VERDICT_ALLOW, pb.FIXED_VERDICT_DENY])
KEYS = st.one_of(
    st.builds(pb.SignerKey, name=NAMES, version=st.integers(0, 999)).map(lambda key: pb.AuthorityKey(signer_key=key)),
    st.just(pb.AuthorityKey(public_key_pem="-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")),
)
AUTHORITIES = st.builds(pb.Authority, name=NAMES, keys=st.lists(KEYS, min_size=1, max_size=3))
MEMBERS = st.recursive(
    NAMES.map(lambda name: pb.ThresholdMember(authority=name)),
    lambda inner: st.builds(pb.Threshold, at_least=st.integers(1, 9), of=st.lists(inner, min_size=1, max_size=3)).map(
        lambda threshold: pb.ThresholdMember(threshold=threshold)
    ),
    max_leaves=5,
)
SIGNATURES = st.builds(
    pb.SignatureRequirement,
    at_least=st.integers(1, 9),
    of=st.lists(MEMBERS, min_size=1, max_size=3),
    max_age=st.none() | DURATIONS,
)
IDENTITIES = st.one_of(
    st.sampled_from([pb.IDENTITY_MATCH_REPOSITORY, pb.IDENTITY_MATCH_EXACT, pb.IDENTITY_MATCH_ANY]).map(
        lambda match: pb.IdentityRequirement(match=match)
    ),
    st.builds(pb.Remap, from_prefix=WORDS, to_prefix=WORDS).map(lambda remap: pb.IdentityRequirement(remap=remap)),
)
SCANS = st.builds(
    pb.ScanRequirement,
    max_severity=st.none() | RANKED,
    ignore_unfixed=st.booleans(),
    unknown_as=st.none() | RANKED,
    allow_unreadable=st.booleans(),
    max_age=st.none() | DURATIONS,
)
REQUIREMENTS = st.builds(
    pb.Requirement, signatures=st.none() | SIGNATURES, identity=st.none() | IDENTITIES, scan=st.none() | SCANS
)
MATCHES = st.builds(pb.Match, namespaces=st.lists(WORDS, max_size=2), images=st.lists(WORDS, max_size=2))
RULES = st.one_of(
    st.builds(pb.Rule, name=WORDS, match=st.none() | MATCHES, verdict=VERDICTS),
    st.builds(
        pb.Rule,
        name=WORDS,
        match=st.none() | MATCHES,
        require=REQUIREMENTS,
        mode=st.none() | st.sampled_from([pb.RULE_MODE_ENFORCE, pb.RULE_MODE_WARN, pb.RULE_MODE_AUDIT]),
    ),
)


def policies() -> st.SearchStrategy[pb.Policy]:
    """Policies; each can be said in YAML, not each makes sense."""
    return st.builds(
        pb.Policy,
        cluster=NAMES,
        authorities=st.lists(AUTHORITIES, max_size=3),
        default_verdict=VERDICTS,
        rules=st.lists(RULES, max_size=3),
    )
