"""Real neighbours that hang, are killed and come back: no yes on what may not hold any more, and no restart of ours."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from chassis.client import call
from chassis.config import Tls
from hallmark.policy.v1 import policy_pb2, policy_service_pb2, policy_service_pb2_grpc
from hallmark.verifier.v1 import reason_pb2, verdict_pb2, verifier_service_pb2_grpc
from hallmark.verifier.v1 import verifier_service_pb2 as pb

from tests.factories import marks, told
from tests.factories import stored_signatures as store
from tests.factories.ports import free_port
from tests.factories.scanner_process import ScannerHome
from tests.factories.service_process import RunningService, ServiceProcess
from tests.factories.signer_process import SignerHome
from tests.fakes.registry import FakeRegistry

SECONDS = 60
KEY = marks.new_key()

Summary = tuple[str, str, list[str]]
ALLOWED: Summary = ("ALLOW", "ADMIT", [])
NOT_SCANNED: Summary = ("DENY", "REJECT", ["NOT_SCANNED"])


def tables(tls: Tls, address: str = "127.0.0.1:0") -> str:
    """The settings that every service has."""
    return (
        f'[server]\naddress = "{address}"\n[http]\naddress = "127.0.0.1:0"\n'
        f'[tls]\nca = "{tls.ca}"\ncertificate = "{tls.certificate}"\nkey = "{tls.key}"\n'
        f'trust_domain = "{tls.trust_domain}"\n'
    )


def policy() -> policy_pb2.Policy:
    """Images in `signed` need a signature, images in `scanned` a scan."""
    pem = policy_pb2.AuthorityKey(public_key_pem=marks.pem_of(KEY))
    scan = policy_pb2.Requirement(scan=policy_pb2.ScanRequirement())
    return policy_pb2.Policy(
        cluster=told.CLUSTER,
        authorities=[policy_pb2.Authority(name="release", keys=[pem])],
        default_verdict=policy_pb2.FIXED_VERDICT_DENY,
        rules=[
            told.rule("signed", match=policy_pb2.Match(namespaces=["signed"])),
            told.rule("scanned", match=policy_pb2.Match(namespaces=["scanned"]), require=scan),
        ],
    )


@dataclass
class Suite:
    """Four services that run, and the image that is asked about."""

    policy: RunningService
    signer: RunningService
    scanner: RunningService
    verifier: RunningService
    restart_signer: Callable[[], Awaitable[None]]
    image: str

    async def verdict(self, namespace: str) -> Summary:
        """What an adapter is told of the image in a namespace."""
        stub = verifier_service_pb2_grpc.VerifierServiceStub(await self.verifier.channel("admission", told.CLUSTER))
        request = pb.VerifyImagesRequest(
            namespace=namespace,
            object_form=verdict_pb2.OBJECT_FORM_POD,
            images=[pb.NamedImage(image=self.image)],
        )
        (verdict,) = (await call(stub.VerifyImages, request, timeout=20)).verdicts
        return (
            verdict_pb2.Outcome.Name(verdict.outcome).removeprefix("OUTCOME_"),
            verdict_pb2.Effect.Name(verdict.effect).removeprefix("EFFECT_"),
            [reason_pb2.ReasonCode.Name(reason.code).removeprefix("REASON_CODE_") for reason in verdict.reasons],
        )

    async def until(self, namespace: str, expected: Summary) -> None:
        """Waits until this is what the adapter is told."""
        said: Summary = ("", "", [])
        try:
            async with asyncio.timeout(SECONDS):
                while said != expected:
                    said = await self.verdict(namespace)
                    await asyncio.sleep(0.2)
        except TimeoutError:
            pytest.fail(f"it still says {said}")


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[Suite]:
    async with FakeRegistry() as registry, AsyncExitStack() as stack:
        store.store_simple(registry, "pay/web", marks.DIGEST, KEY, marks.payload(identity=f"{registry.host}/pay/web"))
        scanners = ScannerHome(tmp_path / "scanner", [])
        authority = scanners.authority
        assert (await scanners.run("migrate"))[0] == 0
        scanner = (await stack.enter_async_context(scanners.start())).service

        (tmp_path / "signer").mkdir()
        signers = SignerHome(tmp_path / "signer", authority, f"127.0.0.1:{scanner.port}", registry.host)
        signers.config.write_text(signers.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{free_port()}", 1))
        assert (await signers.run("migrate"))[0] == 0
        signer = (await stack.enter_async_context(signers.start())).service

        folder = tmp_path / "policy"
        tls = authority.write(authority.service("policy"), folder / "tls")
        (folder / "policy.toml").write_text(
            tables(tls) + f'[database]\nurl = "sqlite+aiosqlite:///{folder}/store/policy.db"\n'
        )
        policies = ServiceProcess("policy", folder, authority, folder / "policy.toml")
        assert (await policies.run("migrate"))[0] == 0
        policy_ = await stack.enter_async_context(policies.start())
        await activate(policy_)

        folder = tmp_path / "verifier"
        text = tables(authority.write(authority.service("verifier"), folder / "tls"))
        for one in (policy_, signer, scanner):
            text += f'[upstreams.{one.name}]\naddress = "127.0.0.1:{one.port}"\nrole = "{one.name}"\n'
        text += f'[[registries]]\nhost = "{registry.host}"\nplain_http = true\n[limits]\nstale_after = 5\n'
        (folder / "verifier.toml").write_text(text)
        verifiers = ServiceProcess("verifier", folder, authority, folder / "verifier.toml")
        verifier = await stack.enter_async_context(verifiers.start())

        async def restart() -> None:
            await stack.enter_async_context(signers.start())

        yield Suite(policy_, signer, scanner, verifier, restart, f"{registry.host}/pay/web@{marks.DIGEST}")


async def activate(service: RunningService) -> None:
    stub = policy_service_pb2_grpc.PolicyServiceStub(await service.channel("cluster-admin"))
    await call(stub.CreateRevision, policy_service_pb2.CreateRevisionRequest(policy=policy()), timeout=20)
    request = policy_service_pb2.ActivateRevisionRequest(cluster=told.CLUSTER, revision=1)
    await call(stub.ActivateRevision, request, timeout=20)


@pytest.mark.timeout(300)
async def test_a_neighbour_that_is_silent_too_long_is_believed_no_more_until_it_speaks_again(suite: Suite) -> None:
    await suite.until("signed", ALLOWED)
    await suite.until("scanned", NOT_SCANNED)

    suite.policy.process.send_signal(signal.SIGSTOP)
    await suite.until("signed", ("UNAVAILABLE", "REJECT", ["POLICY_STALE"]))
    suite.policy.process.send_signal(signal.SIGCONT)
    await suite.until("signed", ALLOWED)

    suite.signer.process.send_signal(signal.SIGKILL)
    await suite.signer.process.wait()
    await suite.until("signed", ("UNAVAILABLE", "REJECT", ["TRUST_STALE"]))
    await suite.restart_signer()
    await suite.until("signed", ALLOWED)

    suite.scanner.process.send_signal(signal.SIGSTOP)
    await suite.until("scanned", ("UNAVAILABLE", "REJECT", ["RISK_UNAVAILABLE"]))
    assert await suite.verdict("signed") == ALLOWED, "its rule asks for no scan"
    suite.scanner.process.send_signal(signal.SIGCONT)
    await suite.until("scanned", NOT_SCANNED)
