"""Commands against servicers of the test: what they ask, what they print, and what they answer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.common.v1.severity_pb2 import Severity
from hallmark.policy.v1 import policy_pb2, policy_service_pb2, revision_pb2
from hallmark.scanner.v1 import (
    advisory_pb2,
    advisory_service_pb2,
)
from hallmark.signer.v1 import key_pb2, key_service_pb2, signature_pb2, signing_service_pb2
from hallmark.verifier.v1 import reason_pb2, signature_report_pb2, verdict_pb2, verifier_service_pb2

from tests.fakes.servicers import offering
from tests.unit.cli.conftest import Hallmark, Serve

DIGEST = "sha256:" + "ab" * 32
IMAGE = f"reg.example.com/shop@{DIGEST}"
MOMENT = Timestamp(seconds=1_900_000_000)
Context = grpc.ServicerContext


def test_lists_are_fetched_to_the_limit_and_say_that_there_is_more(serve: Serve, hallmark: Hallmark) -> None:
    def list_keys(request: key_service_pb2.ListKeysRequest, context: Context) -> key_service_pb2.ListKeysResponse:
        start = int(request.page_token or 0)
        # A service may answer fewer than asked.
        size = min(request.page_size, 2)
        keys = [key_pb2.Key(name=f"k{number}") for number in range(start, start + size)]
        return key_service_pb2.ListKeysResponse(keys=keys, next_page_token=str(start + size))

    service = key_service_pb2.DESCRIPTOR.services_by_name["KeyService"]
    address = serve(offering(service, ListKeys=list_keys), role="signer")
    done = hallmark("keys", "list", "--limit", "5", "-o", "json", signer=address)
    assert [key["name"] for key in json.loads(done.stdout)] == ["k0", "k1", "k2", "k3", "k4"]
    assert done.stderr == "There are more than these 5: --limit N shows more.\n"


def test_an_empty_list_is_said_on_stderr(serve: Serve, hallmark: Hallmark) -> None:
    service = key_service_pb2.DESCRIPTOR.services_by_name["KeyService"]
    empty = offering(service, ListKeys=lambda request, context: key_service_pb2.ListKeysResponse())
    address = serve(empty, role="signer")
    done = hallmark("keys", "list", signer=address)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "There are none.\n")
    assert json.loads(hallmark("keys", "list", "-o", "json", signer=address).stdout) == []


def test_updating_a_key_names_what_was_given_alone(serve: Serve, hallmark: Hallmark) -> None:
    asked: list[key_service_pb2.UpdateKeyRequest] = []

    def update(request: key_service_pb2.UpdateKeyRequest, context: Context) -> key_service_pb2.UpdateKeyResponse:
        asked.append(request)
        return key_service_pb2.UpdateKeyResponse(key=request.key)

    service = key_service_pb2.DESCRIPTOR.services_by_name["KeyService"]
    address = serve(offering(service, UpdateKey=update), role="signer")
    hallmark("keys", "update", "release", "--max-severity", "low", "--count-unfixed", signer=address)
    assert list(asked[0].update_mask.paths) == ["gate.max_severity", "gate.ignore_unfixed"]
    assert asked[0].key.gate.max_severity == Severity.SEVERITY_LOW
    assert asked[0].key.gate.ignore_unfixed is False


def test_signing_asks_for_what_was_typed(serve: Serve, hallmark: Hallmark) -> None:
    asked: list[signing_service_pb2.SignImageRequest] = []

    def sign(request: signing_service_pb2.SignImageRequest, context: Context) -> signing_service_pb2.SignImageResponse:
        asked.append(request)
        signing = signature_pb2.Signing(signing_id="g1", state=signature_pb2.SIGNING_STATE_DONE)
        return signing_service_pb2.SignImageResponse(signing=signing)

    service = signing_service_pb2.DESCRIPTOR.services_by_name["SigningService"]
    address = serve(offering(service, SignImage=sign), role="signer")
    done = hallmark(
        "sign", IMAGE, "--key", "release", "--claim", "a=b=c", "--reviewed", "cd", "--max-age", "1h", signer=address
    )
    assert done.returncode == 0, done.stderr
    (request,) = asked
    assert (request.image, request.key, dict(request.claims)) == (IMAGE, "release", {"a": "b=c"})
    assert (request.reviewed, request.gate.max_age.seconds) == ("cd", 3600)
    assert not request.gate.HasField("max_severity")
    assert request.request_id


@pytest.mark.parametrize(
    ("outcome", "code", "exit_code"),
    [("ALLOW", None, 0), ("DENY", "NO_SIGNATURE", 1), ("UNAVAILABLE", "POLICY_MISSING", 3)],
)
def test_the_answer_of_verify(outcome: str, code: str | None, exit_code: int, serve: Serve, hallmark: Hallmark) -> None:
    reasons = [reason_pb2.Reason(code=reason_pb2.ReasonCode.Value(f"REASON_CODE_{code}"))] if code else []
    verdict = verdict_pb2.Verdict(outcome=verdict_pb2.Outcome.Value(f"OUTCOME_{outcome}"), reasons=reasons, message="M")
    asked: list[verifier_service_pb2.ExplainVerdictRequest] = []

    def explain(
        request: verifier_service_pb2.ExplainVerdictRequest, context: Context
    ) -> verifier_service_pb2.ExplainVerdictResponse:
        asked.append(request)
        return verifier_service_pb2.ExplainVerdictResponse(verdict=verdict)

    service = verifier_service_pb2.DESCRIPTOR.services_by_name["VerifierService"]
    address = serve(offering(service, ExplainVerdict=explain), role="verifier")
    done = hallmark("verify", IMAGE, "--cluster", "c", verifier=address)
    assert done.returncode == exit_code
    assert done.stdout == f"{outcome}: M\n"
    assert (asked[0].cluster, asked[0].namespace) == ("c", "default")
    assert (f"[{code}]" in done.stderr) == (code is not None)
    assert hallmark("why", IMAGE, "--cluster", "c", "--namespace", "n", verifier=address).returncode == exit_code


@pytest.mark.parametrize(
    ("key", "exit_code"), [("release", 0), ("release@2", 0), ("release@3", 1), ("other", 1), ("broken", 1)]
)
def test_verifying_by_a_key_counts_good_signatures_of_it_alone(
    key: str, exit_code: int, serve: Serve, hallmark: Hallmark
) -> None:
    bad = reason_pb2.Reason(code=reason_pb2.REASON_CODE_SIGNATURE_REVOKED)
    reports = [
        signature_report_pb2.SignatureReport(key="release", key_version=2),
        signature_report_pb2.SignatureReport(key="broken", key_version=1, reasons=[bad]),
    ]
    answer = verifier_service_pb2.InspectSignaturesResponse(digest=DIGEST, signatures=reports)
    service = verifier_service_pb2.DESCRIPTOR.services_by_name["VerifierService"]
    address = serve(offering(service, InspectSignatures=lambda request, context: answer), role="verifier")
    assert hallmark("verify", IMAGE, "--key", key, verifier=address).returncode == exit_code


def test_activating_expects_what_was_in_force_before(serve: Serve, hallmark: Hallmark, tmp_path: Path) -> None:
    asked: list[policy_service_pb2.ActivateRevisionRequest] = []

    def activate(request: policy_service_pb2.ActivateRevisionRequest, context: Context) -> Any:
        asked.append(request)
        active = revision_pb2.ActivePolicy(cluster="c", revision=request.revision)
        return policy_service_pb2.ActivateRevisionResponse(active=active)

    actives = [revision_pb2.ActivePolicy(cluster="b", revision=9), revision_pb2.ActivePolicy(cluster="c", revision=4)]
    created: list[policy_pb2.Policy] = []

    def create(request: policy_service_pb2.CreateRevisionRequest, context: Context) -> Any:
        created.append(request.policy)
        made = revision_pb2.Revision(cluster="c", revision=5)
        return policy_service_pb2.CreateRevisionResponse(revision=made)

    service = policy_service_pb2.DESCRIPTOR.services_by_name["PolicyService"]
    handler = offering(
        service,
        ActivateRevision=activate,
        CreateRevision=create,
        ListActivePolicies=lambda request, context: policy_service_pb2.ListActivePoliciesResponse(
            active_policies=actives
        ),
    )
    done = hallmark(
        *("policy", "require", "--cluster", "c", "--key", "release", "--images", "r/**", "--allow", "k/**"),
        policy=serve(handler, role="policy"),
    )
    assert done.stdout == "Revision 5 of c is in force.\n"
    assert (asked[0].revision, asked[0].expected_active_revision) == (5, 4)
    (policy,) = created
    assert policy.default_verdict == policy_pb2.FIXED_VERDICT_DENY
    assert [list(rule.match.images) for rule in policy.rules] == [["k/**"], ["r/**"]]
    assert policy.rules[1].require.signatures.at_least == 1


def test_an_import_sends_header_and_bytes(serve: Serve, hallmark: Hallmark, tmp_path: Path) -> None:
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv" / "a.json").write_text("{}")
    received: list[advisory_service_pb2.ImportAdvisoriesRequest] = []

    def take(requests: Iterator[advisory_service_pb2.ImportAdvisoriesRequest], context: Context) -> Any:
        received.extend(requests)
        skipped = advisory_pb2.SkippedRecord(name="a.json", problem="It is no OSV record.")
        result = advisory_pb2.ImportResult(ecosystems=["PyPI"], as_of=MOMENT, skipped=1, skipped_records=[skipped])
        return advisory_service_pb2.ImportAdvisoriesResponse(result=result)

    service = advisory_service_pb2.DESCRIPTOR.services_by_name["AdvisoryService"]
    address = serve(offering(service, ImportAdvisories=take))
    done = hallmark(
        *("feeds", "import", str(tmp_path / "osv"), "--ecosystem", "PyPI", "--as-of", "2030-01-31T12:00:00+02:00"),
        scanner=address,
    )
    assert done.returncode == 0, done.stderr
    header, *chunks = received
    assert list(header.header.ecosystems) == ["PyPI"]
    assert header.header.as_of.ToJsonString() == "2030-01-31T10:00:00Z"
    assert b"".join(part.chunk for part in chunks)[:2] == b"PK"
    assert "skipped a.json: It is no OSV record." in done.stderr
    assert "2030-03-17T17:46:40Z" in done.stdout


def test_a_policy_file_is_compared_with_what_is_in_force(serve: Serve, hallmark: Hallmark, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    text = "apiVersion: hallmark.policy/v1\nkind: ClusterPolicy\ncluster: c\ndefault: {verdict: deny}  # all\n"
    file.write_text(text)
    policy = policy_pb2.Policy(cluster="c", default_verdict=policy_pb2.FIXED_VERDICT_DENY)
    in_force = policy_service_pb2.ListActivePoliciesResponse(
        active_policies=[revision_pb2.ActivePolicy(cluster="c", revision=4)]
    )
    offered = offering(
        policy_service_pb2.DESCRIPTOR.services_by_name["PolicyService"],
        ListActivePolicies=lambda request, context: in_force,
        GetRevision=lambda request, context: policy_service_pb2.GetRevisionResponse(policy=policy),
    )
    address = serve(offered, role="policy")
    same = hallmark("policy", "diff", str(file), policy=address)
    assert (same.returncode, same.stdout, same.stderr) == (0, "", "")
    file.write_text(text.replace("deny", "allow"))
    other = hallmark("policy", "diff", str(file), policy=address)
    assert (other.returncode, other.stderr) == (1, "")
    assert other.stdout.splitlines()[:2] == ["--- revision 4", f"+++ {file}"]
    assert other.stdout.splitlines()[-2:] == ["-  verdict: deny", "+  verdict: allow"]
    file.write_text(text.replace("cluster: c", "cluster: new"))
    new = hallmark("policy", "diff", str(file), policy=address)
    assert new.returncode == 1
    assert new.stdout.startswith("--- nothing\n")
