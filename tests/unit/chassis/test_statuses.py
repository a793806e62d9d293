"""Refusals as statuses: whatever they say, they fit into the headers that carry them."""

import base64
from urllib.parse import quote

import pytest
from chassis.errors import InvalidArgument, Refusal, Violation
from chassis.statuses import status_of
from google.rpc import error_details_pb2
from hypothesis import given
from hypothesis import strategies as st

LIMIT = 8 * 1024 - 512
"""What peers accept, less the headers that travel beside the status."""
PLAIN = "".join(map(chr, range(32, 127))).replace("%", "")
"""What gRPC does not encode in a sentence."""
LONG = st.text(max_size=50) | st.text(min_size=1, max_size=4).map(lambda text: text * 3000)


def size(refusal: Refusal) -> int:
    status = status_of(refusal, "signer", "ref").message
    return len(base64.b64encode(status.SerializeToString())) + len(quote(status.message, safe=PLAIN))


@given(LONG, st.dictionaries(st.text("abc_", max_size=12), LONG, max_size=40), st.lists(LONG, max_size=60))
def test_any_refusal_fits(message: str, metadata: dict[str, str], faults: list[str]) -> None:
    violations = [Violation(fault[:300], fault) for fault in faults]
    assert size(InvalidArgument(message, violations=violations, metadata=metadata, retry_after=1.0)) <= LIMIT


@pytest.mark.parametrize("letter", ["x", "%", "é", "€", "\U0001f600", "\x00"])
def test_what_is_left_out_is_said(letter: str) -> None:
    violations = [Violation("policy.rules", letter * 900) for _ in range(100)]
    refusal = InvalidArgument(letter * 9000, violations=violations, metadata={"image": letter * 9000})
    assert size(refusal) <= LIMIT
    status = status_of(refusal, "signer", "ref").message
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    status.details[0].Unpack(info)
    status.details[1].Unpack(request)
    assert status.message.endswith("... (shortened)")
    assert info.metadata["image"].endswith("... (shortened)")
    assert request.field_violations[-1].description.startswith("... and ")
    assert (info.reason, info.domain) == ("INVALID_ARGUMENT", "hallmark.signer")


def test_what_fits_is_left_as_it_is() -> None:
    refusal = InvalidArgument("Odd: é.", violations=[Violation("a.b", "is odd")], metadata={"key": "k"})
    status = status_of(refusal, "signer", "ref").message
    request = error_details_pb2.BadRequest()
    status.details[1].Unpack(request)
    assert (status.message, request.field_violations[0].description) == ("Odd: é.", "is odd")
