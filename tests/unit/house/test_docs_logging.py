"""docs/logging.md lists every message that a service logs, with level and fields, and each message is a constant."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).parents[3]
PARTS = {"any": "libs/chassis/src/chassis"} | {
    part: f"services/{part}/src/{part}" for part in ("scanner", "signer", "policy", "verifier", "admission")
}
LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR", "exception": "ERROR"}
ROW = re.compile(r"^\| (\w+) \| (\w+) \| `([^`]+)` \| (.*?) \| [^|]+ \|$", re.MULTILINE)
Line = tuple[str, str, str, frozenset[str]]


def logged() -> Iterator[Line]:
    """Each message of the code: who says it, at which level, what, and with which fields."""
    for part, source in PARTS.items():
        for file in (TOP / source).rglob("*.py"):
            tree = ast.parse(file.read_text())
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and (level := level_of(node.func)):
                    (message,) = node.args
                    assert isinstance(message, ast.Constant), f"{file}:{node.lineno}: the message is no constant"
                    yield part, level, str(message.value), frozenset(fields_of(node, tree))


def level_of(called: ast.expr) -> str | None:
    """The level of a call such as `log.info`; None for any other call."""
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "log":
        return LEVELS[called.attr]
    return None


def fields_of(call: ast.Call, tree: ast.Module) -> Iterator[str]:
    """The names in `extra`, written there or in the `fields` assigned before."""
    for keyword in call.keywords:
        if keyword.arg == "extra":
            extra = keyword.value
            if isinstance(extra, ast.Name):
                (extra,) = [
                    node.value
                    for node in ast.walk(tree)
                    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == extra.id
                ]
            assert isinstance(extra, ast.Dict)
            for key in extra.keys:
                assert isinstance(key, ast.Constant)
                yield str(key.value)


def test_every_message_is_listed_with_its_level_and_fields() -> None:
    text = (TOP / "docs" / "logging.md").read_text()
    listed = {
        (part, level, message, frozenset(re.findall(r"`(\w+)`", fields)))
        for part, level, message, fields in ROW.findall(text)
    }
    assert len(listed) > 20
    assert set(logged()) == listed
