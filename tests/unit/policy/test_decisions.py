"""The decision log: each decision once, found by what was decided about, gone when it is old."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from chassis.errors import InvalidArgument, PermissionDenied, ResourceExhausted
from hallmark.policy.v1 import decision_pb2
from hallmark.policy.v1 import decision_service_pb2 as pb
from policy.decisions import Retention

from tests.factories.policy_messages import decision, moment
from tests.factories.policy_service import NO_CONTEXT, Offices, acting

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALLOW = decision_pb2.DECISION_OUTCOME_ALLOW
DENY = decision_pb2.DECISION_OUTCOME_DENY
DIGEST = "sha256:" + "b" * 64


async def record(office: Offices, *batches: list[decision_pb2.Decision]) -> pb.RecordDecisionsResponse:
    async def sent() -> AsyncIterator[pb.RecordDecisionsRequest]:
        for batch in batches:
            yield pb.RecordDecisionsRequest(decisions=batch)

    return await office.decisions.RecordDecisions(sent(), NO_CONTEXT)


async def listed(office: Offices, **given: object) -> pb.ListDecisionsResponse:
    request = pb.ListDecisionsRequest(**given)  # type: ignore[arg-type]  # the test names fields
    return await office.decisions.ListDecisions(request, NO_CONTEXT)


async def counts(office: Offices, **given: object) -> list[decision_pb2.DecisionCount]:
    request = pb.SummarizeDecisionsRequest(**given)  # type: ignore[arg-type]  # the test names fields
    return list((await office.decisions.SummarizeDecisions(request, NO_CONTEXT)).counts)


async def images(office: Offices, **given: object) -> list[str]:
    return [one.image for one in (await listed(office, **given)).decisions]


async def test_a_decision_is_given_back_as_it_was_recorded(office: Offices) -> None:
    sent = decision(NOW, dry_run=True, reasons=["NO_SIGNATURE", "NOT_SCANNED"])
    with acting("verifier", "1"):
        assert (await record(office, [sent])).recorded == 1
        assert list((await listed(office)).decisions) == [sent]
    assert office.counted("hallmark_policy_decisions_total", outcome="DENY", effect="REJECT") == 1


async def test_a_batch_sent_again_is_not_doubled(office: Offices) -> None:
    batch = [decision(NOW) for _ in range(3)]
    with acting("verifier", "1"):
        await record(office, batch)
        again = await record(office, [*batch, decision(NOW)], batch)
        assert len((await listed(office)).decisions) == 4
    assert (again.recorded, again.known) == (1, 6)
    assert office.counted("hallmark_policy_decisions_known_total") == 6


async def test_an_id_twice_in_one_batch_is_kept_once(office: Offices) -> None:
    one = decision(NOW)
    with acting("verifier", "1"):
        answer = await record(office, [one, one])
    assert (answer.recorded, answer.known) == (1, 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("decision_id", ""),
        ("decision_id", "a/b"),
        ("time", None),
        ("cluster", ""),
        ("namespace", "n" * 64),
        ("object_kind", "k" * 64),
        ("requester", "r" * 513),
        ("image", ""),
        ("image", "i" * 513),
        ("found_at", "f" * 257),
        ("digest", "sha512:" + "a" * 128),
        ("outcome", 0),
        ("outcome", 99),
        ("effect", 0),
        ("effect", 99),
        ("rule", "r" * 101),
        ("policy_revision", 2**63),
        ("reasons", ["R"] * 17),
        ("reasons", ["no signature"]),
        ("message", "m" * 2049),
        ("correlation_id", "c" * 65),
    ],
)
async def test_a_malformed_decision_is_refused_by_itself_with_its_field(
    office: Offices, field: str, value: object
) -> None:
    odd = decision(NOW, **{field: value})
    with acting("verifier", "1"):
        answer = await record(office, [decision(NOW)], [decision(NOW), odd, decision(NOW)])
        assert len((await listed(office)).decisions) == 3
    assert (answer.recorded, answer.known, answer.refused) == (3, 0, 1)
    (refused,) = answer.refusals
    assert (refused.decision_id, refused.reason, refused.field) == (odd.decision_id, "MALFORMED_REQUEST", field)
    assert office.counted("hallmark_policy_decisions_refused_total") == 1


async def test_a_time_beyond_any_calendar_is_refused(office: Offices) -> None:
    odd = decision(NOW)
    odd.time.seconds = 2**60
    with acting("verifier", "1"):
        answer = await record(office, [odd])
    assert "calendar" in answer.refusals[0].message


async def test_many_refusals_are_counted_and_the_first_explained(office: Offices) -> None:
    with acting("verifier", "1"):
        odd = [decision(NOW, decision_id="/" * 100_000) for _ in range(30)]
        answer = await record(office, odd[:15], odd[15:])
    assert (answer.recorded, answer.refused, len(answer.refusals)) == (0, 30, 20)
    assert {refused.decision_id for refused in answer.refusals} == {"/" * 64}


async def test_too_many_decisions_at_once_are_refused(office: Offices) -> None:
    with acting("verifier", "1"), pytest.raises(InvalidArgument, match="at most 500"):
        await record(office, [decision(NOW) for _ in range(501)])


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ["NGINX", "docker.io/library/nginx:1", "nginx@" + DIGEST, "reg.example.com/pay/api:1"]),
        ({"cluster": "prod-us"}, ["NGINX"]),
        ({"namespace": "web"}, ["docker.io/library/nginx:1"]),
        ({"outcomes": [ALLOW]}, ["nginx@" + DIGEST]),
        ({"outcomes": [ALLOW, DENY], "namespace": "web"}, ["docker.io/library/nginx:1"]),
        ({"image": "nginx"}, ["docker.io/library/nginx:1", "nginx@" + DIGEST]),
        ({"image": "nginx:1"}, ["docker.io/library/nginx:1"]),
        ({"image": "docker.io/library/nginx@" + DIGEST}, ["nginx@" + DIGEST]),
        ({"image": "NGINX"}, ["NGINX"]),
        ({"image": "reg.example.com/pay"}, []),
        ({"start_time": moment(NOW + timedelta(seconds=2))}, ["NGINX", "docker.io/library/nginx:1"]),
        ({"end_time": moment(NOW + timedelta(seconds=1))}, ["reg.example.com/pay/api:1"]),
    ],
)
async def test_decisions_are_found_by(office: Offices, given: dict[str, object], found: list[str]) -> None:
    made = [
        decision(NOW),
        decision(NOW + timedelta(seconds=1), image="nginx@" + DIGEST, digest=DIGEST, outcome=ALLOW),
        decision(NOW + timedelta(seconds=2), image="docker.io/library/nginx:1", namespace="web"),
        decision(NOW + timedelta(seconds=3), image="NGINX", cluster="prod-us", digest=""),
    ]
    with acting("verifier", "1"):
        await record(office, made)
        assert await images(office, **given) == found


async def test_an_image_without_a_tag_is_found_by_the_tag_that_it_has(office: Offices) -> None:
    with acting("verifier", "1"):
        await record(office, [decision(NOW, image="nginx"), decision(NOW, image="nginx:1")])
        assert await images(office, image="nginx:latest") == ["nginx"]


async def test_decisions_are_listed_page_by_page_while_new_ones_come(office: Offices) -> None:
    with acting("verifier", "1"):
        await record(office, [decision(NOW, image=f"i{number}") for number in range(5)])
        first = await listed(office, page_size=2)
        await record(office, [decision(NOW, image="new")])
        second = await listed(office, page_size=2, page_token=first.next_page_token)
        third = await listed(office, page_size=2, page_token=second.next_page_token)
    pages = [[one.image for one in page.decisions] for page in (first, second, third)]
    assert pages == [["i4", "i3"], ["i2", "i1"], ["i0"]]
    assert third.next_page_token == ""


async def test_a_page_ends_early_rather_than_outgrow_a_message(office: Offices) -> None:
    with acting("verifier", "1"):
        for _ in range(4):
            await record(office, [decision(NOW, message="ü" * 2048) for _ in range(250)])
        first = await listed(office, page_size=1000)
        rest = await listed(office, page_size=1000, page_token=first.next_page_token)
    assert first.ByteSize() < 4 << 20
    assert len(first.decisions) + len(rest.decisions) == 1000
    assert rest.next_page_token == ""


@pytest.mark.parametrize(
    "given", [{"outcomes": [99]}, {"outcomes": [0]}, {"image": "i" * 513}, {"namespace": "n" * 64}, {"cluster": "a/b"}]
)
async def test_an_odd_filter_is_refused(office: Offices, given: dict[str, object]) -> None:
    with acting("auditor"), pytest.raises(InvalidArgument):
        await listed(office, **given)


async def test_decisions_that_are_alike_are_counted(office: Offices) -> None:
    later = NOW + timedelta(hours=1)
    with acting("verifier", "1"):
        await record(
            office,
            [decision(NOW), decision(later, reasons=["NO_SIGNATURE", "NOT_SCANNED"]), decision(NOW, namespace="web")],
            [decision(NOW, outcome=ALLOW, effect=decision_pb2.DECISION_EFFECT_ADMIT, reasons=[])],
        )
        most, fewest = await counts(office)
        (of_web,) = await counts(office, namespace="web")
    assert (most.rule, most.outcome, most.reason, most.count) == ("payments", DENY, "NO_SIGNATURE", 3)
    assert most.last_time.ToDatetime(UTC) == later
    assert (fewest.outcome, fewest.reason, fewest.count) == (ALLOW, "", 1)
    assert of_web.count == 1


@pytest.mark.parametrize("ask", [listed, counts])
async def test_a_narrowed_caller_names_a_cluster_of_its_own(
    office: Offices, ask: Callable[..., AsyncIterator[object]]
) -> None:
    with acting("auditor", clusters=("prod-*",)):
        with pytest.raises(PermissionDenied, match="name the cluster"):
            await ask(office)  # type: ignore[misc]  # either function
        with pytest.raises(PermissionDenied, match="staging"):
            await ask(office, cluster="staging")  # type: ignore[misc]  # either function
        await ask(office, cluster="prod-eu")  # type: ignore[misc]  # either function


async def test_a_narrowed_verifier_records_for_its_clusters_alone(office: Offices) -> None:
    with acting("verifier", "1", clusters=("prod-eu",)):
        answer = await record(office, [decision(NOW, image="own"), decision(NOW, cluster="prod-us")])
    with acting("auditor"):
        assert await images(office) == ["own"]
    assert [(refused.reason, refused.field) for refused in answer.refusals] == [("PERMISSION_DENIED", "")]


async def test_old_decisions_are_deleted(office: Offices) -> None:
    with acting("verifier", "1"):
        await record(office, [decision(NOW), decision(NOW + timedelta(days=2), image="kept")])
        office.clock.set(NOW + timedelta(days=31))
        await office.log.sweep(Retention(timedelta(days=30), most=1000))
        assert await images(office) == ["kept"]
    assert office.counted("hallmark_policy_decisions_deleted_total") == 1


async def test_the_oldest_go_where_there_are_too_many(office: Offices) -> None:
    with acting("verifier", "1"):
        for start in range(0, 2500, 500):
            await record(office, [decision(NOW, image=f"i{number}") for number in range(start, start + 500)])
        await office.log.sweep(Retention(timedelta(days=30), most=2))
        assert await images(office) == ["i2499", "i2498"]


async def test_sweeping_goes_on_after_a_refusal(office: Offices, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Retention] = []
    kept = Retention(timedelta(days=30), most=1000)

    async def sweep(retention: Retention) -> None:
        tried.append(retention)
        raise ResourceExhausted("The disk is full.")

    async def sleep(seconds: float) -> None:
        if len(tried) == 2:
            raise asyncio.CancelledError

    monkeypatch.setattr(office.log, "sweep", sweep)
    with pytest.raises(asyncio.CancelledError):
        await office.log.keep_swept(kept, sleep)
    assert tried == [kept, kept]
