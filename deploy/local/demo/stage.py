"""The stage: a suite of its own, a registry, and images; torn down whatever happens."""

import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hallmark_cli.local.home import Home

from deploy.local.demo import wheels
from deploy.local.demo.admission import Adapter
from deploy.local.demo.bases import Base, find_base
from deploy.local.demo.cases import Cases
from deploy.local.demo.commands import Hallmark
from deploy.local.demo.layers import Image, image, layer, wheel_files
from deploy.local.demo.narration import Narration
from deploy.local.demo.registries import Listener, Registry, registry

TOP = Path(__file__).parents[3]
CACHE = TOP / ".cache" / "demo-images"
FOLDER = "opt/shop/site-packages"
CLUSTER = "demo"
NAMESPACE = "shop"
TARGET = "demo"
SHOP = "demo/shop"
KEY = "release"
OTHER_KEY = "experiments"


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that the scenes play with."""

    home: Home
    narration: Narration
    hallmark: Hallmark
    registry: Registry
    base: Base
    cases: Cases
    old: Image
    """The base with versions of Python packages that have known vulnerabilities."""
    good: Image
    """The base with current versions."""

    def adapter(self) -> Adapter:
        """The admission adapter of the suite."""
        return Adapter(f"localhost:{self._port('admission')}", self.home.certificate("ca"))

    def listener(self, token: str) -> Listener:
        """Where the registry tells of pushes."""
        url = f"https://localhost:{self._port('scanner-events')}/events/{TARGET}"
        return Listener(url, token, self.home.certificate("ca"))

    def reference(self, repository: str, pushed: Image) -> str:
        """An image of a repository by its digest."""
        return f"{self.registry.host}/{repository}@{pushed.digest}"

    def variant(self, note: str) -> Image:
        """The good image with a file more, so that it is another one of the same packages."""
        return image(*self.good.layers, layer({"opt/shop/NOTE": note.encode()}))

    def _port(self, name: str) -> int:
        chosen: dict[str, int] = tomllib.loads(self.home.choices.read_text())["ports"]
        return chosen[name]


@contextmanager
def set_stage(narration: Narration, cases: Cases) -> Iterator[Stage]:
    """Prepare the stage; afterwards end what was started. Its files stay where not everything went as expected."""
    (TOP / ".cache" / "demo").mkdir(parents=True, exist_ok=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=TOP / ".cache" / "demo"))
    home = Home(folder / "home")
    hallmark = Hallmark(home.path, narration)
    try:
        base = find_base(CACHE, narration)
        old, good = _image(base, "old", wheels.OLD, "1.0.0"), _image(base, "current", wheels.CURRENT, "2.0.0")
        with registry(folder) as opened:
            narration.say(f"The registry is {opened.description}; the images stand on {base.description}.")
            yield Stage(home, narration, hallmark, opened, base, cases, old, good)
    finally:
        hallmark.run("down")
        if cases.all_agree:
            shutil.rmtree(folder)
        else:
            narration.say(f"Logs and state stay in {folder}.")


def _image(base: Base, folder: str, requirements: tuple[str, ...], version: str) -> Image:
    files = wheel_files(wheels.download(requirements, CACHE / folder), FOLDER) | wheels.shop(version, FOLDER)
    return image(*base.layers, layer(files))
