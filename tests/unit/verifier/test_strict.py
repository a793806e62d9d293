"""JSON with one meaning, base64 with one spelling."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from verifier.evidence.strict import decode_base64, decode_json
from verifier.reasons import Code, Rejection

AMBIGUOUS = {
    "duplicate name": b'{"a":1,"a":2}',
    "duplicate name, escaped": b'{"a":1,"\\u0061":2}',
    "duplicate name, deep": b'[{"b":{"a":1,"a":1}}]',
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "not UTF-8": b'{"a":"\xff"}',
    "NaN": b'{"a":NaN}',
    "infinity": b'{"a":-Infinity}',
    "a number beyond every float": b'{"a":1e999}',
    "a long integer": b'{"a":1234567890123456789}',
    "an endless integer": b'{"a":' + b"9" * 5000 + b"}",
    "lone surrogate": b'{"a":"\\ud800"}',
    "trailing bytes": b'{"a":1} x',
    "comment": b'{"a":1/**/}',
    "single quotes": b"{'a':1}",
    "control character": b'{"a":"\n"}',
    "nothing": b"",
    "deep arrays": b"[" * 33 + b"]" * 33,
    "deeper than the stack": b"[" * 100_000,
    "deep objects": b'{"a":' * 33 + b"1" + b"}" * 33,
    "very many values": b"[" + b"0," * 10_000 + b"0]",
    "a long string of quotes that never ends": b'"' + b'\\"' * 200_000,
    "depth behind a string": b'["]\\"",' + b"[" * 32 + b"]" * 33,
}


@pytest.mark.parametrize("text", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_ambiguous_json_is_refused(text: bytes) -> None:
    with pytest.raises(Rejection) as refused:
        decode_json(text, "the payload")
    assert refused.value.reason.code is Code.INVALID_SIGNATURE


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(plain, st.booleans())
def test_plain_json_is_read_as_every_reader_reads_it(value: object, escaped: bool) -> None:
    text = json.dumps(value, ensure_ascii=escaped)
    assert decode_json(text.encode(), "the payload") == value


def test_depth_up_to_the_bound_and_brackets_in_strings_are_read() -> None:
    assert decode_json(b"[" * 32 + b"]" * 32, "the payload") is not None
    assert decode_json(b"[" + b"0," * 9_998 + b"0]", "the payload") == [0] * 9_999
    assert decode_json(b'["' + b"[" * 100 + b'\\"[[[[[[[\\\\"]', "the payload") == ["[" * 100 + '"[[[[[[[\\']


@given(st.binary())
def test_garbage_is_read_or_rejected_and_nothing_else(data: bytes) -> None:
    try:
        value = decode_json(data, "the payload")
    except Rejection as rejection:
        code = rejection.reason.code
    else:
        assert value == json.loads(data)
        return
    assert code is Code.INVALID_SIGNATURE


@given(st.binary(min_size=1))
def test_base64_round_trips(data: bytes) -> None:
    assert decode_base64(base64.b64encode(data).decode(), "it") == data


@pytest.mark.parametrize(
    "text", ["", None, 7, "YQ", "YQ=", "YR==", "YQ==\n", "Y Q==", "-_8=", "YQ==YQ==", "YQ===", "ä", "="]
)
def test_other_spellings_of_base64_are_refused(text: str | int | None) -> None:
    with pytest.raises(Rejection):
        decode_base64(text, "it")
