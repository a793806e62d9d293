"""Public keys: which are read, and which signatures are theirs."""

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from verifier.evidence.keys import Algorithm, UnusableKey, parse_public_key
from verifier.reasons import Code, Rejection

from tests.factories import marks

DATA = marks.payload()
KEY = marks.new_key()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)

SIGNERS: dict[Algorithm, marks.PrivateKey] = {
    Algorithm.ECDSA_P256: KEY,
    Algorithm.ECDSA_P384: ec.generate_private_key(ec.SECP384R1()),
    Algorithm.ECDSA_P521: ec.generate_private_key(ec.SECP521R1()),
    Algorithm.RSA_2048: RSA,
    Algorithm.ED25519: ed25519.Ed25519PrivateKey.generate(),
}


@pytest.mark.parametrize("algorithm", SIGNERS, ids=lambda algorithm: algorithm.name)
def test_a_good_signature_verifies_and_nothing_else_does(algorithm: Algorithm) -> None:
    key = SIGNERS[algorithm]
    public = parse_public_key(marks.pem_of(key))
    assert (public.algorithm, public.fingerprint) == (algorithm, marks.fingerprint_of(key))
    signature = marks.sign(key, DATA)
    public.check(signature, DATA)
    for wrong, signed in [(signature, DATA + b" "), (signature[:-1], DATA), (signature + b"\0", DATA), (b"", DATA)]:
        with pytest.raises(Rejection) as refused:
            public.check(wrong, signed)
        assert refused.value.reason.code is Code.INVALID_SIGNATURE


def raw_form(signature: bytes) -> bytes:
    r, s = decode_dss_signature(signature)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def long_length_form(signature: bytes) -> bytes:
    return bytes([0x30, 0x81, signature[1]]) + signature[2:]


def indefinite_form(signature: bytes) -> bytes:
    return b"\x30\x80" + signature[2:] + b"\x00\x00"


def padded_integer(signature: bytes) -> bytes:
    r_length = signature[3]
    return (
        bytes([0x30, signature[1] + 1, 0x02, r_length + 1, 0x00]) + signature[4:]
        if signature[4]
        else long_length_form(signature)
    )


GOOD = marks.sign(KEY, DATA)
WRONG = {
    "r || s": raw_form(GOOD),
    "BER, long length": long_length_form(GOOD),
    "BER, indefinite length": indefinite_form(GOOD),
    "an integer padded": padded_integer(GOOD),
    "r = s = 0": encode_dss_signature(0, 0),
    "r = 0": encode_dss_signature(0, decode_dss_signature(GOOD)[1]),
    "s = 0": encode_dss_signature(decode_dss_signature(GOOD)[0], 0),
    "r = s = n": encode_dss_signature(ORDER, ORDER),
    "s + n": encode_dss_signature(decode_dss_signature(GOOD)[0], decode_dss_signature(GOOD)[1] + ORDER),
    "SHA-384": KEY.sign(DATA, ec.ECDSA(SHA384())),
    "of the digest, hashed twice": KEY.sign(hashlib.sha256(DATA).digest(), ec.ECDSA(SHA256())),
    "another key's": marks.sign(marks.new_key(), DATA),
    "an RSA key's": marks.sign(RSA, DATA),
}


@pytest.mark.parametrize("signature", WRONG.values(), ids=WRONG.keys())
def test_other_spellings_and_algorithms_are_refused(signature: bytes) -> None:
    with pytest.raises(Rejection):
        parse_public_key(marks.pem_of(KEY)).check(signature, DATA)


@pytest.mark.parametrize(
    "signature",
    [
        RSA.sign(DATA, padding.PSS(padding.MGF1(SHA256()), 32), SHA256()),
        RSA.sign(DATA, padding.PKCS1v15(), SHA384()),
        marks.sign(KEY, DATA),
        bytes(256),
    ],
    ids=["PSS", "SHA-384", "ECDSA", "zeros"],
)
def test_an_rsa_key_verifies_by_its_one_algorithm(signature: bytes) -> None:
    with pytest.raises(Rejection):
        parse_public_key(marks.pem_of(RSA)).check(signature, DATA)


@given(st.binary(max_size=100))
def test_garbage_verifies_under_no_key(signature: bytes) -> None:
    with pytest.raises(Rejection):
        parse_public_key(marks.pem_of(KEY)).check(signature, DATA)


def pem(key: Any) -> str:
    public: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return public.decode()


UNUSABLE = {
    "empty": "",
    "text": "release",
    "two keys": marks.pem_of(KEY) * 2,
    "words before it": "mine:\n" + marks.pem_of(KEY),
    "a private key": KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    "truncated": marks.pem_of(KEY).replace("\nM", "\n", 1),
    "too long": marks.pem_of(KEY) + "\n" * 20_000,
    "RSA 1024": pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
    "DSA": pem(dsa.generate_private_key(1024)),
    "X25519": pem(x25519.X25519PrivateKey.generate()),
    "secp256k1": pem(ec.generate_private_key(ec.SECP256K1())),
}


@pytest.mark.parametrize("text", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_no_other_key_is_read(text: str) -> None:
    with pytest.raises(UnusableKey):
        parse_public_key(text)


@given(st.text(max_size=200))
def test_garbage_is_no_key(text: str) -> None:
    with pytest.raises(UnusableKey):
        parse_public_key(text)


def test_the_same_key_spelled_otherwise_is_the_same() -> None:
    spaced = marks.pem_of(KEY).replace("\n", "\r\n")
    assert parse_public_key(spaced) == parse_public_key(marks.pem_of(KEY))
    assert parse_public_key(spaced) != parse_public_key(marks.pem_of(RSA))
