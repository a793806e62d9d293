"""The adapter put together as in its process: HTTPS in, mutual TLS to the verifier, and never a yes without it."""

import asyncio
import io
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from admission.__main__ import Process, assemble
from admission.config import Settings, Upstreams, Webhook
from chassis.config import Http, Tls, Upstream
from hallmark.verifier.v1 import verdict_pb2

from tests.factories.certificates import TRUST_DOMAIN, Authority
from tests.factories.reviews import PINNED, UID, pod, request, review
from tests.fakes.verifier import DIGEST, FakeVerifier, fake_verifier

AUTHORITY = Authority()


@dataclass(frozen=True)
class Running:
    """An adapter that serves, and its verifier."""

    process: Process
    verifier: FakeVerifier
    http: aiohttp.ClientSession

    async def post(self, body: bytes, path: str = "/validate?timeout=10s") -> tuple[int, Any]:
        """Post a body; gives the status, and the response of the review where there is one."""
        url = f"https://admission.{TRUST_DOMAIN}:{self.process.webhook.port}{path}"
        async with self.http.post(url, data=io.BytesIO(body), headers={"content-type": "application/json"}) as answered:
            said = await answered.read()
            return answered.status, json.loads(said)["response"] if answered.status == 200 else said

    async def ready(self) -> int:
        """The status of /readyz."""
        async with self.http.get(f"http://127.0.0.1:{self.process.operations.port}/readyz") as answered:
            return answered.status


class _Loopback(aiohttp.abc.AbstractResolver):
    """Every name is this machine: the certificate is checked by name all the same."""

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[Any]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        return None


@asynccontextmanager
async def serving(
    verifier: FakeVerifier, folder: Path, *, client_ca: Path | None = None, shows: Tls | None = None
) -> AsyncIterator[Running]:
    """An adapter before this verifier. `client_ca` is whom it demands certificates of, `shows` what its caller has."""
    tls = AUTHORITY.write(AUTHORITY.person("admission", "prod-eu"), folder / "client")
    shown = AUTHORITY.write(AUTHORITY.service("admission"), folder / "serving")
    trusting = ssl.create_default_context(cafile=str(shown.ca))
    if shows:
        trusting.load_cert_chain(shows.certificate, shows.key)
    process = assemble(
        Settings(
            tls=tls,
            http=Http(address="127.0.0.1:0"),
            webhook=Webhook(address="127.0.0.1:0", certificate=shown.certificate, key=shown.key, client_ca=client_ca),
            upstreams=Upstreams(verifier=Upstream(address=verifier.address, role="verifier")),
        )
    )
    tasks = [asyncio.create_task(one.run()) for one in (process.webhook, process.operations)]
    connector = aiohttp.TCPConnector(ssl=trusting, resolver=_Loopback())
    async with aiohttp.ClientSession(connector=connector) as http:
        yield Running(process, verifier, http)
    process.webhook.stop()
    process.operations.stop()
    await asyncio.gather(*tasks)
    await process.channel.close()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with fake_verifier(AUTHORITY, tmp_path / "verifier") as verifier, serving(verifier, tmp_path) as made:
        yield made


async def test_what_the_verifier_admits_is_let_in_under_the_cluster_s_identity(running: Running) -> None:
    running.verifier.good.add(PINNED)
    assert await running.post(review(request(pod()))) == (200, {"uid": UID, "allowed": True})
    assert running.verifier.callers == [f"spiffe://{TRUST_DOMAIN}/admission/prod-eu"]
    (asked,) = running.verifier.requests
    assert (asked.namespace, asked.requester, asked.object_kind, asked.cluster) == ("pay-eu", "jane", "Pod", "")


async def test_what_it_denies_is_kept_out_with_its_sentence(running: Running) -> None:
    status, response = await running.post(review(request(pod("bad:1"))))
    assert (status, response["allowed"], response["status"]["code"]) == (200, False, 403)
    assert "Image 'bad:1' is denied by rule 'payments'." in response["status"]["message"]


async def test_a_verifier_that_says_nothing_keeps_the_object_out_in_time(running: Running) -> None:
    running.verifier.silent = True
    _, response = await running.post(review(request(pod())), "/validate?timeout=1s")
    assert response["allowed"] is False
    assert "The verifier did not judge the images." in response["status"]["message"]


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [verdict_pb2.Verdict(image="other:1", effect=verdict_pb2.EFFECT_ADMIT)],
        [verdict_pb2.Verdict(image=PINNED)],
        [verdict_pb2.Verdict(image=PINNED, effect=99)],  # type: ignore[arg-type]  # of a newer verifier
        [verdict_pb2.Verdict(image=PINNED, effect=verdict_pb2.EFFECT_ADMIT)] * 2,
    ],
    ids=["none", "another image", "no effect", "an effect of a newer verifier", "too many"],
)
async def test_an_answer_that_does_not_fit_keeps_the_object_out(
    running: Running, answers: list[verdict_pb2.Verdict]
) -> None:
    running.verifier.answers = answers
    _, response = await running.post(review(request(pod())))
    assert response["allowed"] is False


async def test_tags_are_pinned(running: Running) -> None:
    _, response = await running.post(review(request(pod("a:1"))), "/mutate?timeout=10s")
    assert response["patchType"] == "JSONPatch"
    _, denied = await running.post(review(request(pod(f"a:1@{DIGEST}"))))
    assert denied["allowed"] is False, "pinned is not judged"


async def test_large_bodies_garbage_and_five_hundred_images(running: Running) -> None:
    assert (await running.post(b" " * ((3 << 20) + 1)))[0] == 413
    _, response = await running.post(review(request(pod())) + b" " * (3 << 20))
    assert (response["uid"], response["allowed"]) == (UID, False)
    assert "REVIEW_TOO_LARGE" in response["status"]["message"]
    assert (await running.post(b"no JSON"))[0] == 400
    _, response = await running.post(review(request(pod(*(f"i{number}:1" for number in range(500))))))
    assert "LIMIT_EXCEEDED" in response["status"]["message"]
    assert running.verifier.requests == []


async def test_it_is_ready_while_its_verifier_answers(running: Running) -> None:
    assert await running.ready() == 503
    await running.process.reachability.ask()
    assert await running.ready() == 200


async def test_a_verifier_that_takes_the_connection_and_no_more_keeps_the_object_out_in_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hanging = FakeVerifier()
        hanging.address = f"127.0.0.1:{listener.getsockname()[1]}"
        async with serving(hanging, tmp_path) as running:
            _, response = await running.post(review(request(pod())), "/validate?timeout=1s")
            assert response["allowed"] is False
            assert "The verifier did not judge the images." in response["status"]["message"]
            _, response = await running.post(review(request(pod())), "/mutate?timeout=1s")
            assert response == {"uid": UID, "allowed": True}


async def test_where_an_authority_is_set_only_its_certificates_may_ask(tmp_path: Path) -> None:
    api_servers, strangers = Authority(), Authority()
    good = api_servers.write(api_servers.person("api-server"), tmp_path / "good")
    bad = strangers.write(strangers.person("api-server"), tmp_path / "bad")
    async with fake_verifier(AUTHORITY, tmp_path / "verifier") as verifier:
        verifier.good.add(PINNED)
        async with serving(verifier, tmp_path, client_ca=good.ca, shows=good) as running:
            assert (await running.post(review(request(pod()))))[1]["allowed"] is True
        for shows in (bad, None):
            async with serving(verifier, tmp_path, client_ca=good.ca, shows=shows) as running:
                with pytest.raises(aiohttp.ClientError):
                    await running.post(review(request(pod())))
    assert len(verifier.requests) == 1


async def shown_by(running: Running) -> bytes:
    """The certificate that the adapter shows to a new connection, in DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", running.process.webhook.port, ssl=context)
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return shown


async def test_a_replaced_certificate_is_shown_and_unreadable_ones_do_not_count(
    running: Running, tmp_path: Path
) -> None:
    running.verifier.good.add(PINNED)
    first = await shown_by(running)
    tls = AUTHORITY.write(AUTHORITY.service("admission"), tmp_path / "serving")
    second = await shown_by(running)
    assert first != second == ssl.PEM_cert_to_DER_cert(tls.certificate.read_text())
    tls.certificate.write_text("no certificate")
    assert await shown_by(running) == second
    assert (await running.post(review(request(pod()))))[1]["allowed"] is True
    await running.process.reachability.ask()
    assert await running.ready() == 503, "what it shows to its next caller is not what its operator wants"
    AUTHORITY.write(AUTHORITY.service("admission"), tmp_path / "serving")
    assert await running.ready() == 200
