"""decisions: what was decided, and why."""

import click
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.policy.v1 import decision_service_pb2 as pb
from hallmark.policy.v1.decision_pb2 import Decision, DecisionEffect, DecisionOutcome
from hallmark.policy.v1.decision_service_pb2_grpc import DecisionServiceStub

from hallmark_cli import output
from hallmark_cli.connection import Connection
from hallmark_cli.listing import collect
from hallmark_cli.messages import moment, word
from hallmark_cli.options import EnumWord, Moment, limited, output_form, speaks_as

OUTCOME = DecisionOutcome.DESCRIPTOR
EFFECT = DecisionEffect.DESCRIPTOR


@click.group()
def decisions() -> None:
    """The log of what was decided by the policies."""


@decisions.command("list")
@click.option("--cluster", default="", help="Only of this cluster.")
@click.option("--namespace", default="", help="Only of this namespace.")
@click.option("--image", default="", help="Only of this image: a repository, or a reference.")
@click.option("--outcome", "outcomes", type=EnumWord(OUTCOME), multiple=True, help="Only with this outcome.")
@click.option("--since", type=Moment(), help="Only decided at this time or later.")
@limited
@output_form
@speaks_as("auditor")
def list_(
    connection: Connection,
    cluster: str,
    namespace: str,
    image: str,
    outcomes: tuple[DecisionOutcome.ValueType, ...],
    since: Timestamp | None,
    limit: int,
    form: str,
) -> None:
    """List decisions, those recorded last first."""
    with connection.to("policy") as channel:
        stub = DecisionServiceStub(channel)

        def page(size: int, token: str) -> tuple[list[Decision], str]:
            request = pb.ListDecisionsRequest(
                page_size=size,
                page_token=token,
                cluster=cluster,
                namespace=namespace,
                image=image,
                outcomes=outcomes,
                start_time=since,
            )
            answer = stub.ListDecisions(request)
            return list(answer.decisions), answer.next_page_token

        found = collect(page, limit)
    if form == "json":
        output.document(found)
    else:
        headers = ("TIME", "CLUSTER", "NAMESPACE", "KIND", "IMAGE", "OUTCOME", "EFFECT", "RULE", "REASONS")
        output.table(headers, map(_row, found))


def _row(decision: Decision) -> tuple[str, ...]:
    return (
        moment(decision.time),
        decision.cluster,
        decision.namespace or "-",
        decision.object_kind,
        decision.image,
        word(OUTCOME, decision.outcome) or "",
        word(EFFECT, decision.effect) or "",
        decision.rule or "-",
        " ".join(decision.reasons) or "-",
    )
