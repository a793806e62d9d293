"""Verdicts on images: which rule decides, every outcome, and every effect."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from chassis.workers import Workers
from registry.digests import Digest
from verifier.evidence.attribution import Attribution
from verifier.evidence.lookups import Lookups
from verifier.feeds import Feeds
from verifier.judging import Context, Judge
from verifier.reasons import COULD_NOT_TELL, Code, Effect, Outcome, Rejection
from verifier.risk import Counts, FeedSet, ImageRisk, RiskState, Severity
from verifier.rules.policy import FixedVerdict, IdentityKind, Mode, Requirements, Unsupported
from verifier.trust import DigestsTarget, SignatureTarget
from verifier.verdicts import Form, NamedImage, Verdict

from tests.factories import marks, trusts
from tests.factories import verifier_policies as policies
from tests.factories.verifier_policies import CLUSTER
from tests.fakes.clock import FakeClock
from tests.fakes.feeds import FakePolicies, FakeRisk, FakeTrust
from tests.fakes.signatures import FakeSignatures, NoMetrics

KEY = marks.new_key()
PINNED = f"{marks.REPOSITORY}@{marks.DIGEST}"
TAGGED = f"{marks.REPOSITORY}:1.2"
OTHER = Digest("sha256:" + "cd" * 32)


def clock_at_noon() -> FakeClock:
    clock = FakeClock()
    clock.set(trusts.NOW)
    return clock


@dataclass
class World:
    """A judge amid fakes: one signed image, one rule that demands the signature."""

    policies: FakePolicies = field(default_factory=lambda: FakePolicies(policies.policy(policies.rule())))
    trust: FakeTrust = field(default_factory=lambda: FakeTrust([trusts.version(KEY)]))
    risk: FakeRisk = field(default_factory=FakeRisk)
    registry: FakeSignatures = field(default_factory=FakeSignatures)
    clock: FakeClock = field(default_factory=clock_at_noon)

    def __post_init__(self) -> None:
        self.sign(marks.DIGEST)
        self.registry.tags[TAGGED] = marks.DIGEST
        self.judge = Judge(
            Feeds(self.policies, self.trust, self.risk, 60.0),
            self.registry,
            Lookups(self.registry, self.clock, NoMetrics(), 1 << 20),
            Attribution(Workers(1), NoMetrics(), 1000),
            self.clock,
        )

    def sign(self, digest: str, key: marks.PrivateKey = KEY, **payload: Any) -> None:
        data = marks.payload(digest, **payload)
        self.registry.add_simple(marks.REPOSITORY, digest, data, marks.b64(marks.sign(key, data)))

    def activate(self, *rules: Any, **changes: Any) -> None:
        self.policies.policies[CLUSTER] = policies.policy(*rules, **changes)

    async def verdict(
        self, image: str = PINNED, *, namespace: str = "pay-eu", form: Form = Form.POD, cluster: str = CLUSTER
    ) -> Verdict:
        return await self.judge.judge(
            Context(cluster, namespace, form), NamedImage(image, "spec.containers[0].image"), 5.0
        )


def summary(verdict: Verdict) -> tuple[Outcome, Effect, list[Code]]:
    return verdict.outcome, verdict.effect, [reason.code for reason in verdict.reasons]


ALLOWED: tuple[Outcome, Effect, list[Code]] = (Outcome.ALLOW, Effect.ADMIT, [])


async def test_a_signed_image_is_allowed_and_the_verdict_names_rule_revision_and_digest() -> None:
    verdict = await World().verdict()
    assert summary(verdict) == ALLOWED
    assert (verdict.rule, verdict.revision, verdict.digest) == ("payments", policies.REVISION, marks.DIGEST)
    assert verdict.message == f"Image '{PINNED}' is allowed by rule 'payments'."


async def test_an_unsigned_image_is_denied_and_the_message_says_what_to_do() -> None:
    verdict = await World().verdict(f"{marks.REPOSITORY}@{OTHER}")
    assert summary(verdict) == (Outcome.DENY, Effect.REJECT, [Code.NO_SIGNATURE])
    assert "NO_SIGNATURE" in verdict.message
    assert "Have it signed" in verdict.message
    assert verdict.digest == OTHER


async def test_the_same_digest_in_another_repository_is_not_signed() -> None:
    verdict = await World().verdict(f"reg.example.com/pay/copy@{marks.DIGEST}")
    assert summary(verdict) == (Outcome.DENY, Effect.REJECT, [Code.NO_SIGNATURE])


async def test_a_signature_copied_with_the_image_is_of_another_repository() -> None:
    world = World()
    world.registry.stored["reg.example.com/pay/copy", marks.DIGEST] = world.registry.stored[
        marks.REPOSITORY, marks.DIGEST
    ]
    verdict = await world.verdict(f"reg.example.com/pay/copy@{marks.DIGEST}")
    assert summary(verdict) == (Outcome.DENY, Effect.REJECT, [Code.IDENTITY_MISMATCH])


async def test_the_first_rule_that_matches_decides() -> None:
    world = World()
    world.activate(
        policies.rule(FixedVerdict.ALLOW, name="platform", namespaces=("kube-system",), images=("registry.k8s.io/**",)),
        policies.rule(name="pay", namespaces=("pay-*",), images=("reg.example.com/pay/**",)),
        policies.rule(FixedVerdict.ALLOW, name="pay again", namespaces=("pay-*",)),
    )
    assert (await world.verdict()).rule == "pay"
    assert (await world.verdict("reg.example.com/x:1")).rule == "pay again"
    assert (await world.verdict("registry.k8s.io/a/b:1", namespace="kube-system")).rule == "platform"
    assert (await world.verdict(namespace="pay")).rule == "default"
    assert (await world.verdict(namespace="")).rule == "default"


async def test_no_rule_means_the_default() -> None:
    verdict = await World().verdict()
    world = World()
    world.activate()
    verdict = await world.verdict()
    assert summary(verdict) == (Outcome.DENY, Effect.REJECT, [Code.DENIED_BY_RULE])
    assert (verdict.rule, world.registry.calls) == ("default", 0)


async def test_verdict_allow_asks_nobody_and_lets_tags_be() -> None:
    world = World()
    world.activate(policies.rule(FixedVerdict.ALLOW))
    world.registry.failure = Rejection(Code.REGISTRY_UNAVAILABLE, "down")
    world.trust.silent = world.risk.silent = 1e9
    world.trust.trust.apply(trusts.revocation(None, marks.DIGEST))
    assert summary(await world.verdict()) == ALLOWED
    assert summary(await world.verdict(TAGGED)) == ALLOWED
    assert world.registry.calls == 0


MODES = [(Mode.ENFORCE, Effect.REJECT), (Mode.WARN, Effect.ADMIT_WITH_WARNING), (Mode.AUDIT, Effect.ADMIT)]


@pytest.mark.parametrize(("mode", "effect"), MODES)
async def test_the_mode_of_the_rule_makes_the_effect(mode: Mode, effect: Effect) -> None:
    world = World()
    world.activate(policies.rule(mode=mode))
    assert summary(await world.verdict(f"{marks.REPOSITORY}@{OTHER}")) == (Outcome.DENY, effect, [Code.NO_SIGNATURE])
    world.registry.failure = Rejection(Code.REGISTRY_UNAVAILABLE, "down")
    unavailable = await world.verdict(f"{marks.REPOSITORY}@sha256:{'ef' * 32}")
    assert summary(unavailable) == (Outcome.UNAVAILABLE, effect, [Code.REGISTRY_UNAVAILABLE])


@pytest.mark.parametrize("mode", Mode)
async def test_without_a_policy_that_can_be_believed_everything_is_rejected(mode: Mode) -> None:
    world = World()
    world.activate(policies.rule(FixedVerdict.ALLOW, mode=mode), default=policies.rule(FixedVerdict.ALLOW, mode=mode))
    missing = await world.verdict(cluster="elsewhere")
    assert summary(missing) == (Outcome.UNAVAILABLE, Effect.REJECT, [Code.POLICY_MISSING])
    world.policies.silent = 60.1
    assert summary(await world.verdict()) == (Outcome.UNAVAILABLE, Effect.REJECT, [Code.POLICY_STALE])
    world.policies.silent = 60
    assert summary(await world.verdict()) == ALLOWED
    world.policies.policies[CLUSTER] = Unsupported(CLUSTER, 9, "field 17 of Rule")
    unsupported = await world.verdict()
    assert summary(unsupported) == (Outcome.UNAVAILABLE, Effect.REJECT, [Code.POLICY_UNSUPPORTED])
    assert unsupported.revision == 9


async def test_a_silent_signer_is_no_trust_even_for_what_is_remembered() -> None:
    world = World()
    assert summary(await world.verdict()) == ALLOWED
    world.trust.silent = 61
    assert summary(await world.verdict()) == (Outcome.UNAVAILABLE, Effect.REJECT, [Code.TRUST_STALE])


SCANNED = ImageRisk(marks.REPOSITORY, marks.DIGEST, RiskState.SCANNED, (), 0, Counts({}, 0), Counts({}, 0), "f")
FRESH = FeedSet("f", trusts.NOW, too_old=False, reasons=())


async def test_risk_counts_only_where_the_rule_asks_for_it() -> None:
    world = World(risk=FakeRisk([FRESH, SCANNED]))
    world.risk.silent = float("inf")
    assert summary(await world.verdict()) == ALLOWED
    world.activate(policies.rule(policies.require(signatures=policies.signatures(), scan=policies.scan())))
    assert summary(await world.verdict()) == (Outcome.UNAVAILABLE, Effect.REJECT, [Code.RISK_UNAVAILABLE])
    world.risk.silent = 0
    assert summary(await world.verdict()) == ALLOWED


async def test_risk_that_rises_denies_the_next_deployment_of_a_remembered_image() -> None:
    world = World(risk=FakeRisk([FRESH, SCANNED]))
    world.activate(policies.rule(policies.require(signatures=policies.signatures(), scan=policies.scan())))
    assert summary(await world.verdict()) == ALLOWED
    world.risk.risks.apply(replace(SCANNED, counts=Counts({Severity.CRITICAL: 1}, 0)))
    assert summary(await world.verdict()) == (Outcome.DENY, Effect.REJECT, [Code.SEVERITY_EXCEEDED])


async def test_a_rule_may_ask_for_a_scan_alone() -> None:
    world = World(risk=FakeRisk([FRESH, SCANNED]))
    world.activate(policies.rule(policies.require(scan=policies.scan())))
    assert summary(await world.verdict()) == ALLOWED
    assert world.registry.calls == 0
    unscanned = await world.verdict(f"{marks.REPOSITORY}@{OTHER}")
    assert summary(unscanned) == (Outcome.DENY, Effect.REJECT, [Code.NOT_SCANNED])


@pytest.mark.parametrize(
    "requirements",
    [
        policies.require(signatures=policies.signatures()),
        policies.require(signatures=policies.signatures(), identity=IdentityKind.ANY),
        policies.require(scan=policies.scan()),
    ],
)
async def test_a_revoked_digest_is_denied_under_every_rule_that_looks(requirements: Requirements) -> None:
    world = World(risk=FakeRisk([FRESH, SCANNED]))
    world.activate(policies.rule(requirements))
    assert summary(await world.verdict()) == ALLOWED
    world.trust.trust.apply(trusts.revocation(DigestsTarget("5f"), marks.DIGEST))
    assert summary(await world.verdict()) == (Outcome.DENY, Effect.REJECT, [Code.SIGNATURE_REVOKED])


async def test_a_revocation_and_a_disabled_key_strike_remembered_evidence() -> None:
    world = World()
    assert summary(await world.verdict()) == ALLOWED
    world.trust.trust.apply(trusts.revocation(SignatureTarget(marks.DIGEST, "release", 1)))
    assert summary(await world.verdict())[2] == [Code.SIGNATURE_REVOKED]
    world.trust.trust.apply(trusts.version(KEY, enabled=False))
    assert summary(await world.verdict())[2] == [Code.KEY_DISABLED]


async def test_time_that_passes_strikes_remembered_evidence() -> None:
    world = World()
    world.registry.stored.clear()
    world.sign(marks.DIGEST, optional={"hallmark.signed_at": trusts.NOW.isoformat()})
    demand = policies.signatures(max_age=timedelta(days=1))
    world.activate(policies.rule(policies.require(signatures=demand)))
    assert summary(await world.verdict()) == ALLOWED
    world.clock.set(trusts.NOW + timedelta(days=2))
    assert summary(await world.verdict())[2] == [Code.SIGNATURE_TOO_OLD]
    world.clock.set(trusts.NOW - timedelta(days=2))
    assert summary(await world.verdict())[2] == [Code.SIGNATURE_TOO_OLD]


async def test_a_second_signature_is_found_once_the_first_look_is_seconds_old() -> None:
    world = World()
    second = marks.new_key()
    world.trust.trust.apply(trusts.version(second, "ci"))
    both = policies.signatures("security", "build", at_least=2)
    world.activate(policies.rule(policies.require(signatures=both)))
    assert summary(await world.verdict())[2] == [Code.THRESHOLD_NOT_MET]
    world.sign(marks.DIGEST, second)
    world.clock.advance(6)
    assert summary(await world.verdict()) == ALLOWED


async def test_a_pods_tag_is_verified_and_then_denied_by_the_digest_found() -> None:
    verdict = await World().verdict(TAGGED)
    assert summary(verdict) == (Outcome.DENY, Effect.REJECT, [Code.TAG_NOT_PINNED])
    assert verdict.digest == marks.DIGEST
    assert verdict.reasons[0].metadata == {"digest": marks.DIGEST}


async def test_a_templates_tag_is_verified_and_warned_about() -> None:
    world = World()
    verdict = await world.verdict(TAGGED, form=Form.TEMPLATE)
    assert summary(verdict) == (Outcome.ALLOW, Effect.ADMIT_WITH_WARNING, [Code.TAG_NOT_PINNED])
    world.registry.tags[TAGGED] = OTHER
    verdict = await world.verdict(TAGGED, form=Form.TEMPLATE)
    assert summary(verdict) == (Outcome.DENY, Effect.REJECT, [Code.NO_SIGNATURE, Code.TAG_NOT_PINNED])
    assert verdict.digest == OTHER


async def test_a_tag_is_resolved_anew_each_time() -> None:
    world = World()
    assert (await world.verdict(TAGGED, form=Form.TEMPLATE)).outcome is Outcome.ALLOW
    world.registry.tags[TAGGED] = OTHER
    assert (await world.verdict(TAGGED, form=Form.TEMPLATE)).outcome is Outcome.DENY


async def test_beside_a_digest_the_tag_says_nothing() -> None:
    world = World()
    world.registry.tags[TAGGED] = OTHER
    verdict = await world.verdict(f"{TAGGED}@{marks.DIGEST}")
    assert summary(verdict) == ALLOWED
    assert verdict.digest == marks.DIGEST


async def test_a_tag_that_cannot_be_resolved() -> None:
    world = World()
    world.registry.failure = Rejection(Code.REGISTRY_UNAVAILABLE, "The registry does not answer.")
    verdict = await world.verdict(TAGGED)
    assert summary(verdict) == (Outcome.UNAVAILABLE, Effect.REJECT, [Code.REGISTRY_UNAVAILABLE])
    assert verdict.digest == ""


ODD = [
    "",
    " ",
    "ab" * 32,
    "sha256:" + "ab" * 32,
    f"{marks.REPOSITORY}@sha512:{'ab' * 64}",
    f"{marks.REPOSITORY}@sha256:zz",
    f"{marks.REPOSITORY}@sha256:{'AB' * 32}",
    "reg.example.com/Pay/web",
    "reg.example.com/pay/w\u200beb",
    "reg.exämple.com/pay/web",
    "reg.example.com/pay/web:" + "x" * 2000,
    "reg.example.com/../etc/passwd",
    "https://reg.example.com/pay/web",
    "\ud800",
]


@pytest.mark.parametrize("image", ODD, ids=ascii)
async def test_odd_references_are_denied_whatever_the_policy_allows(image: str) -> None:
    world = World()
    world.activate(policies.rule(FixedVerdict.ALLOW, images=("reg.example.com/**",)))
    verdict = await world.verdict(image)
    assert summary(verdict) == (Outcome.DENY, Effect.REJECT, [Code.INVALID_REFERENCE])
    assert verdict.named.image == image
    assert verdict.message.isprintable()


async def test_time_that_runs_out_is_no_yes() -> None:
    world = World()
    world.registry.hang = True
    context = Context(CLUSTER, "pay-eu", Form.POD)
    async with asyncio.timeout(10):
        verdict = await world.judge.judge(context, NamedImage(PINNED, ""), 0.0)
    assert summary(verdict) == (Outcome.UNAVAILABLE, Effect.REJECT, [Code.LIMIT_EXCEEDED])


@pytest.mark.parametrize("code", sorted(COULD_NOT_TELL | {Code.REGISTRY_NOT_ALLOWED, Code.DIGEST_MISMATCH}, key=str))
async def test_whatever_the_registry_is_rejected_with_is_the_reason(code: Code) -> None:
    world = World()
    world.registry.failure = Rejection(code, "So it is.")
    verdict = await world.verdict()
    expected = Outcome.UNAVAILABLE if code in COULD_NOT_TELL else Outcome.DENY
    assert summary(verdict) == (expected, Effect.REJECT, [code])


async def test_a_message_is_bounded_and_printable() -> None:
    world = World()
    for number in range(40):
        world.sign(marks.DIGEST, identity=f"reg.example.com/{'x' * 150}\n{number}")
    world.registry.stored[marks.REPOSITORY, marks.DIGEST].pop(0)
    verdict = await world.verdict()
    assert len(verdict.reasons) <= 16
    assert len(verdict.message) <= 2048
    assert verdict.message.isprintable()
    assert "There are 12 more reasons." in verdict.message
    assert verdict.message.endswith("Deploy the image from the repository that was signed.")


async def test_many_images_at_once_do_not_mix() -> None:
    world = World()
    digests = [f"sha256:{number:064x}" for number in range(40)]
    for digest in digests[::2]:
        world.sign(digest)
    verdicts = await asyncio.gather(*(world.verdict(f"{marks.REPOSITORY}@{digest}") for digest in digests))
    assert [verdict.outcome for verdict in verdicts] == [Outcome.ALLOW, Outcome.DENY] * 20
    assert [verdict.digest for verdict in verdicts] == digests
