"""verify, why: what the verifier says of an image."""

from pathlib import Path

import click
from hallmark.verifier.v1 import verdict_pb2, verifier_service_pb2
from hallmark.verifier.v1.signature_report_pb2 import SignatureReport
from hallmark.verifier.v1.verifier_service_pb2_grpc import VerifierServiceStub

from hallmark_cli import output
from hallmark_cli.commands.keys import versioned
from hallmark_cli.commands.signatures import code, show_reports
from hallmark_cli.connection import Connection
from hallmark_cli.failures import CouldNotTell, Misused, Refused
from hallmark_cli.messages import plain, word
from hallmark_cli.options import output_form, speaks_as

OUTCOME = verdict_pb2.Outcome.DESCRIPTOR
EFFECT = verdict_pb2.Effect.DESCRIPTOR
LARGEST_PEM = 16 * 1024


@click.command()
@click.argument("reference", metavar="REF")
@click.option("--cluster", help="Against the policy in force in this cluster.")
@click.option("--namespace", default="default", show_default=True, help="Where in the cluster it would run.")
@click.option("--key", help="Against one key: its name, KEY@VERSION, or a file with a public key in PEM.")
@click.option("--explain", is_flag=True, help="Show the rule, and every reason.")
@output_form
@speaks_as("auditor")
def verify(
    connection: Connection,
    reference: str,
    cluster: str | None,
    namespace: str,
    key: str | None,
    explain: bool,
    form: str,
) -> None:
    """Verify an image.

    Against a cluster: may it run there? Against a key: does it bear a good signature of it?
    """
    if (cluster is None) == (key is None):
        raise Misused("Name either --cluster, to ask its policy, or --key, to ask for its signature.")
    if cluster is not None:
        verdict = _explained(connection, reference, cluster, namespace)
        _show_verdict(verdict, form, in_full=explain)
        _judge(verdict)
    elif key is not None:
        _verify_by_key(connection, reference, key, form, in_full=explain)


@click.command()
@click.argument("reference", metavar="REF")
@click.option("--cluster", required=True, help="The cluster.")
@click.option("--namespace", required=True, help="The namespace.")
@output_form
@speaks_as("auditor")
def why(connection: Connection, reference: str, cluster: str, namespace: str, form: str) -> None:
    """Say why an image may run, or may not."""
    verdict = _explained(connection, reference, cluster, namespace)
    _show_verdict(verdict, form, in_full=True)
    _judge(verdict)


def _explained(connection: Connection, reference: str, cluster: str, namespace: str) -> verdict_pb2.Verdict:
    request = verifier_service_pb2.ExplainVerdictRequest(
        cluster=cluster, namespace=namespace, image=reference, object_form=verdict_pb2.OBJECT_FORM_POD
    )
    with connection.to("verifier") as channel:
        return VerifierServiceStub(channel).ExplainVerdict(request).verdict


def _show_verdict(verdict: verdict_pb2.Verdict, form: str, *, in_full: bool) -> None:
    if form == "json":
        output.document(verdict)
        return
    outcome = word(OUTCOME, verdict.outcome) or ""
    if not in_full:
        output.line(f"{outcome}: {verdict.message or verdict.image}")
        return
    output.fields(
        [
            ("image", verdict.image),
            ("digest", verdict.digest),
            ("outcome", outcome),
            ("effect", word(EFFECT, verdict.effect) or ""),
            ("rule", verdict.rule),
            ("revision", str(verdict.policy_revision or "")),
            *((code(reason), reason.message) for reason in verdict.reasons),
            ("in short", verdict.message),
        ]
    )


def _judge(verdict: verdict_pb2.Verdict) -> None:
    """Return where the image is allowed. Raises a Failure otherwise."""
    codes = " ".join(map(code, verdict.reasons))
    if verdict.outcome == verdict_pb2.OUTCOME_ALLOW:
        return
    if verdict.outcome == verdict_pb2.OUTCOME_DENY:
        raise Refused("The image may not run there.", codes)
    raise CouldNotTell("Whether the image may run there could not be told.", codes)


def _verify_by_key(connection: Connection, reference: str, key: str, form: str, *, in_full: bool) -> None:
    pem = _public_key(key)
    request = verifier_service_pb2.InspectSignaturesRequest(image=reference, public_keys_pem=[pem] if pem else [])
    with connection.to("verifier") as channel:
        answer = VerifierServiceStub(channel).InspectSignatures(request)
    good = [report for report in answer.signatures if not report.reasons and (pem or _is_of(report, key))]
    if form == "json":
        output.document({**plain(answer), "good": len(good)})
    elif in_full:
        show_reports(list(answer.signatures))
    if not good:
        raise Refused(f"No good signature of {key} was found on {answer.digest}.", "NO_SIGNATURE")
    if form != "json":
        output.line(f"{answer.digest} bears {len(good)} good signature{'s' * (len(good) > 1)} of {key}.")


def _public_key(key: str) -> str | None:
    """The PEM of a file; None for the name of a key."""
    file = Path(key)
    if not file.is_file():
        return None
    with file.open("rb") as opened:
        return opened.read(LARGEST_PEM + 1).decode("ascii", errors="replace")


def _is_of(report: SignatureReport, key: str) -> bool:
    name, version = versioned(key)
    return report.key == name and version in (None, report.key_version)
