"""`signatures verify`: what the registry holds beside what the signer recorded."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hallmark.signer.v1 import signature_pb2, signing_service_pb2
from hallmark.verifier.v1 import reason_pb2, signature_report_pb2, verifier_service_pb2

from tests.fakes.servicers import offering
from tests.unit.cli.conftest import Hallmark, Serve

DIGEST = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32
REPOSITORY = "reg.example.com/shop"
SIMPLE = signature_report_pb2.SIGNATURE_FORMAT_SIMPLE_SIGNING
BUNDLE = signature_report_pb2.SIGNATURE_FORMAT_BUNDLE
OURS, STRANGER = "aa" * 32, "bb" * 32
BAD = reason_pb2.Reason(code=reason_pb2.REASON_CODE_INVALID_SIGNATURE)
Report = signature_report_pb2.SignatureReport


def signing(name: str, state: str = "DONE", digest: str = DIGEST) -> signature_pb2.Signing:
    """A signing of the digest in both forms; the payloads are named after it."""
    payloads = [
        signature_pb2.SignedPayload(
            format=signature_pb2.SIGNATURE_FORMAT_SIMPLE_SIGNING, payload_sha256=f"{name}-simple".encode()
        ),
        signature_pb2.SignedPayload(
            format=signature_pb2.SIGNATURE_FORMAT_BUNDLE, payload_sha256=f"{name}-bundle".encode()
        ),
    ]
    return signature_pb2.Signing(
        signing_id=name,
        key="release",
        key_version=1,
        fingerprint=OURS,
        state=signature_pb2.SigningState.Value(f"SIGNING_STATE_{state}"),
        signed_digests=[signature_pb2.SignedDigest(digest=digest, payloads=payloads)],
    )


def good(name: str, **other: Any) -> list[Report]:
    """Both signatures of a signing, as they were written."""
    fields: dict[str, Any] = {"fingerprint": OURS, "key": "release", "key_version": 1, "signing_id": name} | other
    return [
        Report(format=SIMPLE, payload_sha256=f"{name}-simple".encode(), **fields),
        Report(format=BUNDLE, payload_sha256=f"{name}-bundle".encode(), **fields),
    ]


INTACT = ["INTACT", "INTACT"]
CASES = {
    "as it was signed": (good("s1"), [signing("s1")], INTACT, 0),
    "signed twice": (good("s2") + good("s1"), [signing("s2"), signing("s1")], INTACT * 2, 0),
    "one form deleted": (good("s1")[:1], [signing("s1")], ["INTACT", "MISSING"], 1),
    "both deleted": ([], [signing("s1")], ["MISSING", "MISSING"], 1),
    "signature bytes changed": (
        [good("s1")[0], Report(format=BUNDLE, payload_sha256=b"s1-bundle", reasons=[BAD])],
        [signing("s1")],
        ["INTACT", "ALTERED"],
        1,
    ),
    "payload changed": (
        [Report(format=SIMPLE, payload_sha256=b"x", claimed_signing_id="s1", reasons=[BAD]), good("s1")[1]],
        [signing("s1")],
        ["ALTERED", "INTACT"],
        1,
    ),
    "an altered copy beside it": (
        [*good("s1"), Report(format=SIMPLE, payload_sha256=b"x", claimed_signing_id="s1", reasons=[BAD])],
        [signing("s1")],
        [*INTACT, "ALTERED"],
        1,
    ),
    "no signature any more": (
        [Report(format=SIMPLE, reasons=[BAD]), good("s1")[1]],
        [signing("s1")],
        ["FOREIGN", "INTACT", "MISSING"],
        1,
    ),
    "signed again by another key": (
        [*good("s1"), Report(format=SIMPLE, payload_sha256=b"s1-simple", fingerprint=STRANGER)],
        [signing("s1")],
        [*INTACT, "FOREIGN"],
        0,
    ),
    "one of a stranger beside it": (
        [*good("s1"), Report(format=SIMPLE, payload_sha256=b"x", fingerprint=STRANGER)],
        [signing("s1")],
        [*INTACT, "FOREIGN"],
        0,
    ),
    "a stranger's alone": ([Report(format=SIMPLE, payload_sha256=b"x", fingerprint=STRANGER)], [], ["FOREIGN"], 1),
    "our key, and no record": ([*good("s1"), *good("s9")], [signing("s1")], [*INTACT, "FOREIGN", "FOREIGN"], 1),
    "a signing that did not end": (good("s1"), [signing("s0", "PENDING"), signing("s1")], INTACT, 0),
    "one that failed halfway": (
        good("s1") + good("s0")[:1],
        [signing("s0", "FAILED"), signing("s1")],
        [*INTACT, "INTACT"],
        0,
    ),
    "a record of another digest": (good("s1"), [signing("s1", digest=OTHER)], ["FOREIGN", "FOREIGN"], 1),
    "revoked since": (good("s1", reasons=[BAD]), [signing("s1")], INTACT, 0),
    "nothing at all": ([], [], [], 1),
}


@pytest.mark.parametrize(("reports", "signings", "standings", "exit_code"), CASES.values(), ids=CASES)
def test_what_the_registry_holds_beside_the_records(
    reports: Sequence[Report],
    signings: Sequence[signature_pb2.Signing],
    standings: list[str],
    exit_code: int,
    serve: Serve,
    hallmark: Hallmark,
) -> None:
    asked: list[signing_service_pb2.ListSignaturesRequest] = []

    def list_signatures(request: signing_service_pb2.ListSignaturesRequest, context: Any) -> Any:
        asked.append(request)
        return signing_service_pb2.ListSignaturesResponse(signings=signings)

    inspected = verifier_service_pb2.InspectSignaturesResponse(digest=DIGEST, signatures=reports)
    verifier = offering(
        verifier_service_pb2.DESCRIPTOR.services_by_name["VerifierService"],
        InspectSignatures=lambda request, context: inspected,
    )
    signer = offering(signing_service_pb2.DESCRIPTOR.services_by_name["SigningService"], ListSignatures=list_signatures)
    addresses = {"verifier": serve(verifier, role="verifier"), "signer": serve(signer, role="signer")}
    done = hallmark("signatures", "verify", f"{REPOSITORY}:1", "-o", "json", **addresses)
    assert done.returncode == exit_code, done.stderr
    answer = json.loads(done.stdout)
    assert answer["digest"] == DIGEST
    assert [one["standing"] for one in answer["signatures"]] == standings
    # The digest that was looked at, though a tag was named: both sides speak of the same image.
    assert (asked[0].repository, asked[0].digest) == (REPOSITORY, DIGEST)
    shown = hallmark("signatures", "verify", f"{REPOSITORY}:1", **addresses)
    assert shown.returncode == exit_code
    assert [line.split()[0] for line in shown.stdout.splitlines()[2:]] == standings


def test_the_words_for_formats_are_the_same_on_both_sides() -> None:
    assert dict(signature_pb2.SignatureFormat.items()) == dict[str, int](signature_report_pb2.SignatureFormat.items())
