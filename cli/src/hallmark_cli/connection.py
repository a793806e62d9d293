"""Speaking to a service: mutual TLS, a deadline for every call, and refusals as failures of the command."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

from hallmark_cli.failures import CouldNotTell, Failure, Misused, Refused
from hallmark_cli.profile import Identity, Profile

# The answers are pages and reports; a message of any of our RPCs stays under 4 MiB.
LARGEST_ANSWER = 16 * 1024 * 1024
LONG = [
    {"service": "hallmark.scanner.v1.ScanService", "method": "WatchScan"},
    {"service": "hallmark.scanner.v1.AdvisoryService", "method": "ImportAdvisories"},
]
DEADLINES = json.dumps(
    {"methodConfig": [{"name": [{}], "timeout": "60s"}, {"name": LONG, "timeout": "3600s"}]},
)

USAGE = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE}
NO = {
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}


@dataclass(frozen=True, slots=True)
class Connection:
    """The services of a profile, as one of its identities."""

    profile: Profile
    identity: Identity

    @contextmanager
    def to(self, service: str) -> Iterator[grpc.Channel]:
        """A channel to a service; what the service refuses within it is a Failure."""
        address = self.profile.address(service)
        options = [
            # Python's client cannot check a SPIFFE id; only service certificates carry this name.
            ("grpc.ssl_target_name_override", f"{service}.{self.profile.trust_domain}"),
            ("grpc.service_config", DEADLINES),
            ("grpc.max_receive_message_length", LARGEST_ANSWER),
        ]
        with grpc.secure_channel(address, self._credentials(), options) as channel:
            try:
                yield channel
            except grpc.RpcError as error:
                raise failure_of(error, service, address) from None

    def _credentials(self) -> grpc.ChannelCredentials:
        try:
            return grpc.ssl_channel_credentials(
                root_certificates=self.profile.ca.read_bytes(),
                private_key=self.identity.key.read_bytes(),
                certificate_chain=self.identity.certificate.read_bytes(),
            )
        except OSError as problem:
            raise Misused(f"{problem.filename} cannot be read: {problem.strerror}. The profile names it.") from None


def failure_of(error: grpc.RpcError, service: str, address: str) -> Failure:
    """What a refusal of a service means for the command."""
    call = cast(grpc.Call, error)  # which every error of a channel is
    status = rpc_status.from_call(call)
    if status is None:
        return _unexplained(call.code(), call.details() or "", f"The {service} at {address}")
    reason, details = "", []
    for packed in status.details:
        reason = _reason(packed) or reason
        details += [fact for fact in _facts(packed) if status.message not in fact]
    return kind(call.code())(status.message, reason, details)


def kind(code: grpc.StatusCode) -> type[Failure]:
    """What a status says: that the request cannot be meant, no, or that there is no answer."""
    if code in USAGE:
        return Misused
    return Refused if code in NO else CouldNotTell


def _unexplained(code: grpc.StatusCode, said: str, who: str) -> Failure:
    if code is grpc.StatusCode.UNAVAILABLE:
        sentence = f"{who} does not answer, or is not who it should be ({said}). `hallmark status` says what runs."
    elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
        sentence = f"{who} did not answer in time. Try again; its log says what it was doing."
    else:
        sentence = f"{who} answered {code.name}: {said}"
    return kind(code)(sentence, code.name)


def _reason(packed: Any) -> str:
    info = ErrorInfo()
    return info.reason if packed.Unpack(info) else ""


def _facts(packed: Any) -> list[str]:
    """What a service says beside its sentence: which field is at fault, and facts by name."""
    bad, info = BadRequest(), ErrorInfo()
    if packed.Unpack(bad):
        return [f"{violation.field}: {violation.description}" for violation in bad.field_violations]
    if packed.Unpack(info):
        return [f"{name}: {value}" for name, value in sorted(info.metadata.items())]
    return []
