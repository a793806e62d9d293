"""Decodes what is asked and said of inventories, and encodes claims."""

from hallmark.scanner.v1 import inventory_pb2, scan_service_pb2

from scanner.catalogue import ClaimSummary
from scanner.claiming import Imported, Subject
from scanner.exports import Format
from scanner.wire import reading


def form(value: int) -> Format:
    """Decode a document's format."""
    return Format(reading.enum(inventory_pb2.InventoryFormat.DESCRIPTOR, "INVENTORY_FORMAT_", value, "format"))


def subject(header: inventory_pb2.InventoryHeader) -> Subject:
    """Decode what a document is about."""
    repository = reading.repository(header.repository, "header.repository")
    return Subject(repository, reading.digest(header.digest, "header.digest"), header.replace)


def imported(result: Imported) -> scan_service_pb2.ImportInventoryResponse:
    """Encode what became of a document."""
    return scan_service_pb2.ImportInventoryResponse(
        claim=claim(ClaimSummary.of(result.claim)), digest=result.digest, added=result.added
    )


def claim(value: ClaimSummary) -> inventory_pb2.Claim:
    """Encode a claim."""
    return inventory_pb2.Claim(
        document=value.document,
        origin=inventory_pb2.ClaimOrigin.Value(f"CLAIM_ORIGIN_{value.origin.value}"),
        format=value.format,
        packages=value.packages,
        left_out=value.left_out,
        problem=value.problem,
    )
