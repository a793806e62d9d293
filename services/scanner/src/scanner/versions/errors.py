"""What is wrong with a version, or with the ecosystem that it is said to be of."""

from chassis.errors import InvalidArgument


class InvalidVersion(InvalidArgument):
    """A text is no version of its ecosystem."""

    def __init__(self, scheme: str, version: str, problem: str) -> None:
        shown = version if len(version) <= 64 else version[:64] + "…"  # noqa: PLR2004 - enough to recognise it
        super().__init__(f"{shown!r} is no {scheme} version: {problem}.", metadata={"scheme": scheme})


class UnknownEcosystem(InvalidArgument):
    """No version order is known for an ecosystem."""

    def __init__(self, ecosystem: str) -> None:
        super().__init__(
            f"No version order is known for the ecosystem {ecosystem[:64]!r}.", metadata={"ecosystem": ecosystem[:64]}
        )
