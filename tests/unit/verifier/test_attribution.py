"""Under which key signatures verify, and what is remembered of that."""

from typing import Any

import pytest
from chassis.workers import Workers
from verifier.evidence import simple_signing
from verifier.evidence.attribution import CHECKS, Attribution, Keys
from verifier.evidence.claims import Signature
from verifier.evidence.findings import Attributed
from verifier.evidence.keys import PublicKey, parse_public_key
from verifier.reasons import Code, Rejection

from tests.factories import marks

KEYS = [marks.new_key() for _ in range(3)]
PUBLIC = [parse_public_key(marks.pem_of(key)) for key in KEYS]


class Counted:
    def __init__(self) -> None:
        self.computed = 0

    def checks(self, *, remembered: int, computed: int) -> None:
        self.computed += computed


def signature(key: marks.PrivateKey, **payload: Any) -> Signature:
    data = marks.payload(**payload)
    return simple_signing.parse(simple_signing.place_of(marks.DIGEST, 0), data, marks.b64(marks.sign(key, data)))


async def owners(
    attribution: Attribution, signatures: list[Signature], keys: Keys, repository: str = marks.REPOSITORY
) -> list[PublicKey | None]:
    found = await attribution.attribute(repository, marks.DIGEST, signatures, keys)
    return [finding.key for finding in found if isinstance(finding, Attributed)]


async def test_each_signature_finds_its_key_among_those_that_count_and_the_others() -> None:
    attribution = Attribution(Workers(1), Counted(), 100)
    signatures = [signature(key) for key in KEYS]
    assert await owners(attribution, signatures, Keys(PUBLIC[:1], PUBLIC[:2])) == [PUBLIC[0], PUBLIC[1], None]


async def test_facts_are_computed_once_for_a_repository_a_digest_a_signature_and_a_key() -> None:
    counted = Counted()
    attribution = Attribution(Workers(1), counted, 100)
    mark = signature(KEYS[0])
    for _ in range(3):
        assert await owners(attribution, [mark], Keys(PUBLIC[:1], ())) == PUBLIC[:1]
    assert counted.computed == 1
    for _ in range(3):
        assert await owners(attribution, [mark], Keys(PUBLIC[1:2], ())) == [None]
    assert counted.computed == 2
    await owners(attribution, [signature(KEYS[0])], Keys(PUBLIC[:1], ()))
    assert counted.computed == 3, "another signature over the same payload is another signature"
    await owners(attribution, [mark], Keys(PUBLIC[:1], ()), "reg.example.com/other")
    assert counted.computed == 4


async def test_a_bad_fact_does_not_stick_to_the_next_signature() -> None:
    attribution = Attribution(Workers(1), Counted(), 100)
    assert await owners(attribution, [signature(KEYS[1])], Keys(PUBLIC[:1], ())) == [None]
    assert await owners(attribution, [signature(KEYS[0])], Keys(PUBLIC[:1], ())) == PUBLIC[:1]


async def test_facts_are_bounded() -> None:
    attribution = Attribution(Workers(1), Counted(), 2)
    await owners(attribution, [signature(key) for key in KEYS], Keys(PUBLIC, ()))
    assert len(attribution) == 2


async def test_so_many_keys_that_count_are_too_many_and_others_are_tried_while_there_is_time() -> None:
    attribution = Attribution(Workers(1), counted := Counted(), 100_000)
    many = [signature(KEYS[2], identity=f"reg.example.com/{number}") for number in range(50)]
    with pytest.raises(Rejection) as refused:
        await owners(attribution, many, Keys(PUBLIC[:1] * (CHECKS // 50 + 1), ()))
    assert refused.value.reason.code is Code.LIMIT_EXCEEDED
    assert counted.computed == 0
    await owners(attribution, many, Keys(PUBLIC[:1], PUBLIC[1:2] * 1000))
    assert counted.computed <= CHECKS
