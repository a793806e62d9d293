"""PolicyService: decode, use case, encode."""

from collections.abc import AsyncIterator
from typing import Any, Final

import grpc.aio
from chassis.identity import current_caller
from chassis.paging import open_page
from chassis.requests import Requests
from chassis.watch import Notifier, serve
from hallmark.policy.v1 import policy_service_pb2 as pb
from hallmark.policy.v1 import policy_service_pb2_grpc as rpc

from policy.activations import Activations
from policy.policy_source import PolicySource
from policy.revisions import Revisions
from policy.store import Store
from policy.wire import requests
from policy.wire.policies import decode_policy, encode_policy
from policy.wire.revisions import encode_activation, encode_active, encode_revision

Context = grpc.aio.ServicerContext[Any, Any]
_LONGEST_COMMENT: Final = 1024


class PolicyService(rpc.PolicyServiceServicer):
    """The policies of clusters. `epoch` is that of the store."""

    def __init__(
        self,
        *,
        revisions: Revisions,
        activations: Activations,
        once: Requests,
        store: Store,
        epoch: int,
        notifier: Notifier,
    ) -> None:
        self._revisions = revisions
        self._activations = activations
        self._once = once
        self._store = store
        self._epoch = epoch
        self._notifier = notifier

    async def CreateRevision(self, request: pb.CreateRevisionRequest, context: Context) -> pb.CreateRevisionResponse:
        """Store a policy as a revision, or only check it."""
        policy, document = decode_policy(request.policy)
        comment = requests.text(request.comment, "comment", _LONGEST_COMMENT)
        if request.validate_only:
            self._revisions.check(current_caller(), policy)
            return pb.CreateRevisionResponse()

        return await self._once.once(
            "CreateRevision",
            request.request_id,
            request,
            pb.CreateRevisionResponse,
            lambda revision: pb.CreateRevisionResponse(revision=encode_revision(revision)),
            lambda: self._revisions.create(current_caller(), policy, document, comment),
        )

    async def GetRevision(self, request: pb.GetRevisionRequest, context: Context) -> pb.GetRevisionResponse:
        """Return a revision with its policy."""
        revision, document = await self._revisions.get(
            current_caller(), requests.cluster(request.cluster), requests.number(request.revision, "revision")
        )
        return pb.GetRevisionResponse(revision=encode_revision(revision), policy=encode_policy(document))

    async def ListRevisions(self, request: pb.ListRevisionsRequest, context: Context) -> pb.ListRevisionsResponse:
        """List the revisions of a cluster."""
        page = open_page(request)
        found = await self._revisions.page(
            current_caller(), requests.cluster(request.cluster), requests.before(page), page.size + 1
        )
        more = str(found[page.size - 1].number) if len(found) > page.size else ""
        return pb.ListRevisionsResponse(
            revisions=map(encode_revision, found[: page.size]), next_page_token=page.token(more)
        )

    async def ActivateRevision(
        self, request: pb.ActivateRevisionRequest, context: Context
    ) -> pb.ActivateRevisionResponse:
        """Put a revision in force."""
        cluster = requests.cluster(request.cluster)
        revision = requests.number(request.revision, "revision")
        expected = requests.number(request.expected_active_revision, "expected_active_revision")

        return await self._once.once(
            "ActivateRevision",
            request.request_id,
            request,
            pb.ActivateRevisionResponse,
            lambda activation: pb.ActivateRevisionResponse(active=encode_activation(activation)),
            lambda: self._activations.activate(current_caller(), cluster, revision, expected),
        )

    async def RollBack(self, request: pb.RollBackRequest, context: Context) -> pb.RollBackResponse:
        """Put the revision in force that was so before."""
        cluster = requests.cluster(request.cluster)
        expected = requests.number(request.expected_active_revision, "expected_active_revision")

        return await self._once.once(
            "RollBack",
            request.request_id,
            request,
            pb.RollBackResponse,
            lambda activation: pb.RollBackResponse(active=encode_activation(activation)),
            lambda: self._activations.roll_back(current_caller(), cluster, expected),
        )

    async def ListActivePolicies(
        self, request: pb.ListActivePoliciesRequest, context: Context
    ) -> pb.ListActivePoliciesResponse:
        """List what is in force."""
        page = open_page(request)
        found, last = await self._activations.page(current_caller(), page.cursor, page.size)
        return pb.ListActivePoliciesResponse(
            active_policies=map(encode_activation, found), next_page_token=page.token(last)
        )

    async def WatchPolicies(
        self, request: pb.WatchPoliciesRequest, context: Context
    ) -> AsyncIterator[pb.WatchPoliciesResponse]:
        """Send what is in force, then what changes."""
        source = PolicySource(self._store, self._epoch, current_caller().scope.covers_cluster)
        async for head, active in serve(source, request.resume_token, self._notifier):
            yield pb.WatchPoliciesResponse(head=head, records=map(encode_active, active))
