"""Policies in YAML: what they become, and where they are refused."""

import pytest
from google.protobuf.duration_pb2 import Duration
from hallmark.common.v1.severity_pb2 import Severity
from hallmark.policy.v1 import policy_pb2 as pb
from hallmark_cli import policyfile, policytext
from hallmark_cli.yamltree import Malformed
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.policies import policies

WHOLE = """\
apiVersion: hallmark.policy/v1
kind: ClusterPolicy
cluster: prod-eu
authorities:
  - {name: security, keys: [release]}
  - name: build
    keys:
      - ci@3
      - |
        -----BEGIN PUBLIC KEY-----
        AAAA
        -----END PUBLIC KEY-----
default: {verdict: deny}
rules:
  - name: platform images
    match: {namespaces: [kube-system], images: ["registry.k8s.io/**"]}
    verdict: allow
  - name: payments
    match: {namespaces: ["pay-*"], images: ["reg.example.com/pay/**"]}
    mode: warn
    require:
      signatures: {atLeast: 2, of: [security, {atLeast: 1, of: [build]}], maxAge: 90d}
      identity: {remap: {from: mirror.example.com, to: reg.example.com}}
      scan: {maxSeverity: MEDIUM, ignoreUnfixed: true, unknownAs: LOW, allowUnreadable: false, maxAge: 24h}
"""
HEAD = "apiVersion: hallmark.policy/v1\nkind: ClusterPolicy\ncluster: c\ndefault: {verdict: deny}\n"
RULE = HEAD + "rules:\n- name: r\n"


def test_a_whole_policy() -> None:
    policy = policyfile.read(WHOLE.encode())

    assert (policy.cluster, policy.default_verdict) == ("prod-eu", pb.FIXED_VERDICT_DENY)
    security, build = policy.authorities
    assert security.keys[0].signer_key == pb.SignerKey(name="release")
    assert build.keys[0].signer_key == pb.SignerKey(name="ci", version=3)
    assert build.keys[1].public_key_pem.startswith("-----BEGIN PUBLIC KEY-----\nAAAA\n")

    platform, payments = policy.rules
    assert platform.match == pb.Match(namespaces=["kube-system"], images=["registry.k8s.io/**"])
    assert (platform.WhichOneof("decision"), platform.verdict) == ("verdict", pb.FIXED_VERDICT_ALLOW)
    assert not platform.HasField("mode")
    assert payments.mode == pb.RULE_MODE_WARN
    signatures = payments.require.signatures
    assert (signatures.at_least, signatures.max_age) == (2, Duration(seconds=90 * 86_400))
    assert signatures.of[0].authority == "security"
    assert signatures.of[1].threshold == pb.Threshold(at_least=1, of=[pb.ThresholdMember(authority="build")])
    assert payments.require.identity.remap == pb.Remap(from_prefix="mirror.example.com", to_prefix="reg.example.com")
    assert payments.require.scan == pb.ScanRequirement(
        max_severity=Severity.SEVERITY_MEDIUM,
        ignore_unfixed=True,
        unknown_as=Severity.SEVERITY_LOW,
        max_age=Duration(seconds=86_400),
    )


def test_what_is_not_said_stays_unset() -> None:
    policy = policyfile.read((RULE + "  require: {signatures: {atLeast: 1, of: [a]}}\n").encode())
    require = policy.rules[0].require
    assert not policy.rules[0].HasField("match")
    assert not require.HasField("identity")
    assert not require.HasField("scan")
    assert not require.signatures.HasField("max_age")


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        (HEAD + "rulez: []\n", 5, 1, "no field `rulez`"),
        (HEAD + "cluster: d\n", 5, 1, "twice"),
        (HEAD.replace("cluster: c\n", ""), 1, 1, "`cluster` is absent"),
        (HEAD.replace("cluster: c", "cluster: 7"), 3, 10, "put it in quotes"),
        (HEAD.replace("policy/v1", "policy/v2"), 1, 13, "`hallmark.policy/v1` belongs"),
        (HEAD.replace("{verdict: deny}", "{verdict: maybe}"), 4, 20, "none of: allow, deny"),
        (HEAD + "breakGlass: {roles: [oncall], maxDuration: 4h}\n", 5, 13, "not supported yet"),
        (RULE, 6, 3, "either `verdict` or `require`"),
        (RULE + "  verdict: allow\n  require: {}\n", 6, 3, "either `verdict` or `require`"),
        (RULE + "  verdict: allow\n  mode: audit\n", 8, 9, "beside `require` alone"),
        (
            RULE + "  verdict: allow\n  match: {image: [a]}\n",
            8,
            11,
            "no field `image` here; there is: namespaces, images",
        ),
        (RULE + "  verdict: allow\n  match: {images: a}\n", 8, 19, "a list belongs"),
        (RULE + "  require: {attestations: []}\n", 7, 27, "`attestations` is not supported yet"),
        (RULE + "  require: {scan: {denyExploited: true}}\n", 7, 35, "`denyExploited` is not supported yet"),
        (RULE + "  require: {scan: {maxSeverity: medium}}\n", 7, 33, "none of: CRITICAL, HIGH"),
        (RULE + "  require: {scan: {maxSeverity: UNKNOWN}}\n", 7, 33, "none of: CRITICAL, HIGH"),
        (RULE + "  require: {scan: {maxAge: 7 days}}\n", 7, 28, "is no duration"),
        (RULE + "  require: {scan: {maxAge: 0d}}\n", 7, 28, "is no duration"),
        (RULE + "  require: {scan: {maxAge: 7}}\n", 7, 28, "put it in quotes"),
        (RULE + "  require: {scan: {ignoreUnfixed: yes}}\n", 7, 35, "`true` or `false`"),
        (RULE + "  require: {identity: repo}\n", 7, 23, "none of: repository, exact, any"),
        (RULE + "  require: {signatures: {atLeast: '1', of: [a]}}\n", 7, 35, "whole number"),
        (RULE + "  require: {signatures: {of: [a]}}\n", 7, 25, "`atLeast` is absent"),
        (RULE + "  require: {signatures: {atLeast: 1, of: [[a]]}}\n", 7, 43, "text belongs"),
    ],
)
def test_refusals_name_the_place(source: str, line: int, column: int, words: str) -> None:
    with pytest.raises(Malformed) as caught:
        policyfile.read(source.encode())
    assert words in caught.value.problem
    assert (caught.value.line, caught.value.column) == (line, column)


@given(policies())
def test_writing_and_reading_give_the_same_policy(policy: pb.Policy) -> None:
    assert policyfile.read(policytext.write(policy).encode()) == policy


@given(st.data())
def test_a_damaged_policy_is_read_or_malformed(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(WHOLE)))
    length = data.draw(st.integers(0, 5))
    inserted = data.draw(st.text(alphabet="ab:-[]{}&*!|>'\"#, \n0", max_size=5))
    damaged = WHOLE[:at] + inserted + WHOLE[at + length :]
    try:
        read = policyfile.read(damaged.encode())
    except Malformed as malformed:
        place = (malformed.line, malformed.column)
    else:
        assert policyfile.read(policytext.write(read).encode()) == read
        return
    assert (1, 1) <= place <= (damaged.count("\n") + 2, len(damaged) + 1)
