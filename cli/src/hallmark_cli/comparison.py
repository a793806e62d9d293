"""What a registry holds of an image's signatures, compared with the signer's records of what it signed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from hallmark.signer.v1.signature_pb2 import SIGNING_STATE_DONE, SignedPayload, Signing
from hallmark.verifier.v1.signature_report_pb2 import SignatureReport


class Standing(Enum):
    """How a signature and a record stand to each other."""

    INTACT = "INTACT"
    """What the signer signed, byte for byte, and it verifies under the key that signed it."""
    ALTERED = "ALTERED"
    """It is, or claims to be, what the signer signed, and does not verify."""
    MISSING = "MISSING"
    """Recorded as signed, and not in the registry."""
    FOREIGN = "FOREIGN"
    """In the registry, and not in the signer's records."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A signature of the registry (none where MISSING) beside the signing it belongs to (none where FOREIGN).

    `format` is a number of SignatureFormat, which is the same enum on both sides.
    """

    standing: Standing
    format: int
    report: SignatureReport | None
    signing: Signing | None


@dataclass(frozen=True, slots=True)
class _Record:
    """One payload that the signer recorded for the digest."""

    signing: Signing
    payload: SignedPayload

    def is_of(self, report: SignatureReport) -> bool:
        """Whether these very bytes, under this very key."""
        same_key = report.fingerprint == self.signing.fingerprint
        return same_key and self._same_bytes(report)

    def was_altered_to(self, report: SignatureReport) -> bool:
        """Whether something that does not verify has its bytes or its name."""
        if report.fingerprint or int(report.format) != self.payload.format:
            return False
        return self._same_bytes(report) or report.claimed_signing_id == self.signing.signing_id

    def _same_bytes(self, report: SignatureReport) -> bool:
        same_format = int(report.format) == self.payload.format
        return same_format and report.payload_sha256 == self.payload.payload_sha256


def compare(digest: str, reports: Sequence[SignatureReport], signings: Sequence[Signing]) -> list[Compared]:
    """Each signature of the digest with its record, then each record without a signature.

    A signing that did not end may have left its signatures or not: it is missed nowhere.
    """
    records = list(_records(digest, signings))
    found = [_place(report, records) for report in reports]
    seen = [compared.report for compared in found if compared.report is not None]
    return found + [
        Compared(Standing.MISSING, record.payload.format, None, record.signing)
        for record in records
        if record.signing.state == SIGNING_STATE_DONE and not any(_answers(record, report) for report in seen)
    ]


def sound(compared: Sequence[Compared]) -> bool:
    """Whether the registry holds what was signed: something is intact, nothing altered or missing, and no signature
    under a key of the signer lacks its record."""
    standings = {one.standing for one in compared}
    unrecorded = any(one.standing is Standing.FOREIGN and one.report and one.report.key for one in compared)
    return Standing.INTACT in standings and not standings & {Standing.ALTERED, Standing.MISSING} and not unrecorded


def _records(digest: str, signings: Sequence[Signing]) -> Iterator[_Record]:
    for signing in signings:
        for signed in signing.signed_digests:
            if signed.digest == digest:
                yield from (_Record(signing, payload) for payload in signed.payloads)


def _place(report: SignatureReport, records: Sequence[_Record]) -> Compared:
    for record in records:
        if record.is_of(report):
            return Compared(Standing.INTACT, report.format, report, record.signing)
    for record in records:
        if record.was_altered_to(report):
            return Compared(Standing.ALTERED, report.format, report, record.signing)
    return Compared(Standing.FOREIGN, report.format, report, None)


def _answers(record: _Record, report: SignatureReport) -> bool:
    return record.is_of(report) or record.was_altered_to(report)
