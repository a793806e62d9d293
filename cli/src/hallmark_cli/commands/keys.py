"""keys: what signs, and who may."""

import re
import uuid
from typing import Any

import click
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from hallmark.signer.v1 import key_service_pb2 as pb
from hallmark.signer.v1 import signing_service_pb2
from hallmark.signer.v1.key_pb2 import Algorithm, Key, KeyPurpose, KeyState, KeyVersion
from hallmark.signer.v1.key_service_pb2_grpc import KeyServiceStub
from hallmark.signer.v1.revocation_pb2 import KeyVersionTarget, RevocationTarget
from hallmark.signer.v1.signing_service_pb2_grpc import SigningServiceStub

from hallmark_cli import output
from hallmark_cli.commands import gates
from hallmark_cli.connection import Connection
from hallmark_cli.failures import Misused, Refused
from hallmark_cli.listing import EVERYTHING, collect
from hallmark_cli.messages import moment, plain, word
from hallmark_cli.options import EnumWord, Moment, Pair, limited, output_form, speaks_as

ALGORITHM = Algorithm.DESCRIPTOR
VERSIONED = re.compile(r"([a-z0-9-]+)@([1-9][0-9]{0,8})")


@click.group()
def keys() -> None:
    """Signing keys, which never leave the vault."""


@keys.command()
@click.argument("name")
@click.option(
    "--purpose",
    type=EnumWord(KeyPurpose.DESCRIPTOR),
    default="IMAGE_SIGNATURE",
    show_default=True,
    help="What it may sign; fixed for life.",
)
@click.option("--algorithm", type=EnumWord(ALGORITHM), help="How it signs.  [default: ECDSA_P256_SHA256]")
@click.option("--label", "labels", type=Pair(), multiple=True, help="A free label.")
@gates.gate_options
@output_form
@speaks_as("custodian")
def create(
    connection: Connection,
    name: str,
    purpose: KeyPurpose.ValueType,
    algorithm: Algorithm.ValueType | None,
    labels: tuple[tuple[str, str], ...],
    form: str,
    **conditions: Any,
) -> None:
    """Make a key with its first version, and the gate that images must pass before it signs them."""
    request = pb.CreateKeyRequest(
        name=name,
        purpose=purpose,
        algorithm=algorithm,
        gate=gates.gate(conditions),
        labels=dict(labels),
        request_id=str(uuid.uuid4()),
    )
    with connection.to("signer") as channel:
        _tell(KeyServiceStub(channel).CreateKey(request).key, form)


@keys.command("list")
@limited
@output_form
@speaks_as("auditor")
def list_(connection: Connection, limit: int, form: str) -> None:
    """List the keys."""
    with connection.to("signer") as channel:
        stub = KeyServiceStub(channel)

        def page(size: int, token: str) -> tuple[list[Key], str]:
            answer = stub.ListKeys(pb.ListKeysRequest(page_size=size, page_token=token))
            return list(answer.keys), answer.next_page_token

        found = collect(page, limit)
    if form == "json":
        output.document(found)
        return
    rows = [(one.name, _purpose(one), _state(one.state), str(one.current_version), _algorithm(one)) for one in found]
    output.table(("NAME", "PURPOSE", "STATE", "VERSION", "ALGORITHM"), rows)


@keys.command()
@click.argument("name")
@output_form
@speaks_as("auditor")
def show(connection: Connection, name: str, form: str) -> None:
    """Show a key with its versions."""
    with connection.to("signer") as channel:
        stub = KeyServiceStub(channel)
        key = stub.GetKey(pb.GetKeyRequest(name=name)).key
        versions = versions_of(stub, name)
    if form == "json":
        output.document({"key": plain(key), "key_versions": [plain(one) for one in versions]})
        return
    _show(key)
    output.paragraph("")
    rows = [
        (str(one.version), word(ALGORITHM, one.algorithm) or "", one.fingerprint, moment(one.valid_from), _revoked(one))
        for one in versions
    ]
    output.table(("VERSION", "ALGORITHM", "FINGERPRINT", "SINCE", "REVOKED FROM"), rows)


@keys.command()
@click.argument("name")
@click.option("--label", "labels", type=Pair(), multiple=True, help="The labels, all of them.")
@gates.gate_options
@output_form
@speaks_as("custodian")
def update(
    connection: Connection, name: str, labels: tuple[tuple[str, str], ...], form: str, **conditions: Any
) -> None:
    """Change a key's gate, one condition by one, or its labels, all at once."""
    gate = gates.gate(conditions)
    paths = [f"gate.{field.name}" for field, _ in gate.ListFields()] if gate is not None else []
    if labels:
        paths.append("labels")
    if not paths:
        raise Misused("Nothing to change was given. `hallmark keys update --help` lists what can be.")
    request = pb.UpdateKeyRequest(
        key=Key(name=name, gate=gate, labels=dict(labels)), update_mask=FieldMask(paths=paths)
    )
    with connection.to("signer") as channel:
        _tell(KeyServiceStub(channel).UpdateKey(request).key, form)


@keys.command()
@click.argument("name")
@click.option("--algorithm", type=EnumWord(ALGORITHM), help="How the new version signs.  [default: as the newest]")
@output_form
@speaks_as("custodian")
def rotate(connection: Connection, name: str, algorithm: Algorithm.ValueType | None, form: str) -> None:
    """Make a new version, which signs from now on; older ones go on verifying."""
    request = pb.RotateKeyRequest(name=name, algorithm=algorithm, request_id=str(uuid.uuid4()))
    with connection.to("signer") as channel:
        made = KeyServiceStub(channel).RotateKey(request).key_version
    if form == "json":
        output.document(made)
    else:
        output.line(f"{made.key}@{made.version} signs from now on; its fingerprint is {made.fingerprint}.")


@keys.command()
@click.argument("name")
@output_form
@speaks_as("custodian")
def enable(connection: Connection, name: str, form: str) -> None:
    """Take a disabled key into use again."""
    with connection.to("signer") as channel:
        _tell(KeyServiceStub(channel).EnableKey(pb.EnableKeyRequest(name=name)).key, form)


@keys.command()
@click.argument("name")
@output_form
@speaks_as("custodian")
def disable(connection: Connection, name: str, form: str) -> None:
    """Take a key out of use: it signs no more, and no signature of it counts."""
    with connection.to("signer") as channel:
        _tell(KeyServiceStub(channel).DisableKey(pb.DisableKeyRequest(name=name)).key, form)


@keys.command()
@click.argument("version", metavar="KEY@VERSION")
@click.option("--from", "since", type=Moment(), required=True, help="From when on, or `now`: earlier signatures stand.")
@click.option("--reason", required=True, help="Why, for whoever reads it later.")
@output_form
@speaks_as("custodian")
def revoke(connection: Connection, version: str, since: Timestamp, reason: str, form: str) -> None:
    """Revoke a key version from a time on; never taken back."""
    name, number = versioned(version)
    if number is None:
        raise Misused(f"Which version of {name}? Write {name}@N; `hallmark keys show {name}` lists them.")
    target = RevocationTarget(key_version=KeyVersionTarget(key=name, version=number, from_time=since))
    request = signing_service_pb2.CreateRevocationRequest(target=target, reason=reason, request_id=str(uuid.uuid4()))
    with connection.to("signer") as channel:
        made = SigningServiceStub(channel).CreateRevocation(request).revocation
    if form == "json":
        output.document(made)
    else:
        output.line(f"{version} is revoked from {moment(since)} on (revocation {made.revocation_id}).")


@keys.command("export-public")
@click.argument("key", metavar="KEY[@VERSION]")
@speaks_as("auditor")
def export_public(connection: Connection, key: str) -> None:
    """Print a public key in PEM: of the newest version, or of the one named."""
    name, number = versioned(key)
    with connection.to("signer") as channel:
        versions = versions_of(KeyServiceStub(channel), name)
    for version in versions:
        if number in (None, version.version):
            output.paragraph(version.public_key_pem.strip())
            return
    raise Refused(f"There is no version {number} of the key {name}.", "NOT_FOUND")


def versioned(text: str) -> tuple[str, int | None]:
    """The name and version of `key@3`; no version for `key`."""
    match = VERSIONED.fullmatch(text)
    return (match[1], int(match[2])) if match else (text, None)


def versions_of(stub: KeyServiceStub, name: str) -> list[KeyVersion]:
    """The versions of a key, the newest first."""

    def page(size: int, token: str) -> tuple[list[KeyVersion], str]:
        answer = stub.ListKeyVersions(pb.ListKeyVersionsRequest(key=name, page_size=size, page_token=token))
        return list(answer.key_versions), answer.next_page_token

    return collect(page, EVERYTHING)


def _tell(key: Key, form: str) -> None:
    if form == "json":
        output.document(key)
    else:
        _show(key)


def _show(key: Key) -> None:
    output.fields(
        [
            ("name", key.name),
            ("purpose", _purpose(key)),
            ("state", _state(key.state)),
            ("version", f"{key.current_version}, {_algorithm(key)}"),
            ("vault", key.vault),
            ("gate", gates.told(key.gate) if key.HasField("gate") else ""),
            ("labels", ", ".join(f"{name}={value}" for name, value in sorted(key.labels.items()))),
            ("created", moment(key.create_time)),
        ]
    )


def _purpose(key: Key) -> str:
    return word(KeyPurpose.DESCRIPTOR, key.purpose) or ""


def _state(state: int) -> str:
    return word(KeyState.DESCRIPTOR, state) or ""


def _algorithm(key: Key) -> str:
    return word(ALGORITHM, key.algorithm) or ""


def _revoked(version: KeyVersion) -> str:
    return moment(version.revoked_from) if version.HasField("revoked_from") else "-"
