"""The pieces that byte keys are made of: bytes that compare as the numbers do."""

_WIDEST_SHORT = 254


def number_key(digits: str) -> bytes:
    """Bytes that compare as the decimal number in `digits` does, however long it is; leading zeros do not count.

    No key is the beginning of another one, so that keys may stand one after the other.
    """
    significant = digits.lstrip("0").encode("ascii")
    length = len(significant)
    if length <= _WIDEST_SHORT:
        return bytes((length,)) + significant
    return b"\xff" + length.to_bytes(4, "big") + significant
