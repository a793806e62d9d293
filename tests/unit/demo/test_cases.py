"""The demonstration's table: it agrees only where every planned case was played, and went as expected."""

import signal

import pytest

from deploy.local.demo import __main__ as demo
from deploy.local.demo.cases import Cases
from deploy.local.demo.commands import Unexpected

PLANNED = ("a", "b")


@pytest.mark.parametrize(
    ("played", "agree", "last"),
    [
        ([("a", "yes", "yes"), ("b", "no", "no")], True, ["agrees", "agrees"]),
        ([("a", "yes", "yes"), ("b", "no", "yes")], False, ["agrees", "DIFFERS"]),
        ([("a", "yes", "yes")], False, ["agrees", "not played"]),
        ([("a", "yes", "yes"), ("a", "yes", "no"), ("b", "no", "no")], False, ["agrees", "DIFFERS", "agrees"]),
        ([], False, ["not played", "not played"]),
    ],
)
def test_what_was_expected_and_what_happened(played: list[tuple[str, str, str]], agree: bool, last: list[str]) -> None:
    cases = Cases(PLANNED)
    for case in played:
        cases.add(*case)
    assert cases.all_agree is agree
    assert [row[-1] for row in cases.rows()] == last


def test_a_case_that_nobody_planned_is_a_defect() -> None:
    with pytest.raises(ValueError, match="was not planned"):
        Cases(PLANNED).add("c", "yes", "yes")


def test_a_demonstration_that_cannot_begin_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise Unexpected("The suite does not start.")

    monkeypatch.setattr(demo, "set_stage", refuse)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert demo.main() == 1
    said = capsys.readouterr().out
    assert "The suite does not start." in said
    assert "agrees" not in said
    assert said.count("not played") >= 2 * 15
