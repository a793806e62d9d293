"""policy: what may run in a cluster."""

import uuid
from difflib import unified_diff
from pathlib import Path

import click
from hallmark.policy.v1 import policy_pb2
from hallmark.policy.v1 import policy_service_pb2 as pb
from hallmark.policy.v1.policy_service_pb2_grpc import PolicyServiceStub
from hallmark.policy.v1.revision_pb2 import ActivePolicy, Revision

from hallmark_cli import output, policyfile, policytext, yamltree
from hallmark_cli.connection import Connection
from hallmark_cli.failures import Exit, Misused
from hallmark_cli.listing import EVERYTHING, collect
from hallmark_cli.messages import moment, plain
from hallmark_cli.options import limited, output_form, speaks_as

FILE = click.argument("file", type=click.Path(path_type=Path))
CLUSTER = click.option("--cluster", required=True, help="The cluster.")


@click.group()
def policy() -> None:
    """Policies of clusters, in revisions."""


@policy.command()
@FILE
@speaks_as("cluster-admin")
def validate(connection: Connection, file: Path) -> None:
    """Check a policy file, here and by the policy service; nothing is stored."""
    read = load(file)
    with connection.to("policy") as channel:
        PolicyServiceStub(channel).CreateRevision(pb.CreateRevisionRequest(policy=read, validate_only=True))
    output.line(f"{file} is a valid policy of the cluster {read.cluster}.")


@policy.command()
@FILE
@click.option("--activate", "at_once", is_flag=True, help="Put it in force at once.")
@click.option("--comment", default="", help="Why, for whoever reads it later.")
@output_form
@speaks_as("cluster-admin")
def apply(connection: Connection, file: Path, at_once: bool, comment: str, form: str) -> None:
    """Store a policy file as the next revision of its cluster."""
    with connection.to("policy") as channel:
        _store(PolicyServiceStub(channel), load(file), comment, at_once, form)


@policy.command()
@FILE
@speaks_as("auditor")
def diff(connection: Connection, file: Path) -> None:
    """Compare a policy file with what is in force in its cluster.

    Lines with - are in force, lines with + in the file. The answer is yes where they say the same.
    """
    read = load(file)
    with connection.to("policy") as channel:
        stub = PolicyServiceStub(channel)
        revision = _active(stub, read.cluster)
        request = pb.GetRevisionRequest(cluster=read.cluster, revision=revision)
        before = policytext.write(stub.GetRevision(request).policy) if revision else ""
    named = f"revision {revision}" if revision else "nothing"
    lines = list(unified_diff(before.splitlines(), policytext.write(read).splitlines(), named, str(file), lineterm=""))
    for each in lines:
        output.paragraph(each)
    if lines:
        raise click.exceptions.Exit(Exit.NO)


@policy.command()
@click.argument("revision", type=click.IntRange(1))
@CLUSTER
@output_form
@speaks_as("cluster-admin")
def activate(connection: Connection, revision: int, cluster: str, form: str) -> None:
    """Put a revision in force."""
    with connection.to("policy") as channel:
        stub = PolicyServiceStub(channel)
        _tell(_activated(stub, cluster, revision, _active(stub, cluster)), form)


@policy.command()
@CLUSTER
@output_form
@speaks_as("cluster-admin")
def rollback(connection: Connection, cluster: str, form: str) -> None:
    """Put the revision in force that was before the present one."""
    with connection.to("policy") as channel:
        stub = PolicyServiceStub(channel)
        request = pb.RollBackRequest(
            cluster=cluster, expected_active_revision=_active(stub, cluster), request_id=str(uuid.uuid4())
        )
        _tell(stub.RollBack(request).active, form)


@policy.command()
@CLUSTER
@click.option("--revision", type=click.IntRange(1), help="Its number.  [default: the one in force]")
@output_form
@speaks_as("auditor")
def show(connection: Connection, cluster: str, revision: int | None, form: str) -> None:
    """Print a policy, as YAML or JSON."""
    with connection.to("policy") as channel:
        request = pb.GetRevisionRequest(cluster=cluster, revision=revision or 0)
        answer = PolicyServiceStub(channel).GetRevision(request)
    if form == "json":
        output.document(plain(answer))
    else:
        made = answer.revision
        output.note(f"Revision {made.revision} of {made.cluster}, by {made.author}, {moment(made.create_time)}.")
        output.paragraph(policytext.write(answer.policy).rstrip())


@policy.command("list")
@click.option("--cluster", help="List the revisions of this cluster.  [default: what is in force in each]")
@limited
@output_form
@speaks_as("auditor")
def list_(connection: Connection, cluster: str | None, limit: int, form: str) -> None:
    """List what is in force in each cluster, or the revisions of one."""
    with connection.to("policy") as channel:
        stub = PolicyServiceStub(channel)
        if cluster is None:
            _list_active(_actives(stub, limit), form)
        else:
            _list_revisions(_revisions(stub, cluster, limit), _active(stub, cluster), form)


@policy.command()
@CLUSTER
@click.option("--key", "keys", multiple=True, required=True, help="A signing key: a signature of any of these counts.")
@click.option("--images", multiple=True, required=True, help="Images that must be signed, `*` and `**` allowed.")
@click.option("--allow", "allowed", multiple=True, help="Images that may run as they are.")
@click.option("--comment", default="", help="Why, for whoever reads it later.")
@output_form
@speaks_as("cluster-admin")
def require(
    connection: Connection,
    cluster: str,
    keys: tuple[str, ...],
    images: tuple[str, ...],
    allowed: tuple[str, ...],
    comment: str,
    form: str,
) -> None:
    """Put the simple policy in force: only these images, and only signed with one of these keys."""
    made = simple(cluster, keys, images, allowed)
    with connection.to("policy") as channel:
        _store(PolicyServiceStub(channel), made, comment, True, form)


def simple(cluster: str, keys: tuple[str, ...], images: tuple[str, ...], allowed: tuple[str, ...]) -> policy_pb2.Policy:
    """The policy that `policy require` makes: everything else is denied."""
    signers = policy_pb2.Authority(name="signers", keys=map(policyfile.key, keys))
    signed = policy_pb2.SignatureRequirement(at_least=1, of=[policy_pb2.ThresholdMember(authority=signers.name)])
    rules = [
        policy_pb2.Rule(
            name="signed",
            match=policy_pb2.Match(images=images),
            require=policy_pb2.Requirement(signatures=signed),
        )
    ]
    if allowed:
        match = policy_pb2.Match(images=allowed)
        rules.insert(0, policy_pb2.Rule(name="as they are", match=match, verdict=policy_pb2.FIXED_VERDICT_ALLOW))
    return policy_pb2.Policy(
        cluster=cluster, authorities=[signers], default_verdict=policy_pb2.FIXED_VERDICT_DENY, rules=rules
    )


def load(file: Path) -> policy_pb2.Policy:
    """Read a policy file. Raises a Failure that names file, line and column."""
    try:
        with file.open("rb") as opened:
            return policyfile.read(opened.read(yamltree.MOST_BYTES + 1))
    except OSError as problem:
        raise Misused(f"{file} cannot be read: {problem.strerror}.") from None
    except yamltree.Malformed as problem:
        raise Misused(f"{file}:{problem.line}:{problem.column}: {problem.problem}", "POLICY_INVALID") from None


def _store(stub: PolicyServiceStub, read: policy_pb2.Policy, comment: str, at_once: bool, form: str) -> None:
    # Asked before anything is stored: what somebody else activates meanwhile is not overruled.
    expected = _active(stub, read.cluster) if at_once else 0
    request = pb.CreateRevisionRequest(policy=read, comment=comment, request_id=str(uuid.uuid4()))
    made = stub.CreateRevision(request).revision
    active = _activated(stub, made.cluster, made.revision, expected) if at_once else None
    if form == "json":
        output.document({"revision": plain(made), "active": plain(active) if active else None})
    elif active is not None:
        _tell(active, form)
    else:
        output.line(f"Revision {made.revision} of {made.cluster} is stored, not in force.")


def _activated(stub: PolicyServiceStub, cluster: str, revision: int, expected: int) -> ActivePolicy:
    request = pb.ActivateRevisionRequest(
        cluster=cluster, revision=revision, expected_active_revision=expected, request_id=str(uuid.uuid4())
    )
    return stub.ActivateRevision(request).active


def _active(stub: PolicyServiceStub, cluster: str) -> int:
    """The number of the revision in force; 0 where none is."""
    return next((one.revision for one in _actives(stub, EVERYTHING) if one.cluster == cluster), 0)


def _actives(stub: PolicyServiceStub, limit: int) -> list[ActivePolicy]:
    def page(size: int, token: str) -> tuple[list[ActivePolicy], str]:
        answer = stub.ListActivePolicies(pb.ListActivePoliciesRequest(page_size=size, page_token=token))
        return list(answer.active_policies), answer.next_page_token

    return collect(page, limit)


def _revisions(stub: PolicyServiceStub, cluster: str, limit: int) -> list[Revision]:
    def page(size: int, token: str) -> tuple[list[Revision], str]:
        answer = stub.ListRevisions(pb.ListRevisionsRequest(cluster=cluster, page_size=size, page_token=token))
        return list(answer.revisions), answer.next_page_token

    return collect(page, limit)


def _tell(active: ActivePolicy, form: str) -> None:
    if form == "json":
        output.document(active)
    else:
        before = f", in the place of revision {active.previous_revision}" if active.previous_revision else ""
        output.line(f"Revision {active.revision} of {active.cluster} is in force{before}.")


def _list_active(found: list[ActivePolicy], form: str) -> None:
    if form == "json":
        output.document(found)
        return
    rows = [(one.cluster, str(one.revision), one.activated_by, moment(one.activate_time)) for one in found]
    output.table(("CLUSTER", "REVISION", "ACTIVATED BY", "SINCE"), rows)


def _list_revisions(found: list[Revision], active: int, form: str) -> None:
    if form == "json":
        output.document(found)
        return
    rows = [
        (
            str(one.revision),
            "in force" if one.revision == active else "-",
            one.author,
            moment(one.create_time),
            one.comment or "-",
        )
        for one in found
    ]
    output.table(("REVISION", "STATE", "AUTHOR", "CREATED", "COMMENT"), rows)
