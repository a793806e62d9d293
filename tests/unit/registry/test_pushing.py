"""What a registry does not take is told apart, so that nobody tries the same for ever."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from chassis.errors import Kind, Refusal
from registry.client import RegistryClient
from registry.errors import (
    PushRefused,
    PushTooLarge,
    RegistryAnswerInvalid,
    RegistryUnauthorized,
    RegistryUnavailable,
    RepositoryNotFound,
)
from registry.manifests import OCI_MANIFEST

from tests.fakes.registry import FakeRegistry, Fault

Push = Callable[[RegistryClient, str], Awaitable[object]]
PUSHES: dict[tuple[str, str], Push] = {
    ("POST", "/v2/a/blobs/uploads/"): lambda client, host: client.push_blob(host, "a", b"x"),
    ("PUT", "/v2/a/blobs/uploads/upload"): lambda client, host: client.push_blob(host, "a", b"x"),
    ("PUT", "/v2/a/manifests/v1"): lambda client, host: client.put_manifest(host, "a", "v1", OCI_MANIFEST, b"{}"),
}


def refusing(code: int, body: bytes) -> Fault:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, body=body)

    return answer


@pytest.mark.parametrize("where", PUSHES, ids=" ".join)
@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        (400, PushRefused),
        (403, RegistryUnauthorized),
        (404, RepositoryNotFound),
        (405, PushRefused),
        (409, PushRefused),
        (413, PushTooLarge),
        (415, PushRefused),
        (422, PushRefused),
        (429, RegistryUnavailable),
        (500, RegistryUnavailable),
        (507, RegistryUnavailable),
        (200, RegistryUnavailable),
    ],
)
async def test_why_nothing_was_stored(
    fake: FakeRegistry, client: RegistryClient, where: tuple[str, str], code: int, refusal: type[Refusal]
) -> None:
    fake.faults[where] = refusing(code, b'{"errors": [{"code": "MANIFEST_INVALID", "message": "<b>in words</b>"}]}')
    with pytest.raises(refusal) as refused:
        await PUSHES[where](client, fake.host)
    assert type(refused.value) is refusal
    assert (refused.value.kind is Kind.UNAVAILABLE) == (code in {200, 429, 500, 507})
    assert "<b>" not in refused.value.message
    if refusal in {PushRefused, PushTooLarge, RepositoryNotFound}:
        assert f"{code} MANIFEST_INVALID" in refused.value.message


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"errors": 1}', b'{"errors": []}', b'{"errors": [{"code": "<b>"}]}', b"[" * 60_000],
    ids=range(7),
)
async def test_a_refusal_in_other_words_is_one_all_the_same(
    fake: FakeRegistry, client: RegistryClient, body: bytes
) -> None:
    fake.faults["PUT", "/v2/a/manifests/v1"] = refusing(400, body)
    with pytest.raises(PushRefused, match=r"it answers 400\.$"):
        await client.put_manifest(fake.host, "a", "v1", OCI_MANIFEST, b"{}")


async def test_an_upload_that_leads_nowhere_is_said_so(fake: FakeRegistry, client: RegistryClient) -> None:
    for location in ("", "?x", "http://["):

        async def begin(_request: web.Request, to: str = location) -> web.StreamResponse:
            return web.Response(status=202, headers={"Location": to})

        fake.faults["POST", "/v2/a/blobs/uploads/"] = begin
        with pytest.raises(RegistryAnswerInvalid):
            await client.push_blob(fake.host, "a", b"x")


async def test_the_state_of_an_upload_comes_back_as_it_was_given(fake: FakeRegistry, client: RegistryClient) -> None:
    async def begin(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=202, headers={"Location": "/v2/a/blobs/uploads/up%20?_state=a%2Bb%2F%3D&empty="})

    fake.faults["POST", "/v2/a/blobs/uploads/"] = begin
    digest = await client.push_blob(fake.host, "a", b"x")
    assert fake.requests[-1].path == "/v2/a/blobs/uploads/up "
    assert dict(fake.requests[-1].query) == {"_state": "a+b/=", "empty": "", "digest": digest}
