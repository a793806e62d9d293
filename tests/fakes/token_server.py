"""Distribution's token server, at /token of the fake registry."""

import base64
import itertools
import re

from aiohttp import web

_PATH = "/token"
_REPOSITORY = re.compile(r"/v2/(.+)/(?:manifests|blobs|tags|referrers)/.*")
SERVICE = "registry.test"


class TokenServer:
    """Gives bearer tokens: to everybody, for a name and password (`name:password`), or for an identity token.

    `asked` holds the scopes that were asked for; `forget` makes every token given so far invalid.
    """

    def __init__(self, *, password: str = "", identity_token: str = "") -> None:
        self.asked: list[str] = []
        self._basic = "Basic " + base64.b64encode(password.encode()).decode() if password else ""
        self._identity_token = identity_token
        self._given: dict[str, str] = {}
        self._numbers = itertools.count()

    def forget(self) -> None:
        """Let every token have run out."""
        self._given.clear()

    async def answer(self, request: web.Request) -> web.Response | None:
        """Answer what is asked of the token server, and who has no token; None lets the registry answer."""
        if request.path == _PATH:
            return await (self._exchange(request) if request.method == "POST" else self._give(request))
        repository = _REPOSITORY.sub(r"\1", request.path)
        action = "pull" if request.method in {"GET", "HEAD"} else "pull,push"
        scope = self._given.get(request.headers.get("Authorization", "").removeprefix("Bearer "), "")
        if scope.startswith(f"repository:{repository}:{action}"):
            return None
        demanded = (
            f'Bearer realm="{request.scheme}://{request.host}{_PATH}",service="{SERVICE}",error=insufficient_scope'
        )
        return web.Response(status=401, headers={"WWW-Authenticate": demanded})

    async def _give(self, request: web.Request) -> web.Response:
        if self._identity_token or request.headers.get("Authorization", "") != self._basic:
            return web.Response(status=401)
        return self._token(request.query.get("service", ""), request.query.get("scope", ""), "token")

    async def _exchange(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        granted = (form.get("grant_type"), form.get("refresh_token")) == ("refresh_token", self._identity_token)
        if not granted or not form.get("client_id"):
            return web.json_response({"error": "invalid_grant"}, status=400)
        return self._token(form.get("service", ""), form.get("scope", ""), "access_token")

    def _token(self, service: str, scope: str, member: str) -> web.Response:
        if service != SERVICE:
            return web.Response(status=400)
        token = f"t0k3n-{next(self._numbers)}"
        self.asked.append(scope)
        self._given[token] = scope
        return web.json_response({member: token, "refresh_token": "never kept", "expires_in": 60})
