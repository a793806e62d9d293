"""Each status of a service becomes a sentence, a reason code and an exit code; never a traceback."""

from pathlib import Path
from typing import NoReturn

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from hallmark.scanner.v1 import scan_service_pb2 as pb

from tests.fakes.servicers import offering
from tests.unit.cli.conftest import Hallmark, Serve

SCANS = pb.DESCRIPTOR.services_by_name["ScanService"]


def refusing(code: grpc.StatusCode, sentence: str, *details: Message) -> grpc.GenericRpcHandler:
    """GetScan answers a rich status."""

    def refuse(request: pb.GetScanRequest, context: grpc.ServicerContext) -> NoReturn:
        status = Status(code=code.value[0], message=sentence)
        for detail in details:
            packed = Any()
            packed.Pack(detail)
            status.details.append(packed)
        context.abort_with_status(rpc_status.to_status(status))

    return offering(SCANS, GetScan=refuse)


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, 2),
        (grpc.StatusCode.OUT_OF_RANGE, 2),
        (grpc.StatusCode.NOT_FOUND, 1),
        (grpc.StatusCode.ALREADY_EXISTS, 1),
        (grpc.StatusCode.FAILED_PRECONDITION, 1),
        (grpc.StatusCode.ABORTED, 1),
        (grpc.StatusCode.PERMISSION_DENIED, 1),
        (grpc.StatusCode.UNAUTHENTICATED, 1),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 1),
        (grpc.StatusCode.UNAVAILABLE, 3),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 3),
        (grpc.StatusCode.INTERNAL, 3),
        (grpc.StatusCode.UNKNOWN, 3),
        (grpc.StatusCode.DATA_LOSS, 3),
    ],
)
def test_exit_codes(code: grpc.StatusCode, exit_code: int, serve: Serve, hallmark: Hallmark) -> None:
    info = ErrorInfo(reason="BECAUSE", domain="hallmark.scanner")
    done = hallmark("scans", "show", "x", scanner=serve(refusing(code, "A sentence for a person.", info)))
    assert done.returncode == exit_code
    assert done.stderr == "hallmark: A sentence for a person. [BECAUSE]\n"
    assert done.stdout == ""


def test_facts_stand_below_the_sentence_and_obey_nobody(serve: Serve, hallmark: Hallmark) -> None:
    bad = BadRequest(field_violations=[BadRequest.FieldViolation(field="scan_id", description="No id\x1b[2J.")])
    info = ErrorInfo(reason="SCAN_ID_INVALID", metadata={"limit": "64", "image": "r/a"})
    refusal = refusing(grpc.StatusCode.INVALID_ARGUMENT, "This is wrong.", info, bad)
    done = hallmark("scans", "show", "x", scanner=serve(refusal))
    assert done.stderr.splitlines() == [
        "hallmark: This is wrong. [SCAN_ID_INVALID]",
        "  image: r/a",
        "  limit: 64",
        "  scan_id: No id\\x1b[2J.",
    ]


def test_what_is_said_already_is_not_said_again(serve: Serve, hallmark: Hallmark) -> None:
    bad = BadRequest(field_violations=[BadRequest.FieldViolation(field="scan_id", description="This is wrong.")])
    refusal = refusing(grpc.StatusCode.INVALID_ARGUMENT, "This is wrong.", bad)
    assert hallmark("scans", "show", "x", scanner=serve(refusal)).stderr == "hallmark: This is wrong.\n"


def test_a_method_that_a_service_does_not_know(serve: Serve, hallmark: Hallmark) -> None:
    done = hallmark("scans", "show", "x", scanner=serve(offering(SCANS)))
    assert done.returncode == 3
    assert "UNIMPLEMENTED" in done.stderr


def test_nobody_listens(hallmark: Hallmark) -> None:
    done = hallmark("scans", "show", "x", scanner="127.0.0.1:1")
    assert done.returncode == 3
    assert "does not answer" in done.stderr
    assert done.stderr.endswith("[UNAVAILABLE]\n")


def test_a_service_that_is_another_one_is_not_talked_to(serve: Serve, hallmark: Hallmark) -> None:
    called: list[str] = []

    def get_scan(request: pb.GetScanRequest, context: grpc.ServicerContext) -> pb.GetScanResponse:
        called.append(request.scan_id)
        return pb.GetScanResponse()

    done = hallmark("scans", "show", "x", scanner=serve(offering(SCANS, GetScan=get_scan), role="signer"))
    assert done.returncode == 3
    assert "is not who it should be" in done.stderr
    assert called == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scans", "show", "x", "--as", "nobody"], "no identity for the role nobody"),
        (["keys", "list"], "no address of the signer"),
        (["nonsense"], "No such command"),
        (["scans", "list", "--state", "ODD"], "is none of QUEUED"),
        (["scans", "list", "--limit", "0"], "not in the range"),
        (["sign", "reg.example.com/a:1", "--key", "k"], "Name the digest"),
        (["targets", "update", "t"], "Nothing to change"),
        (["keys", "update", "k"], "Nothing to change"),
        (["keys", "revoke", "k", "--from", "now", "--reason", "r"], "Which version of k?"),
        (["keys", "revoke", "k@1", "--from", "yesterday", "--reason", "r"], "is no time"),
        (["keys", "revoke", "k@1", "--from", "2030-01-01T00:00:00", "--reason", "r"], "offset from UTC"),
        (["keys", "create", "k", "--max-age", "long"], "is no duration"),
        (["sign", "r/a@sha256:00", "--key", "k", "--claim", "x"], "is no name=value"),
        (["signatures", "revoke", "nothing", "--reason", "r"], "neither a signing's id nor an image"),
        (["signatures", "revoke", "r/a:1", "--key", "k@1", "--reason", "r"], "name the image by its digest"),
        (["verify", "r/a"], "either --cluster"),
        (["verify", "r/a", "--cluster", "c", "--key", "k"], "either --cluster"),
        (["policy", "validate", "absent.yaml"], "cannot be read"),
        (["feeds", "import", "absent"], "does not exist"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str, hallmark: Hallmark) -> None:
    done = hallmark(*arguments, scanner="127.0.0.1:1")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_policy_file_is_refused_with_its_place(hallmark: Hallmark, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("apiVersion: hallmark.policy/v1\nkind: ClusterPolicy\ncluster: c\ndefault: {verdict: maybe}\n")
    done = hallmark("policy", "apply", str(file), policy="127.0.0.1:1")
    assert done.returncode == 2
    assert done.stderr == f"hallmark: {file}:4:20: `maybe` is none of: allow, deny. [POLICY_INVALID]\n"
