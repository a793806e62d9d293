"""What keys and labels may be called."""

import re
from collections.abc import Mapping
from typing import Final

from chassis.errors import InvalidArgument

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_MAX_LABELS: Final = 32
_MAX_LABEL_NAME: Final = 63
_MAX_LABEL_VALUE: Final = 256


def demand_name(name: str, field: str) -> str:
    """Return the name of a key. Raises InvalidArgument where it could not be one."""
    if not _NAME.fullmatch(name):
        raise InvalidArgument(
            "A key's name has 1 to 63 of a-z, 0-9 and `-`, and begins and ends with a letter or digit.", field=field
        )
    return name


def demand_labels(labels: Mapping[str, str], field: str) -> dict[str, str]:
    """Return labels. Raises InvalidArgument where there are too many, or one is empty or too long."""
    if len(labels) > _MAX_LABELS:
        raise InvalidArgument(f"A key has at most {_MAX_LABELS} labels.", field=field)
    for name, value in labels.items():
        if not 1 <= len(name) <= _MAX_LABEL_NAME or len(value) > _MAX_LABEL_VALUE:
            raise InvalidArgument(
                f"A label's name has 1 to {_MAX_LABEL_NAME} characters, its value at most {_MAX_LABEL_VALUE}.",
                field=field,
            )
    return dict(labels)
