"""The policy service as a process: mutual TLS, roles and scopes, streams that resume, a kill in the middle."""

import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from chassis.client import RemoteRefusal, call
from chassis.errors import Kind
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from hallmark.common.v1 import stream_pb2
from hallmark.policy.v1 import decision_pb2, decision_service_pb2, policy_service_pb2, revision_pb2
from hallmark.policy.v1 import policy_pb2 as pb

from tests.factories.policy_messages import authority, decision, policy, rule, signed
from tests.factories.policy_process import PolicyHome, RunningPolicy

NOW = datetime.now(UTC)
UNKNOWN_FIELD = b"\xfa\x07\x01x"
BEGIN, END = stream_pb2.STREAM_EVENT_SNAPSHOT_BEGIN, stream_pb2.STREAM_EVENT_SNAPSHOT_END
CHANGE, HEARTBEAT = stream_pb2.STREAM_EVENT_CHANGE, stream_pb2.STREAM_EVENT_HEARTBEAT
READERS = ("developer", "reviewer", "custodian", "cluster-admin", "oncall", "operator", "auditor")
PEOPLE_AND_SERVICES = (*READERS, "verifier", "signer", "scanner", "admission")


@pytest.fixture
async def home(tmp_path: Path) -> PolicyHome:
    made = PolicyHome(tmp_path)
    code, said = await made.run("migrate")
    assert code == 0, said
    return made


@contextmanager
def refused(kind: Kind, reason: str = "") -> Iterator[None]:
    with pytest.raises(RemoteRefusal) as refusal:
        yield
    assert refusal.value.kind is kind
    assert reason in {"", refusal.value.reason}


async def create(service: RunningPolicy, cluster: str = "prod-eu", name: str = "payments", **fields: Any) -> int:
    request = policy_service_pb2.CreateRevisionRequest(policy=policy(rule(name), cluster=cluster), **fields)
    return (await call((await service.policies("cluster-admin")).CreateRevision, request, timeout=30)).revision.revision


async def activate(
    service: RunningPolicy, revision: int, expected: int, cluster: str = "prod-eu", request_id: str = ""
) -> revision_pb2.ActivePolicy:
    request = policy_service_pb2.ActivateRevisionRequest(
        cluster=cluster, revision=revision, expected_active_revision=expected, request_id=request_id
    )
    return (await call((await service.policies("cluster-admin")).ActivateRevision, request, timeout=30)).active


async def in_force(service: RunningPolicy) -> list[tuple[str, int]]:
    request = policy_service_pb2.ListActivePoliciesRequest()
    answer = await call((await service.policies("auditor")).ListActivePolicies, request, timeout=30)
    return [(one.cluster, one.revision) for one in answer.active_policies]


async def watched(
    service: RunningPolicy, event: int, token: str = "", name: str = "1"
) -> list[policy_service_pb2.WatchPoliciesResponse]:
    """The answers of WatchPolicies up to the first of this kind."""
    stub = await service.policies("verifier", name)
    stream = stub.WatchPolicies(policy_service_pb2.WatchPoliciesRequest(resume_token=token), timeout=30)
    seen = []
    async for answer in stream:
        seen.append(answer)
        if answer.head.event == event:
            break
    stream.cancel()
    return seen


def said(answers: Sequence[policy_service_pb2.WatchPoliciesResponse]) -> list[tuple[str, int]]:
    return [(record.cluster, record.revision) for answer in answers for record in answer.records]


async def record(
    service: RunningPolicy, *decisions: decision_pb2.Decision, name: str = "1"
) -> decision_service_pb2.RecordDecisionsResponse:
    async def messages() -> AsyncIterator[decision_service_pb2.RecordDecisionsRequest]:
        yield decision_service_pb2.RecordDecisionsRequest(decisions=decisions)

    return await (await service.decisions("verifier", name)).RecordDecisions(messages(), timeout=30)


async def logged(service: RunningPolicy, role: str = "auditor", **fields: Any) -> list[str]:
    """The images in the decision log, page by page."""
    stub, found = await service.decisions(role), list[str]()
    request = decision_service_pb2.ListDecisionsRequest(page_size=2, **fields)
    while True:
        answer = await call(stub.ListDecisions, request, timeout=30)
        found += [one.image for one in answer.decisions]
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


async def test_the_whole_way_of_a_policy(home: PolicyHome) -> None:
    async with home.start() as service:
        assert [await create(service, name=name) for name in ("one", "two")] == [1, 2]
        with refused(Kind.ABORTED, "ACTIVE_REVISION_CHANGED"):
            await activate(service, 1, expected=2)
        first = await activate(service, 1, expected=0, request_id="a1")
        assert await activate(service, 1, expected=0, request_id="a1") == first
        with refused(Kind.ALREADY_EXISTS):
            await activate(service, 2, expected=0, request_id="a1")
        with refused(Kind.ABORTED, "ACTIVE_REVISION_CHANGED"):
            await activate(service, 2, expected=0)
        with refused(Kind.NOT_FOUND, "REVISION_NOT_FOUND"):
            await activate(service, 3, expected=1)
        await activate(service, 2, expected=1)
        back = policy_service_pb2.RollBackRequest(cluster="prod-eu", expected_active_revision=2)
        admin = await service.policies("cluster-admin")
        assert (await call(admin.RollBack, back, timeout=30)).active.revision == 1
        back.expected_active_revision = 1
        with refused(Kind.FAILED_PRECONDITION, "NOTHING_TO_ROLL_BACK_TO"):
            await call(admin.RollBack, back, timeout=30)
        assert await in_force(service) == [("prod-eu", 1)]
        listed = policy_service_pb2.ListRevisionsRequest(cluster="prod-eu", page_size=1)
        page = await call((await service.policies("auditor")).ListRevisions, listed, timeout=30)
        assert [revision.revision for revision in page.revisions] == [2]
        listed.page_token = page.next_page_token
        with refused(Kind.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"):
            await call((await service.policies("developer")).ListRevisions, listed, timeout=30)


@pytest.mark.parametrize(
    ("sent", "reason", "told"),
    [
        (policy(rule(), rule()), "POLICY_INVALID", "policy.rules[1].name"),
        (policy(rule(), default_verdict=0), "POLICY_INVALID", "policy.default_verdict"),
        (policy(rule(require=pb.Requirement(signatures=signed("nobody")))), "POLICY_INVALID", ""),
        (policy(authorities=[authority("a", pb.AuthorityKey())]), "POLICY_INVALID", "policy.authorities[0].keys[0]"),
        (policy(rule(mode=99)), "POLICY_UNSUPPORTED", "policy.rules[0].mode"),
        (pb.Policy.FromString(policy().SerializeToString() + UNKNOWN_FIELD), "POLICY_UNSUPPORTED", "policy"),
        (policy(rule(require=pb.Requirement.FromString(UNKNOWN_FIELD))), "POLICY_UNSUPPORTED", ""),
        (policy(*(rule(f"r{number}" + "x" * 90) for number in range(9000))), "POLICY_TOO_LARGE", "524288 bytes"),
    ],
)
async def test_a_policy_is_refused_as_a_whole(home: PolicyHome, sent: pb.Policy, reason: str, told: str) -> None:
    request = policy_service_pb2.CreateRevisionRequest(policy=sent)
    async with home.start() as service:
        with pytest.raises(RemoteRefusal) as refusal:
            await call((await service.policies("cluster-admin")).CreateRevision, request, timeout=30)
        assert (refusal.value.kind, refusal.value.reason) == (Kind.INVALID_ARGUMENT, reason)
        assert told in refusal.value.message
        assert await create(service) == 1


async def test_each_role_may_do_what_its_table_says(home: PolicyHome) -> None:
    of_policies: dict[str, tuple[Message, Sequence[str]]] = {
        "CreateRevision": (policy_service_pb2.CreateRevisionRequest(policy=policy()), ["cluster-admin"]),
        "ActivateRevision": (
            policy_service_pb2.ActivateRevisionRequest(cluster="prod-eu", revision=9),
            ["cluster-admin"],
        ),
        "RollBack": (policy_service_pb2.RollBackRequest(cluster="prod-eu"), ["cluster-admin"]),
        "GetRevision": (policy_service_pb2.GetRevisionRequest(cluster="prod-eu", revision=9), READERS),
        "ListRevisions": (policy_service_pb2.ListRevisionsRequest(cluster="prod-eu"), READERS),
        "ListActivePolicies": (policy_service_pb2.ListActivePoliciesRequest(), READERS),
    }
    of_decisions: dict[str, tuple[Message, Sequence[str]]] = {
        "ListDecisions": (decision_service_pb2.ListDecisionsRequest(), READERS),
        "SummarizeDecisions": (decision_service_pb2.SummarizeDecisionsRequest(), READERS),
    }
    async with home.start() as service:
        for role in PEOPLE_AND_SERVICES:
            stubs = (await service.policies(role), of_policies), (await service.decisions(role), of_decisions)
            for stub, methods in stubs:
                for name, (request, allowed) in methods.items():
                    assert await is_let(getattr(stub, name), request) == (role in allowed), (role, name)
        watch = (await service.policies("auditor")).WatchPolicies(policy_service_pb2.WatchPoliciesRequest())
        with pytest.raises(grpc.aio.AioRpcError, match="PERMISSION_DENIED"):
            await watch.read()


async def is_let(method: Any, request: Message) -> bool:
    try:
        await call(method, request, timeout=30)
    except RemoteRefusal as refusal:
        return refusal.kind is not Kind.PERMISSION_DENIED
    return True


async def test_a_binding_narrows_admins_auditors_and_verifiers_to_clusters(home: PolicyHome) -> None:
    async with home.start() as service:
        for cluster in ("prod-eu", "staging"):
            await create(service, cluster)
            await activate(service, 1, 0, cluster)
    home.configure(
        *('[[bindings]]\nrole = "cluster-admin"\nname = "pat"\nclusters = ["prod-*"]',),
        *('[[bindings]]\nrole = "auditor"\nname = "pat"\nclusters = ["prod-*"]',),
        *('[[bindings]]\nrole = "verifier"\nname = "eu"\nclusters = ["prod-*"]',),
    )
    async with home.start() as service:
        assert await create(service) == 2
        with refused(Kind.PERMISSION_DENIED):
            await create(service, "staging")
        with refused(Kind.PERMISSION_DENIED):
            await activate(service, 1, 1, "staging")
        with refused(Kind.PERMISSION_DENIED):
            await call(
                (await service.policies("cluster-admin", "eve")).CreateRevision,
                policy_service_pb2.CreateRevisionRequest(policy=policy()),
                timeout=30,
            )
        assert await in_force(service) == [("prod-eu", 1)]
        assert said(await watched(service, END, name="eu")) == [("prod-eu", 1)]
        answer = await record(service, decision(NOW), decision(NOW, cluster="staging"), name="eu")
        assert (answer.recorded, answer.refused, answer.refusals[0].reason) == (1, 1, "PERMISSION_DENIED")
        with refused(Kind.PERMISSION_DENIED, "CLUSTER_REQUIRED"):
            await logged(service)
        assert len(await logged(service, cluster="prod-eu")) == 1


async def test_a_watcher_resumes_after_a_kill_and_starts_anew_with_the_epoch(home: PolicyHome) -> None:
    async with home.start() as service:
        await create(service)
        await activate(service, 1, 0)
        snapshot = await watched(service, END)
        assert said(snapshot) == [("prod-eu", 1)]
        await create(service, name="two")
        await activate(service, 2, 1)
        service.service.process.kill()
        await service.service.process.wait()
    token = snapshot[-1].head.resume_token
    async with home.start() as service:
        resumed = await watched(service, HEARTBEAT, token)
        assert [answer.head.event for answer in resumed] == [CHANGE, HEARTBEAT]
        assert said(resumed) == [("prod-eu", 2)]
        assert resumed[0].head.counter > snapshot[-1].head.counter
    home.configure(epoch=2)
    async with home.start() as service:
        anew = await watched(service, END, resumed[-1].head.resume_token)
        assert (anew[0].head.event, {answer.head.epoch for answer in anew}) == (BEGIN, {2})
        assert said(anew) == [("prod-eu", 2)]


@pytest.mark.parametrize(
    ("step", "request_id", "stored"),
    [
        ("policy.activations:_record", "a1", False),
        ("policy.servicers.policy_service:encode_activation", "a1", False),  # within the transaction
        ("policy.servicers.policy_service:encode_activation", "", True),  # after it, before the answer
    ],
)
async def test_an_activation_that_was_killed_is_done_whole_or_not_at_all(
    home: PolicyHome, step: str, request_id: str, stored: bool
) -> None:
    async with home.start() as service:
        await create(service)
        await create(service, name="two")
        await activate(service, 1, 0)
    async with home.start(dies_in=step) as service:
        with pytest.raises(RemoteRefusal):
            await activate(service, 2, 1, request_id=request_id)
        assert await service.service.process.wait() == -signal.SIGKILL
    async with home.start() as service:
        assert await in_force(service) == [("prod-eu", 2 if stored else 1)]
        assert (await activate(service, 2, 2 if stored else 1, request_id=request_id)).revision == 2
        assert await in_force(service) == [("prod-eu", 2)]
        assert said(await watched(service, END)) == [("prod-eu", 2)]


async def test_decisions_survive_a_kill_and_are_kept_once(home: PolicyHome) -> None:
    batch = [decision(NOW, image=f"i{number}") for number in range(5)]
    async with home.start() as service:
        odd = decision(NOW, reasons=["no code"])
        answer = await record(service, *batch[:2], odd, *batch[2:])
        assert (answer.recorded, answer.refused) == (5, 1)
        assert answer.refusals[0].field == "reasons"
        service.service.process.kill()
        await service.service.process.wait()
    async with home.start() as service:
        again = await record(service, *batch)
        assert (again.recorded, again.known) == (0, 5)
        assert await logged(service) == ["i4", "i3", "i2", "i1", "i0"]


async def test_old_decisions_are_swept_at_the_start(home: PolicyHome) -> None:
    async with home.start() as service:
        old = NOW - timedelta(days=31)
        await record(service, decision(old, image="old"), decision(NOW, image="new"))
        assert await logged(service) == ["new", "old"]
    home.configure("[decisions]\nretention_days = 30")
    async with home.start() as service:
        while await logged(service) != ["new"]:
            assert service.service.process.returncode is None


async def test_what_it_refuses_to_start_with(home: PolicyHome) -> None:
    async with home.start():
        code, told = await home.run("serve")
        assert (code, "in use by another process" in told, "Traceback" in told) == (1, True, False)
    for wrong in ("[decisions]\nretention_days = 0", "[decisions]\nmost = 10", "[decision]\nmost = 5000"):
        home.configure(wrong)
        code, told = await home.run("serve")
        assert (code, "decision" in told, "Traceback" in told) == (2, True, False)
    home.configure()
    (home.folder / "store" / "policy.db").unlink()
    code, told = await home.run("serve")
    assert (code, "policy migrate" in told) == (1, True)


async def test_health_follows_the_database(home: PolicyHome) -> None:
    async with home.start() as service:
        channel = await service.service.channel("auditor")
        watch = channel.unary_stream(
            "/grpc.health.v1.Health/Watch",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        watched = watch(health_pb2.HealthCheckRequest(), timeout=30)
        said = aiter(watched)
        assert (await anext(said)).status == health_pb2.HealthCheckResponse.SERVING
        with closing(sqlite3.connect(home.folder / "store/policy.db", isolation_level=None)) as file:
            file.execute("DROP TABLE alembic_version")
        assert (await anext(said)).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watched.cancel()
