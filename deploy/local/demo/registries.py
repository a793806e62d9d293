"""A registry on loopback that tells the scanner of pushes: Debian's docker-registry, else a small one of our own."""

import asyncio
import http.client
import json
import os
import ssl
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from hallmark_cli.local import ports

from deploy.local.demo.commands import Unexpected
from tests.fakes.registry import FakeRegistry
from tests.tools.debian import ToolMissing, docker_registry

PATIENCE_SECONDS = 20
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Listener:
    """Where pushes are told: the scanner's address for a target, its token, and the authority of its certificate."""

    url: str
    token: str
    ca: Path


class Registry(Protocol):
    """A registry at `host`."""

    host: str
    description: str

    def tell(self, listener: Listener) -> None:
        """Begin to serve, and tell a listener of every push."""

    def pushed(self, repository: str, digest: str, tag: str, media_type: str) -> None:
        """Note that a manifest was pushed, for a registry that does not notice by itself."""


@contextmanager
def registry(folder: Path) -> Iterator[Registry]:
    """The best registry that this machine can give; ended afterwards."""
    try:
        program = docker_registry()
    except ToolMissing:
        with _small() as small:
            yield small
        return
    real = Distribution(program, folder)
    try:
        yield real
    finally:
        real.end()


class Distribution:
    """CNCF distribution, as Debian packages it."""

    description = "Debian's docker-registry"

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._port = ports.choose(["registry"], {})["registry"]
        self._process: subprocess.Popen[bytes] | None = None
        self.host = f"{ports.LOOPBACK}:{self._port}"

    def tell(self, listener: Listener) -> None:
        """Start it. Raises Unexpected where it does not answer soon."""
        config = self._folder / "registry.json"
        # YAML of version 1.2 holds all of JSON.
        config.write_text(json.dumps(self._config(listener)))
        config.chmod(0o600)
        with (self._folder / "registry.log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._program, "serve", config],
                stdout=log,
                stderr=log,
                # How Go's programs are told whom to trust.
                env={**os.environ, "SSL_CERT_FILE": str(listener.ca)},
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _answers(self._port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Unexpected(f"The registry does not start; its log is {self._folder / 'registry.log'}.")
            time.sleep(POLL_SECONDS)

    def pushed(self, repository: str, digest: str, tag: str, media_type: str) -> None:
        """It notices by itself."""

    def end(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def _config(self, listener: Listener) -> dict[str, object]:
        endpoint = {
            "name": "hallmark",
            "url": listener.url,
            "headers": {"Authorization": [f"Bearer {listener.token}"]},
            "timeout": "5s",
            "threshold": 3,
            "backoff": "1s",
            "ignore": {"mediatypes": ["application/octet-stream"], "actions": ["pull"]},
        }
        return {
            "version": "0.1",
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": str(self._folder / "store")}},
            "http": {"addr": self.host},
            "notifications": {"endpoints": [endpoint]},
        }


class Small:
    """The registry of the tests, in a thread of this process. It tells nobody of pushes, so that is done for it."""

    description = "a small registry of our own"

    def __init__(self, host: str) -> None:
        self.host = host
        self._listener: Listener | None = None

    def tell(self, listener: Listener) -> None:
        """Keep whom to tell."""
        self._listener = listener

    def pushed(self, repository: str, digest: str, tag: str, media_type: str) -> None:
        """Send the event that CNCF distribution sends."""
        if self._listener is None:
            raise Unexpected("Nobody is told of pushes yet.")
        target = {"mediaType": media_type, "digest": digest, "repository": repository, "tag": tag}
        event = {"id": str(uuid.uuid4()), "action": "push", "target": target}
        address = urlsplit(self._listener.url)
        trusting = ssl.create_default_context(cafile=self._listener.ca)
        connection = http.client.HTTPSConnection(address.netloc, context=trusting, timeout=PATIENCE_SECONDS)
        headers = {
            "Authorization": f"Bearer {self._listener.token}",
            "Content-Type": "application/vnd.docker.distribution.events.v1+json",
        }
        connection.request("POST", address.path, json.dumps({"events": [event]}), headers)
        answer = connection.getresponse()
        if answer.status >= http.client.MULTIPLE_CHOICES:
            raise Unexpected(f"The scanner answered {answer.status} to a push event.")


@contextmanager
def _small() -> Iterator[Small]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    held = FakeRegistry()
    try:
        asyncio.run_coroutine_threadsafe(held.__aenter__(), loop).result(PATIENCE_SECONDS)
        yield Small(held.host)
    finally:
        asyncio.run_coroutine_threadsafe(held.__aexit__(None, None, None), loop).result(PATIENCE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=1)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
