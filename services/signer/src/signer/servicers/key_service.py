"""KeyService: decode, use case, encode."""

from collections.abc import AsyncIterator
from typing import Any, Final

import grpc.aio
from chassis import watch
from chassis.identity import current_caller
from chassis.paging import open_page
from chassis.requests import Requests
from hallmark.signer.v1 import key_service_pb2 as pb
from hallmark.signer.v1 import key_service_pb2_grpc as rpc

from signer.keyring import Keyring
from signer.keys.model import KeyState
from signer.keys.names import demand_name
from signer.records import Records
from signer.trust_source import TrustSource
from signer.wire import reading, writing

Context = grpc.aio.ServicerContext[Any, Any]
_ABOVE_ALL: Final = 2**31  # above the number of any version


class KeyService(rpc.KeyServiceServicer):
    """Keys, their versions and gates, and the stream by which verifiers follow them."""

    def __init__(
        self, keyring: Keyring, records: Records, requests: Requests, trust: TrustSource, notifier: watch.Notifier
    ) -> None:
        self._keyring = keyring
        self._records = records
        self._requests = requests
        self._trust = trust
        self._notifier = notifier

    async def CreateKey(self, request: pb.CreateKeyRequest, context: Context) -> pb.CreateKeyResponse:
        """Make a key with its first version."""
        wanted = reading.new_key(request)

        return await self._requests.once(
            "CreateKey",
            request.request_id,
            request,
            pb.CreateKeyResponse,
            lambda key: pb.CreateKeyResponse(key=writing.key(key)),
            lambda: self._keyring.create(current_caller(), wanted),
        )

    async def GetKey(self, request: pb.GetKeyRequest, context: Context) -> pb.GetKeyResponse:
        """Return a key."""
        found = await self._records.key(current_caller(), demand_name(request.name, "name"))
        return pb.GetKeyResponse(key=writing.key(found))

    async def ListKeys(self, request: pb.ListKeysRequest, context: Context) -> pb.ListKeysResponse:
        """List the keys within the caller's scope."""
        page = open_page(request)
        listed = await self._records.keys(current_caller(), page.cursor, page.size)
        keys = [writing.key(key) for key in listed.items]
        return pb.ListKeysResponse(keys=keys, next_page_token=page.token(listed.after or ""))

    async def ListKeyVersions(self, request: pb.ListKeyVersionsRequest, context: Context) -> pb.ListKeyVersionsResponse:
        """List the versions of a key, the newest first."""
        page = open_page(request)
        name = demand_name(request.key, "key")
        listed = await self._records.versions(current_caller(), name, reading.cursor(page, _ABOVE_ALL), page.size)
        return pb.ListKeyVersionsResponse(
            key_versions=[writing.key_version(version) for version in listed.items],
            next_page_token=page.token(str(listed.after or "")),
        )

    async def UpdateKey(self, request: pb.UpdateKeyRequest, context: Context) -> pb.UpdateKeyResponse:
        """Change the gate or the labels of a key."""
        changed = await self._keyring.update(current_caller(), reading.key_update(request))
        return pb.UpdateKeyResponse(key=writing.key(changed))

    async def RotateKey(self, request: pb.RotateKeyRequest, context: Context) -> pb.RotateKeyResponse:
        """Make a new version of a key."""
        name = demand_name(request.name, "name")
        algorithm = reading.algorithm(request.algorithm) if request.HasField("algorithm") else None

        return await self._requests.once(
            "RotateKey",
            request.request_id,
            request,
            pb.RotateKeyResponse,
            lambda version: pb.RotateKeyResponse(key_version=writing.key_version(version)),
            lambda: self._keyring.rotate(current_caller(), name, algorithm),
        )

    async def EnableKey(self, request: pb.EnableKeyRequest, context: Context) -> pb.EnableKeyResponse:
        """Take a key into use."""
        name = demand_name(request.name, "name")
        return pb.EnableKeyResponse(
            key=writing.key(await self._keyring.set_state(current_caller(), name, KeyState.ENABLED))
        )

    async def DisableKey(self, request: pb.DisableKeyRequest, context: Context) -> pb.DisableKeyResponse:
        """Take a key out of use."""
        name = demand_name(request.name, "name")
        return pb.DisableKeyResponse(
            key=writing.key(await self._keyring.set_state(current_caller(), name, KeyState.DISABLED))
        )

    async def WatchTrust(self, request: pb.WatchTrustRequest, context: Context) -> AsyncIterator[pb.WatchTrustResponse]:
        """Send what verifiers must know, then what changes."""
        async for head, records in watch.serve(self._trust, request.resume_token, self._notifier):
            yield pb.WatchTrustResponse(head=head, records=[writing.trust_record(record) for record in records])
