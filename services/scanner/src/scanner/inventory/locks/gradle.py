"""`gradle.lockfile`. Format: Gradle's manual, "Locking Versions": `group:artifact:version=configurations`."""

from collections.abc import Iterator

from scanner.inventory.listings import Listed, lines_of, listed

_TESTS = ("test", "androidTest")
"""How configurations begin that are not for what is built."""


def read_gradle_lockfile(body: bytes) -> Iterator[Listed | str]:
    """The packages of a `gradle.lockfile`, without those that only tests need. Raises NoEssence."""
    for line in lines_of(body):
        locked, _, configurations = line.partition("=")
        name, colon, version = locked.rpartition(":")
        used = [one for one in configurations.split(",") if not one.startswith(_TESTS)]
        if colon and not line.startswith("#") and used:
            yield listed(name, version)
