"""sign, signatures: the marks that are struck on images."""

import uuid
from collections.abc import Sequence
from typing import Any

import click
from hallmark.signer.v1 import signing_service_pb2 as pb
from hallmark.signer.v1.revocation_pb2 import RevocationTarget, SignatureTarget
from hallmark.signer.v1.signature_pb2 import Signing, SigningState
from hallmark.signer.v1.signing_service_pb2_grpc import SigningServiceStub
from hallmark.verifier.v1.reason_pb2 import Reason, ReasonCode
from hallmark.verifier.v1.signature_report_pb2 import SignatureFormat, SignatureReport
from hallmark.verifier.v1.verifier_service_pb2 import InspectSignaturesRequest
from hallmark.verifier.v1.verifier_service_pb2_grpc import VerifierServiceStub

from hallmark_cli import output, references
from hallmark_cli.commands import gates
from hallmark_cli.commands.keys import versioned
from hallmark_cli.comparison import Compared, compare, sound
from hallmark_cli.connection import Connection
from hallmark_cli.failures import Misused, Refused
from hallmark_cli.listing import EVERYTHING, collect
from hallmark_cli.messages import Plain, moment, plain, word
from hallmark_cli.options import Pair, output_form, speaks_as


@click.command()
@click.argument("reference", metavar="REF")
@click.option("--key", required=True, help="The name of the key that signs.")
@click.option("--claim", "claims", type=Pair(), multiple=True, help="Something to sign with it.")
@click.option("--reviewed", default="", help="The risk digest that you saw: another one now is refused.")
@gates.gate_options
@output_form
@speaks_as("reviewer")
def sign(
    connection: Connection,
    reference: str,
    key: str,
    claims: tuple[tuple[str, str], ...],
    reviewed: str,
    form: str,
    **conditions: Any,
) -> None:
    """Sign an image that passes the gate.

    REF is host/repository[:tag]@digest; a tag is signed too. The conditions of the key's gate can be made tighter here,
    never looser.
    """
    if not references.split(reference).digest:
        raise Misused("Name the digest that you reviewed: host/repository[:tag]@sha256:... A tag can move.")
    request = pb.SignImageRequest(
        image=reference,
        key=key,
        claims=dict(claims),
        gate=gates.gate(conditions),
        reviewed=reviewed,
        request_id=str(uuid.uuid4()),
    )
    with connection.to("signer") as channel:
        signing = SigningServiceStub(channel).SignImage(request).signing
    if form == "json":
        output.document(signing)
    else:
        _show(signing)


@click.group()
def signatures() -> None:
    """Signatures of images, and their revocation."""


@signatures.command("list")
@click.argument("reference", metavar="REF")
@output_form
@speaks_as("auditor")
def list_(connection: Connection, reference: str, form: str) -> None:
    """List every signature that the registry holds of an image, each with its verdict under the signer's keys."""
    with connection.to("verifier") as channel:
        request = InspectSignaturesRequest(image=reference)
        answer = VerifierServiceStub(channel).InspectSignatures(request)
    if form == "json":
        output.document(plain(answer))
    else:
        output.fields([("digest", answer.digest)])
        show_reports(list(answer.signatures))


@signatures.command()
@click.argument("reference", metavar="REF")
@output_form
@speaks_as("auditor")
def verify(connection: Connection, reference: str, form: str) -> None:
    """Compare what the registry holds with what the signer recorded.

    INTACT is what was signed; ALTERED was changed since; MISSING is recorded and gone; FOREIGN was not signed here.
    The answer is yes where something is intact, nothing is altered or missing, and nothing foreign bears a key of the
    signer.
    """
    with connection.to("verifier") as channel:
        answer = VerifierServiceStub(channel).InspectSignatures(InspectSignaturesRequest(image=reference))
    compared = compare(answer.digest, answer.signatures, _recorded(connection, reference, answer.digest))
    if form == "json":
        output.document({"digest": answer.digest, "signatures": [_plain(one) for one in compared]})
    else:
        _show_compared(answer.digest, compared)
    if not sound(compared):
        raise Refused("The registry and the signer's records differ.", "SIGNATURES_DIFFER")


@signatures.command()
@click.argument("what", metavar="REF|SIGNING_ID")
@click.option("--key", help="Only the signatures of this key version on REF's digest: KEY@VERSION.")
@click.option("--reason", required=True, help="Why, for whoever reads it later.")
@output_form
@speaks_as("reviewer")
def revoke(connection: Connection, what: str, key: str | None, reason: str, form: str) -> None:
    """Revoke a signing by its id, or an image by its digest; never taken back.

    A signing is revoked with all its digests, and a digest with every signing that holds it.
    """
    request = pb.CreateRevocationRequest(target=_target(what, key), reason=reason, request_id=str(uuid.uuid4()))
    with connection.to("signer") as channel:
        made = SigningServiceStub(channel).CreateRevocation(request).revocation
    if form == "json":
        output.document(made)
    else:
        output.line(f"Revoked (revocation {made.revocation_id}), which covers: {', '.join(made.digests)}")


def _recorded(connection: Connection, reference: str, digest: str) -> list[Signing]:
    request = pb.ListSignaturesRequest(repository=references.split(reference).repository, digest=digest)
    with connection.to("signer") as channel:
        stub = SigningServiceStub(channel)

        def page(size: int, token: str) -> tuple[Sequence[Signing], str]:
            request.page_size, request.page_token = size, token
            answer = stub.ListSignatures(request)
            return answer.signings, answer.next_page_token

        return collect(page, EVERYTHING)


def _plain(one: Compared) -> dict[str, Plain]:
    return {
        "standing": one.standing.value,
        "format": word(SignatureFormat.DESCRIPTOR, one.format),
        "signature": plain(one.report) if one.report else None,
        "signing": plain(one.signing) if one.signing else None,
    }


def _show_compared(digest: str, compared: Sequence[Compared]) -> None:
    rows = [
        (
            one.standing.value,
            verdict(one.report) if one.report else "-",
            _key(one),
            word(SignatureFormat.DESCRIPTOR, one.format) or "none that we know",
            one.signing.signing_id if one.signing else "-",
        )
        for one in compared
    ]
    output.fields([("digest", digest)])
    output.table(("STANDING", "VERDICT", "KEY", "FORMAT", "SIGNING"), rows, "Neither signatures nor records of any.")


def _key(one: Compared) -> str:
    if one.signing:
        return f"{one.signing.key}@{one.signing.key_version}"
    return _key_of(one.report) if one.report else "-"


def _key_of(report: SignatureReport) -> str:
    return f"{report.key}@{report.key_version}" if report.key else report.fingerprint[:12] or "-"


def show_reports(reports: list[SignatureReport]) -> None:
    """Print signatures with their verdicts."""
    rows = [
        (
            verdict(report),
            _key_of(report),
            word(SignatureFormat.DESCRIPTOR, report.format) or "none that we know",
            report.identity or "-",
            moment(report.sign_time) if report.HasField("sign_time") else "-",
            report.signing_id or "-",
        )
        for report in reports
    ]
    output.table(("VERDICT", "KEY", "FORMAT", "SIGNED AS", "SIGNED AT", "SIGNING"), rows)
    for report in reports:
        for reason in report.reasons:
            output.line(f"{code(reason)}: {reason.message}")


def verdict(report: SignatureReport) -> str:
    """GOOD, or the codes of why it does not count."""
    return " ".join(map(code, report.reasons)) or "GOOD"


def code(reason: Reason) -> str:
    """The word of a reason's code."""
    return word(ReasonCode.DESCRIPTOR, reason.code) or "UNSPECIFIED"


def _target(what: str, key: str | None) -> RevocationTarget:
    digest = references.split(what).digest or (what if what.startswith("sha256:") else "")
    if key is not None:
        name, version = versioned(key)
        if version is None or not digest:
            raise Misused("With --key KEY@VERSION, name the image by its digest: host/repository@sha256:...")
        return RevocationTarget(signature=SignatureTarget(digest=digest, key=name, version=version))
    if digest:
        return RevocationTarget(digest=digest)
    try:
        return RevocationTarget(signing_id=str(uuid.UUID(what)))
    except ValueError:
        raise Misused(f"{what} is neither a signing's id nor an image with its digest.") from None


def _show(signing: Signing) -> None:
    image = f"{signing.repository}{f':{signing.tag}' if signing.tag else ''}@{signing.digest}"
    others = [one.digest for one in signing.signed_digests if one.digest != signing.digest]
    output.fields(
        [
            ("signing", signing.signing_id),
            ("image", image),
            ("platforms too", ", ".join(others)),
            ("key", f"{signing.key}@{signing.key_version}"),
            ("signer", signing.signer),
            ("signed at", moment(signing.sign_time)),
            ("claims", ", ".join(f"{name}={value}" for name, value in sorted(signing.claims.items()))),
            ("state", word(SigningState.DESCRIPTOR, signing.state) or ""),
        ]
    )
