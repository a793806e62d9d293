"""Pages of a list: a token continues one list of one caller, and no other."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message

from chassis.errors import InvalidArgument
from chassis.identity import current_caller

DEFAULT_SIZE: Final = 50
MOST: Final = 1000
_BINDING_LENGTH: Final = 16
_LONGEST_TOKEN: Final = 2048


class InvalidPageToken(InvalidArgument):
    """The token is none of this list, filter and caller."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is asked for: how many records, after which cursor (empty: from the start)."""

    size: int
    cursor: str
    binding: bytes

    def token(self, cursor: str) -> str:
        """The token of the page after this cursor; empty where there is none."""
        return base64.urlsafe_b64encode(self.binding + cursor.encode()).decode() if cursor else ""


def open_page(request: Message) -> Page:
    """Read page_size and page_token of a List request; its other fields are the filter. Raises InvalidArgument."""
    size: int = request.page_size  # type: ignore[attr-defined]  # every List request has both
    token: str = request.page_token  # type: ignore[attr-defined]
    if size < 0 or size > MOST:
        raise InvalidArgument(f"page_size is between 1 and {MOST}, or 0 for {DEFAULT_SIZE}.", field="page_size")
    binding = _binding(request)
    return Page(size or DEFAULT_SIZE, _cursor(token, binding), binding)


def _binding(request: Message) -> bytes:
    plain = type(request)()
    plain.CopyFrom(request)
    plain.ClearField("page_size")
    plain.ClearField("page_token")
    named = f"{request.DESCRIPTOR.full_name}\n{current_caller().spiffe_id}\n".encode()
    return hashlib.sha256(named + plain.SerializeToString(deterministic=True)).digest()[:_BINDING_LENGTH]


def _cursor(token: str, binding: bytes) -> str:
    if not token:
        return ""
    refusal = InvalidPageToken("This page token belongs to another list, filter or caller.", field="page_token")
    if len(token) > _LONGEST_TOKEN:
        raise refusal
    try:
        bound = base64.b64decode(token, altchars=b"-_", validate=True)
        if bound[:_BINDING_LENGTH] != binding or base64.urlsafe_b64encode(bound).decode() != token:
            raise refusal
        return bound[_BINDING_LENGTH:].decode()
    except ValueError:  # no base64, or no text within it
        raise refusal from None
