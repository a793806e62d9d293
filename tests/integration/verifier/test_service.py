"""The verifier over mutual TLS: every RPC, its streams, and who may call it."""

import asyncio
from typing import Any

import grpc.aio
import pytest
from chassis.client import RemoteRefusal, call
from chassis.config import Binding
from chassis.errors import Kind
from hallmark.common.v1 import severity_pb2
from hallmark.policy.v1 import policy_pb2
from hallmark.signer.v1 import key_pb2, revocation_pb2
from hallmark.verifier.v1 import reason_pb2, signature_report_pb2, verdict_pb2
from hallmark.verifier.v1 import verifier_service_pb2 as pb
from hallmark.verifier.v1 import verifier_service_pb2_grpc as rpc
from verifier.reasons import Rejection

from tests.factories import marks, told
from tests.factories import stored_signatures as store
from tests.fakes.registry import hang
from tests.integration.verifier.conftest import REPOSITORY, Running, until

OTHER = "sha256:" + "cd" * 32


def summary(verdict: verdict_pb2.Verdict) -> tuple[str, str, list[str]]:
    return (
        verdict_pb2.Outcome.Name(verdict.outcome).removeprefix("OUTCOME_"),
        verdict_pb2.Effect.Name(verdict.effect).removeprefix("EFFECT_"),
        [reason_pb2.ReasonCode.Name(reason.code).removeprefix("REASON_CODE_") for reason in verdict.reasons],
    )


async def test_verdicts_come_in_the_order_of_the_images_and_are_recorded(running: Running) -> None:
    signed, unsigned = await running.verify(
        running.image, f"{running.repository}@{OTHER}", namespace="pay-eu", requester="ann", object_kind="Pod"
    )
    assert summary(signed) == ("ALLOW", "ADMIT", [])
    assert summary(unsigned) == ("DENY", "REJECT", ["NO_SIGNATURE"])
    assert (signed.digest, signed.rule, signed.policy_revision) == (marks.DIGEST, "payments", 1)
    assert (unsigned.image, unsigned.found_at) == (f"{running.repository}@{OTHER}", "spec")
    await until(lambda: len(running.upstreams.policy.decisions) == 2)
    first, second = running.upstreams.policy.decisions
    assert (first.image, first.requester, first.object_kind, first.cluster) == (
        running.image,
        "ann",
        "Pod",
        told.CLUSTER,
    )
    assert list(second.reasons) == ["NO_SIGNATURE"]
    assert first.correlation_id == second.correlation_id != ""


async def test_known_digests_touch_memory_alone(running: Running) -> None:
    await running.verify(running.image, namespace="pay-eu")
    asked = len(running.registry.requests)
    for _ in range(5):
        assert summary((await running.verify(running.image, namespace="pay-eu"))[0]) == ("ALLOW", "ADMIT", [])
    assert len(running.registry.requests) == asked


async def test_the_cluster_is_that_of_the_certificate(running: Running) -> None:
    (elsewhere,) = await running.verify(running.image, namespace="pay-eu", cluster="other")
    assert summary(elsewhere) == ("UNAVAILABLE", "REJECT", ["POLICY_MISSING"])
    async with running.channel("admission", "other") as channel:
        stub = rpc.VerifierServiceStub(channel)
        request = pb.VerifyImagesRequest(
            cluster=told.CLUSTER, object_form=verdict_pb2.OBJECT_FORM_POD, images=[pb.NamedImage(image=running.image)]
        )
        with pytest.raises(RemoteRefusal) as refused:
            await call(stub.VerifyImages, request, timeout=10)
        assert (refused.value.kind, refused.value.reason) == (Kind.PERMISSION_DENIED, "FOREIGN_CLUSTER")
        with pytest.raises(RemoteRefusal) as refused:
            await call(stub.ResolveImages, pb.ResolveImagesRequest(cluster=told.CLUSTER, images=["x"]), timeout=10)
        assert refused.value.reason == "FOREIGN_CLUSTER"


@pytest.mark.parametrize("role", ["developer", "auditor", "cluster-admin", "signer", "policy"])
async def test_only_adapters_verify(running: Running, role: str) -> None:
    async with running.channel(role, told.CLUSTER) as channel:
        with pytest.raises(RemoteRefusal) as refused:
            await call(rpc.VerifierServiceStub(channel).VerifyImages, pb.VerifyImagesRequest(), timeout=10)
    assert refused.value.kind is Kind.PERMISSION_DENIED


@pytest.mark.parametrize("role", ["admission", "scanner"])
async def test_adapters_do_not_explain_or_inspect(running: Running, role: str) -> None:
    async with running.channel(role, told.CLUSTER) as channel:
        stub = rpc.VerifierServiceStub(channel)
        with pytest.raises(RemoteRefusal) as refused:
            await call(stub.ExplainVerdict, pb.ExplainVerdictRequest(cluster=told.CLUSTER), timeout=10)
        assert refused.value.kind is Kind.PERMISSION_DENIED
        with pytest.raises(RemoteRefusal) as refused:
            await call(stub.InspectSignatures, pb.InspectSignaturesRequest(image=running.image), timeout=10)
        assert refused.value.kind is Kind.PERMISSION_DENIED


async def test_policy_trust_and_risk_that_change_count_at_once(running: Running) -> None:
    upstreams = running.upstreams
    demand = told.signed_by(scan=policy_pb2.ScanRequirement(max_severity=severity_pb2.SEVERITY_MEDIUM))
    upstreams.policy.told.tell(told.policy(told.rule(require=demand), revision=2))
    await until(lambda: revision_of(running) == 2)
    assert summary((await running.verify(running.image))[0]) == ("ALLOW", "ADMIT", [])

    upstreams.scanner.told.tell(told.risk(running.repository, counts=severity_pb2.SeverityCounts(critical=1)))
    await until(lambda: running.process.feeds.risks().of(running.repository, marks.DIGEST).counts.rated[5] == 1)  # type: ignore[union-attr, index]
    assert summary((await running.verify(running.image))[0]) == ("DENY", "REJECT", ["SEVERITY_EXCEEDED"])

    upstreams.signer.told.tell(told.key_version(running.key, state=key_pb2.KEY_STATE_DISABLED))
    await until(lambda: not running.process.feeds.trust().versions("release")[0].enabled)
    assert summary((await running.verify(running.image))[0])[2] == ["KEY_DISABLED", "SEVERITY_EXCEEDED"]

    revoked = revocation_pb2.RevocationTarget(digest=marks.DIGEST)
    upstreams.signer.told.tell(told.revocation(revoked, marks.DIGEST))
    await until(lambda: is_revoked(running))
    assert summary((await running.verify(running.image))[0])[2] == ["SIGNATURE_REVOKED"]


def revision_of(running: Running) -> int:
    return running.process.feeds.policy(told.CLUSTER).revision


def is_revoked(running: Running) -> bool:
    try:
        running.process.feeds.trust().check_digest(marks.DIGEST)
    except Rejection:
        return True
    return False


async def test_a_new_signing_is_seen_without_waiting(running: Running) -> None:
    image = f"{running.repository}@{OTHER}"
    assert summary((await running.verify(image, namespace="pay-eu"))[0])[2] == ["NO_SIGNATURE"]
    running.sign(OTHER)
    running.upstreams.signer.told.tell(told.signing(running.repository, OTHER), told.key_version(marks.new_key(), "ci"))
    await until(lambda: bool(running.process.feeds.trust().versions("ci")))
    assert summary((await running.verify(image, namespace="pay-eu"))[0]) == ("ALLOW", "ADMIT", [])


async def test_tags_are_resolved_for_mutation_and_judged_for_templates(running: Running) -> None:
    body = store.manifest([])
    digest = running.registry.put_manifest(REPOSITORY, store.OCI_MANIFEST, body, "1.2")
    running.sign(digest)
    tagged = f"{running.repository}:1.2"
    async with running.channel("admission", told.CLUSTER) as channel:
        request = pb.ResolveImagesRequest(namespace="pay-eu", images=[tagged, running.image, "B A D", f"{tagged}.3"])
        resolved = (await call(rpc.VerifierServiceStub(channel).ResolveImages, request, timeout=10)).images
    assert [image.pinned for image in resolved] == [f"{tagged}@{digest}", "", "", ""]
    assert all(image.left_because for image in resolved[1:])
    assert running.upstreams.policy.decisions == []

    template = verdict_pb2.OBJECT_FORM_TEMPLATE
    assert summary((await running.verify(tagged, namespace="pay-eu"))[0]) == ("DENY", "REJECT", ["TAG_NOT_PINNED"])
    (warned,) = await running.verify(tagged, namespace="pay-eu", form=template)
    assert summary(warned) == ("ALLOW", "ADMIT_WITH_WARNING", ["TAG_NOT_PINNED"])
    assert warned.reasons[0].metadata["digest"] == digest
    (pinned,) = await running.verify(resolved[0].pinned, namespace="pay-eu")
    assert summary(pinned) == ("ALLOW", "ADMIT", [])


async def test_images_under_verdict_allow_stay_as_they_are(running: Running) -> None:
    allow = told.rule(verdict=policy_pb2.FIXED_VERDICT_ALLOW)
    running.upstreams.policy.told.tell(told.policy(allow, revision=2))
    await until(lambda: revision_of(running) == 2)
    async with running.channel("admission", told.CLUSTER) as channel:
        request = pb.ResolveImagesRequest(images=[f"{running.repository}:1.2"])
        (resolved,) = (await call(rpc.VerifierServiceStub(channel).ResolveImages, request, timeout=10)).images
    assert resolved.pinned == ""
    assert running.registry.requests == []


async def explain(running: Running, role: str = "developer", **members: str) -> verdict_pb2.Verdict:
    request = pb.ExplainVerdictRequest(object_form=verdict_pb2.OBJECT_FORM_POD, **members)
    async with running.channel(role, "pat") as channel:
        return (await call(rpc.VerifierServiceStub(channel).ExplainVerdict, request, timeout=10)).verdict


async def test_a_person_gets_the_same_verdict_and_nothing_is_recorded(running: Running) -> None:
    (given,) = await running.verify(running.image, namespace="pay-eu")
    given.found_at = ""
    await running.upstreams.policy.recorded.wait()
    assert await explain(running, cluster=told.CLUSTER, namespace="pay-eu", image=running.image) == given
    denied = await explain(running, cluster=told.CLUSTER, namespace="pay-eu", image=f"{running.repository}@{OTHER}")
    assert summary(denied) == ("DENY", "REJECT", ["NO_SIGNATURE"])
    assert len(running.process.decisions) == 0
    assert len(running.upstreams.policy.decisions) == 1


async def test_a_person_gets_verdicts_and_signatures_within_the_binding_alone(running: Running) -> None:
    here = f"{running.registry.host}/pay/*"
    await running.restart(Binding(role="auditor", name="pat", repositories=(here,), clusters=("prod-*",)))
    own = await explain(running, "auditor", cluster=told.CLUSTER, namespace="pay-eu", image=running.image)
    assert summary(own) == ("ALLOW", "ADMIT", [])
    assert summary(await explain(running, "auditor", cluster=told.CLUSTER, image="B A D"))[2] == ["INVALID_REFERENCE"]
    await inspect(running, running.image)
    elsewhere = f"{running.registry.host}/other/x@{marks.DIGEST}"
    for refused in (
        explain(running, "auditor", cluster=told.CLUSTER, image=elsewhere),
        explain(running, "auditor", cluster=told.CLUSTER, image=f"evil.example/pay/x:1@{marks.DIGEST}"),
        explain(running, "auditor", cluster="test", image=running.image),
        inspect(running, elsewhere),
    ):
        with pytest.raises(RemoteRefusal) as refusal:
            await refused
        assert refusal.value.kind is Kind.PERMISSION_DENIED


async def test_a_deadline_that_runs_out_is_no_yes(running: Running) -> None:
    running.registry.faults["GET", f"/v2/{REPOSITORY}/manifests/sha256-{OTHER[7:]}.sig"] = hang
    verdicts = await running.verify(f"{running.repository}@{OTHER}", running.image, namespace="pay-eu", timeout=1.0)
    assert [summary(verdict) for verdict in verdicts] == [
        ("UNAVAILABLE", "REJECT", ["LIMIT_EXCEEDED"]),
        ("ALLOW", "ADMIT", []),
    ]


@pytest.mark.parametrize("count", [0, 101])
async def test_so_many_images_are_refused(running: Running, count: int) -> None:
    with pytest.raises(RemoteRefusal) as refused:
        await running.verify(*[running.image] * count, namespace="pay-eu")
    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID_ARGUMENT, "TOO_MANY_IMAGES")


@pytest.mark.parametrize("members", [{"namespace": "x" * 64}, {"requester": "x" * 513}, {"object_kind": "x" * 64}])
async def test_fields_that_are_too_long_are_refused(running: Running, members: dict[str, Any]) -> None:
    with pytest.raises(RemoteRefusal) as refused:
        await running.verify(running.image, **members)
    assert refused.value.kind is Kind.INVALID_ARGUMENT


async def test_an_object_of_no_form_is_refused(running: Running) -> None:
    with pytest.raises(RemoteRefusal) as refused:
        await running.verify(running.image, form=verdict_pb2.OBJECT_FORM_UNSPECIFIED)
    assert refused.value.kind is Kind.INVALID_ARGUMENT


async def inspect(running: Running, image: str, *pems: str) -> list[signature_report_pb2.SignatureReport]:
    request = pb.InspectSignaturesRequest(image=image, public_keys_pem=pems)
    async with running.channel("auditor", "pat") as channel:
        answer = await call(rpc.VerifierServiceStub(channel).InspectSignatures, request, timeout=10)
    assert answer.digest == marks.DIGEST
    return list(answer.signatures)


def codes(report: signature_report_pb2.SignatureReport) -> list[str]:
    return [reason_pb2.ReasonCode.Name(reason.code).removeprefix("REASON_CODE_") for reason in report.reasons]


async def test_every_signature_is_judged_by_itself(running: Running) -> None:
    ours = {"hallmark.signing_id": "5f", "hallmark.signer": "ann", "hallmark.signed_at": "2026-01-02T03:04:05Z", "n": 1}
    payloads = [
        marks.payload(identity=running.repository, optional=ours),
        marks.payload(identity="reg.example.com/other"),
        b"no payload",
    ]
    store.store_simple(running.registry, REPOSITORY, marks.DIGEST, running.key, *payloads)
    stranger = marks.new_key()
    content = marks.statement(identity=running.repository)
    store.store_bundle(running.registry, REPOSITORY, marks.DIGEST, marks.bundle(stranger, content))
    good, elsewhere, broken, foreign = await inspect(running, running.image)
    assert (codes(good), codes(elsewhere), codes(broken), codes(foreign)) == (
        [], ["IDENTITY_MISMATCH"], ["INVALID_SIGNATURE"], ["UNTRUSTED_KEY"],
    )  # fmt: skip
    assert (good.key, good.key_version, good.fingerprint) == ("release", 1, marks.fingerprint_of(running.key))
    assert (good.signing_id, good.signer, good.identity, dict(good.claims)) == (
        "5f",
        "ann",
        running.repository,
        {"n": "1"},
    )
    assert good.sign_time.ToJsonString() == "2026-01-02T03:04:05Z"
    assert (good.format, good.layer) == (signature_report_pb2.SIGNATURE_FORMAT_SIMPLE_SIGNING, 0)
    assert (foreign.format, foreign.identity) == (signature_report_pb2.SIGNATURE_FORMAT_BUNDLE, "")
    assert len(good.payload_sha256) == len(foreign.payload_sha256) == 32
    assert broken.payload_sha256 == b""

    by_pem = await inspect(running, running.image, marks.pem_of(stranger))
    assert [codes(report) for report in by_pem] == [
        ["UNTRUSTED_KEY"], ["IDENTITY_MISMATCH"], ["INVALID_SIGNATURE"], [],
    ]  # fmt: skip
    assert (by_pem[3].key, by_pem[3].fingerprint) == ("", marks.fingerprint_of(stranger))


async def test_what_does_not_verify_names_the_signing_that_it_claims(running: Running) -> None:
    names = ["3b241101-e2bb-4255-8caf-4136c566a962", "x" * 36, "no\x1bid"]
    payloads = [marks.payload(optional={"hallmark.signing_id": name}) for name in names]
    store.store_simple(running.registry, REPOSITORY, marks.DIGEST, marks.new_key(), *payloads)
    reports = await inspect(running, running.image)
    assert [report.signing_id for report in reports] == ["", "", ""]
    assert [report.claimed_signing_id for report in reports] == [names[0], "", ""]


async def test_very_long_claims_leave_room_for_the_other_signatures(running: Running) -> None:
    long = {f"n{number}": "ü" * 400 for number in range(60)}
    payloads = [
        marks.payload(identity=running.repository + ":" + "x" * 90_000, optional={"n": n} | long) for n in range(8)
    ]
    store.store_simple(running.registry, REPOSITORY, marks.DIGEST, running.key, *payloads)
    reports = await inspect(running, running.image)
    assert [codes(report) for report in reports] == [["IDENTITY_MISMATCH"]] * 8
    for number, report in enumerate(reports):
        assert report.claims["n"] == str(number)
        assert len(report.identity) == 512
        assert report.ByteSize() < 20_000


async def test_inspection_is_never_half_a_list(running: Running) -> None:
    running.registry.faults["GET", f"/v2/{REPOSITORY}/referrers/{marks.DIGEST}"] = hang
    with pytest.raises(RemoteRefusal) as refused:
        await inspect(running, running.image)
    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, "NOT_INSPECTED")


@pytest.mark.parametrize(
    ("image", "pems", "reason"),
    [
        ("B A D", (), "INVALID_REFERENCE"),
        ("reg.example.com/x@" + marks.DIGEST, (), "NOT_INSPECTABLE"),
        ("reg.example.com/x@" + marks.DIGEST, ("no key",), "UNREADABLE_KEY"),
        ("reg.example.com/x@" + marks.DIGEST, ("",) * 17, "UNREADABLE_KEY"),
    ],
)
async def test_what_cannot_be_inspected(running: Running, image: str, pems: tuple[str, ...], reason: str) -> None:
    with pytest.raises(RemoteRefusal) as refused:
        await inspect(running, image, *pems)
    assert refused.value.reason == reason


async def test_neighbours_that_go_away_are_believed_for_a_while_and_then_no_more(running: Running) -> None:
    assert isinstance(running.process.feeds.policy(told.CLUSTER).revision, int)
    gone = asyncio.create_task(running.upstreams.__aexit__())
    await gone
    assert summary((await running.verify(running.image, namespace="pay-eu"))[0]) == ("ALLOW", "ADMIT", [])


async def test_what_is_counted_names_no_user(running: Running) -> None:
    await running.verify(running.image, f"{running.repository}@{OTHER}", namespace="pay-eu")
    value = running.collected.get_sample_value
    assert value("hallmark_verifier_verdicts_total", {"outcome": "DENY", "effect": "REJECT"}) == 1
    assert value("hallmark_verifier_reasons_total", {"code": "NO_SIGNATURE"}) == 1
    assert value("hallmark_verifier_lookups_total", {"source": "registry"}) == 2
    age = value("hallmark_verifier_trust_age_seconds")
    assert age is not None
    assert age < 60


async def test_a_channel_without_a_certificate_of_ours_gets_nothing(running: Running) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{running.server.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await rpc.VerifierServiceStub(channel).VerifyImages(pb.VerifyImagesRequest(), timeout=5)
