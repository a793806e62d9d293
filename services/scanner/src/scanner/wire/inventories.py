"""Decodes how inventories are asked for."""

from hallmark.scanner.v1 import inventory_pb2

from scanner.exports import Format
from scanner.wire import reading


def form(value: int) -> Format:
    """Decode a document's format."""
    return Format(reading.enum(inventory_pb2.InventoryFormat.DESCRIPTOR, "INVENTORY_FORMAT_", value, "format"))
