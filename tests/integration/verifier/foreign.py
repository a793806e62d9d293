"""cosign and skopeo as makers of signatures, against a real registry, and a judge of ours beside them."""

import asyncio
import json
import os
from pathlib import Path

from chassis.clock import SystemClock
from chassis.workers import Workers
from registry.client import RegistryClient
from registry.settings import RegistrySettings
from verifier.clients.registry import Registries
from verifier.evidence.attribution import Attribution
from verifier.evidence.keys import parse_public_key
from verifier.evidence.lookups import Lookups
from verifier.evidence.reading import SignatureReader
from verifier.feeds import Feeds
from verifier.judging import Context, Judge
from verifier.rules.policy import Requirements
from verifier.verdicts import Form, NamedImage, Verdict

from tests.factories import verifier_policies as policies
from tests.factories.images import Image
from tests.fakes.feeds import FakePolicies, FakeRisk, FakeTrust
from tests.fakes.signatures import NoMetrics
from tests.tools.debian import cosign, skopeo

PASSPHRASE = "hallmark"


class ToolFailed(Exception):
    """A foreign tool ended with another code than 0; the text is what it said."""


class Foreign:
    """A folder with the keys of foreign tools, and a registry that they and we use."""

    def __init__(self, host: str, folder: Path) -> None:
        self.host = host
        self.folder = folder
        self.client = RegistryClient([RegistrySettings(host=host, plain_http=True)])
        (folder / "passphrase").write_text(PASSPHRASE)

    async def push(self, repository: str, image: Image, tag: str) -> str:
        """Stores an image, platforms and all; its reference by digest."""
        for blob in image.all_blobs().values():
            await self.client.push_blob(self.host, repository, blob)
        for digest, (media_type, body) in image.manifests().items():
            named = tag if digest == image.digest else digest
            await self.client.put_manifest(self.host, repository, named, media_type, body)
        return f"{self.host}/{repository}@{image.digest}"

    async def new_key(self, name: str) -> None:
        """Has cosign make a key pair, `name.key` and `name.pub`."""
        await self.cosign("generate-key-pair", "--output-key-prefix", name)

    async def sign(self, key: str, image: str, *options: str) -> None:
        """Has cosign sign an image."""
        options = ("--yes", "--tlog-upload=false", "--key", f"{key}.key", *options)
        await self.cosign("sign", *options, image)

    async def attest(self, key: str, image: str, kind: str, predicate: object, *options: str) -> None:
        """Has cosign attach a statement about an image."""
        (self.folder / "predicate.json").write_text(json.dumps(predicate))
        options = ("--yes", "--tlog-upload=false", "--key", f"{key}.key", "--type", kind, *options)
        await self.cosign("attest", *options, "--predicate", "predicate.json", image)

    async def copy_signed(self, key: str, source: str, target: str) -> None:
        """Has skopeo copy an image and sign the copy."""
        sign = ("--sign-by-sigstore-private-key", f"{key}.key", "--sign-passphrase-file", "passphrase")
        await self.skopeo("copy", *_PLAIN, *sign, "--insecure-policy", f"docker://{source}", f"docker://{target}")

    async def copy_verified(self, key: str, source: str, target: Path) -> None:
        """Has skopeo copy an image into a folder, demanding a signature. Raises ToolFailed where it finds none."""
        demand = {"type": "sigstoreSigned", "keyPath": f"{key}.pub", "signedIdentity": {"type": "matchRepository"}}
        policy = {"default": [{"type": "reject"}], "transports": {"docker": {self.host: [demand]}}}
        (self.folder / "policy.json").write_text(json.dumps(policy))
        await self.skopeo("copy", *_PLAIN[:1], "--policy", "policy.json", f"docker://{source}", f"dir:{target}")

    async def cosign(self, *arguments: str) -> None:
        """Runs cosign in the folder. Raises ToolFailed."""
        await self._run(str(cosign()), *arguments)

    async def skopeo(self, *arguments: str) -> None:
        """Runs skopeo in the folder. Raises ToolFailed."""
        registries = self.folder / "registries.d"
        registries.mkdir(exist_ok=True)
        (registries / "all.yaml").write_text("default-docker: {use-sigstore-attachments: true}\n")
        await self._run(*skopeo(), "--registries.d", str(registries), *arguments)

    async def judge(self, image: str, key: str, requirements: Requirements | None = None) -> Verdict:
        """Our verdict under a policy that demands a signature by a PEM, unless it demands something else."""
        public = parse_public_key((self.folder / f"{key}.pub").read_text())
        policy = policies.policy(policies.rule(requirements), authorities={"security": (public,)})
        feeds = Feeds(FakePolicies(policy), FakeTrust(), FakeRisk(), 60.0)
        source, clock, workers = Registries(self.client, NoMetrics()), SystemClock(), Workers(1)
        lookups = Lookups(SignatureReader(source, workers, 10.0), clock, NoMetrics(), 1 << 20)
        judge = Judge(feeds, source, lookups, Attribution(workers, NoMetrics(), 1000), clock)
        return await judge.judge(Context(policies.CLUSTER, "pay", Form.POD), NamedImage(image, ""), 20.0)

    async def _run(self, *command: str) -> None:
        environment = os.environ | {"COSIGN_PASSWORD": PASSPHRASE, "HOME": str(self.folder)}
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        if process.returncode:
            raise ToolFailed(said.decode(errors="replace")[-2000:])


_PLAIN = ("--src-tls-verify=false", "--dest-tls-verify=false")
