"""TOML, written: the standard library reads it only.

Tables hold strings, booleans, whole numbers, lists of strings, lists of tables and further tables;
https://toml.io/en/v1.0.0.
"""

import json
from collections.abc import Mapping, Sequence

Value = str | bool | int | Sequence[str] | Sequence[Mapping[str, "Value"]] | Mapping[str, "Value"]
Table = Mapping[str, Value]


def dumps(table: Table) -> str:
    """The document that holds the table: at each level the values first, then the tables under it."""
    return "\n".join(_lines(table, ())).lstrip("\n") + "\n"


def _lines(table: Table, path: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    below: list[str] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            inner = _lines(value, (*path, key))
            # A table that holds tables alone needs no head of its own.
            below += inner if inner[:1] == [""] else ["", f"[{_name(*path, key)}]", *inner]
        elif isinstance(value, Sequence) and not isinstance(value, str):
            tables = [item for item in value if isinstance(item, Mapping)]
            for item in tables:
                below += ["", f"[[{_name(*path, key)}]]", *_lines(item, (*path, key))]
            if not tables:
                lines.append(f"{_name(key)} = [{', '.join(_string(item) for item in value if isinstance(item, str))}]")
        else:
            lines.append(f"{_name(key)} = {_scalar(value)}")
    return lines + below


def _scalar(value: str | bool | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _string(value)


def _name(*path: str) -> str:
    return ".".join(key if _bare(key) else _string(key) for key in path)


def _bare(key: str) -> bool:
    return key.isascii() and key.replace("-", "").replace("_", "").isalnum()


def _string(text: str) -> str:
    # JSON's escapes are TOML's; only DEL needs one in TOML and has none in JSON.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
