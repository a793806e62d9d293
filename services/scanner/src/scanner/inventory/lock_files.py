"""Lock files: what an application is installed with; whether it was, is not known.

Those that lie with an installed package are passed over: they are of its own development, not of the image.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scanner.inventory.analyzer import Analyzer, Files, Found, Image, Wanted
from scanner.inventory.listings import Read, each_listed, listing
from scanner.inventory.locks import bundler, composer, gradle, npm, nuget, pnpm, python, toml, yarn
from scanner.inventory.model import Evidence

_INSTALLED = re.compile(
    r"(?:.*/)?(?:node_modules|site-packages|dist-packages|gems|vendor|\.cargo/registry|cargo/registry|pkg/mod|share/doc)/.*",
    re.DOTALL,
)
"""What lies in the folders that package managers install into, and examples."""


@dataclass(frozen=True, slots=True)
class LockFile:
    """A kind of lock files; `pattern` is of their names, `ecosystem` OSV's name of what they list."""

    pattern: str
    ecosystem: str
    read: Read


LOCK_FILES: Mapping[str, LockFile] = {
    "package_lock": LockFile(r"(?:package-lock|npm-shrinkwrap)\.json", "npm", npm.read_package_lock),
    "yarn_lock": LockFile(r"yarn\.lock", "npm", yarn.read_yarn_lock),
    "pnpm_lock": LockFile(r"pnpm-lock\.yaml", "npm", pnpm.read_pnpm_lock),
    "poetry_lock": LockFile(r"(?:poetry|pdm)\.lock", "PyPI", toml.read_poetry_lock),
    "uv_lock": LockFile(r"uv\.lock", "PyPI", toml.read_uv_lock),
    "pipfile_lock": LockFile(r"Pipfile\.lock", "PyPI", python.read_pipfile_lock),
    "requirements": LockFile(r"requirements\.txt", "PyPI", python.read_requirements),
    "cargo_lock": LockFile(r"Cargo\.lock", "crates.io", toml.read_cargo_lock),
    "gradle_lockfile": LockFile(r"gradle\.lockfile", "Maven", gradle.read_gradle_lockfile),
    "gemfile_lock": LockFile(r"Gemfile\.lock|gems\.locked", "RubyGems", bundler.read_gemfile_lock),
    "composer_lock": LockFile(r"composer\.lock", "Packagist", composer.read_composer_lock),
    "packages_lock": LockFile(r"packages\.lock\.json", "NuGet", nuget.read_packages_lock),
    "packages_config": LockFile(r"packages\.config", "NuGet", nuget.read_packages_config),
}


def find_packages(image: Image) -> Iterator[Found]:
    """The packages that lock files list, and what of these could not be read."""
    for kind, lock in LOCK_FILES.items():
        yield from each_listed(_of_the_image(image.of(kind)), lock.read, lock.ecosystem, Evidence.LOCK_FILE)


def _of_the_image(files: Files) -> Files:
    return [(path, kept) for path, kept in files if not _INSTALLED.fullmatch(path)]


ANALYZER = Analyzer(
    name="lock-files",
    version=1,
    wanted={kind: Wanted(lock.pattern, listing(lock.read)) for kind, lock in LOCK_FILES.items()},
    find=find_packages,
)
