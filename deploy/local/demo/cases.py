"""What was expected, and what happened."""

from dataclasses import dataclass, field

NOT_PLAYED = "not played"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that the demonstration proves, or fails to."""

    title: str
    expected: str
    happened: str

    @property
    def holds(self) -> bool:
        """Whether it happened as expected."""
        return self.happened == self.expected


@dataclass(slots=True)
class Cases:
    """The cases so far, in order."""

    planned: tuple[str, ...]
    seen: list[Case] = field(default_factory=list)

    def add(self, title: str, expected: str, happened: str) -> None:
        """Note what happened; a title that was not planned is a defect of the demonstration."""
        if title not in self.planned:
            raise ValueError(f"{title!r} was not planned")
        self.seen.append(Case(title, expected, happened))

    @property
    def not_played(self) -> list[str]:
        """What was planned and did not come to pass."""
        played = {case.title for case in self.seen}
        return [title for title in self.planned if title not in played]

    @property
    def all_agree(self) -> bool:
        """Whether every planned case was played, and went as expected."""
        return not self.not_played and all(case.holds for case in self.seen)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Case, expected, happened, and whether they agree; those not played among them."""
        played = [
            (case.title, case.expected, case.happened, "agrees" if case.holds else "DIFFERS") for case in self.seen
        ]
        return played + [(title, "-", NOT_PLAYED, NOT_PLAYED) for title in self.not_played]
