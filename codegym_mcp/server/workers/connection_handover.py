"""Passes a request, with its connection, to the process that holds its episode.

The other process continues to read from the connection, so that further requests of the same client reach it
directly. An agent that plays one episode is passed on once.
"""

import logging
from collections.abc import Collection
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from codegym_mcp.server.bearer_tokens import has_token
from codegym_mcp.server.error_responses import error_response
from codegym_mcp.server.request_bodies import (
    MAX_BODY,
    BodyReader,
    BodyRefusedError,
    ClientGoneError,
    replay,
)
from codegym_mcp.server.request_size_limits import CONNECTION, BoundedHttpProtocol
from codegym_mcp.server.trainer_protocols.nemo_gym import MAX_ROLLOUT_BODY
from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol
from codegym_mcp.server.workers.episode_owner import OWN_PART, Owner, owner_by_body, owner_by_head

logger = logging.getLogger(__name__)

_NOT_PASSED_ON = frozenset({b"content-length", b"transfer-encoding", b"expect"})
"""Header fields that describe how the body arrived; it was read completely."""


class Router(Protocol):
    """Knows the processes of the server.

    Attributes:
        is_worker: whether this process is a worker.
    """

    is_worker: bool

    def target(self, owner: str | int | Owner) -> int | None:
        """Returns the process that serves a request, or None if it is this one.

        Args:
            owner: the id of an episode, a worker, or who else serves it; see `owner_by_head`.
        """

    async def is_ready(self, target: int) -> bool:
        """Waits until a process can serve requests; returns False if that takes too long."""

    def send(self, target: int, descriptor: int, request: bytes) -> None:
        """Passes a connection and the request on it to a process; closes this process's descriptor."""


class RoutedRequests:
    """ASGI middleware that serves the requests of this process and passes on all others."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        router: Router,
        token: str,
        protocols: Collection[TrainerProtocol],
    ) -> None:
        """
        Args:
            app: serves the requests of this process.
            token: of the control plane; with it, trainers may send larger bodies.
            protocols: the protocols of trainers that the server speaks.
        """
        self._app = app
        self._router = router
        self._token = token
        self._protocols = protocols
        self._bodies = BodyReader()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._router.is_worker and scope["path"].startswith(f"{OWN_PART}/"):
            scope["path"] = scope["path"].removeprefix(OWN_PART)
            await self._app(scope, receive, send)
            return
        owner = owner_by_head(scope, self._protocols)
        target = self._router.target(owner) if owner is not None else None
        if owner is not None and target is None:
            await self._app(scope, receive, send)
            return
        try:
            async with self._bodies.read(scope, receive, limit=self._body_limit(scope)) as body:
                if owner is None:
                    target = self._router.target(owner_by_body(scope, body, self._protocols))
                if target is None:
                    await self._app(scope, replay(body, receive), send)
                else:
                    await self._pass_on(target, body, scope, receive, send)
        except BodyRefusedError as error:
            await error_response(error.status, error.message, error.hint)(scope, receive, send)
        except ClientGoneError:
            return

    def _body_limit(self, scope: Scope) -> int:
        trains = TrainerProtocol.NEMO_GYM in self._protocols and has_token(scope, self._token)
        return MAX_ROLLOUT_BODY if trains else MAX_BODY

    async def _pass_on(self, target: int, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        if not await self._router.is_ready(target):
            refusal = error_response(
                503, "The process of the server that holds this episode is being started.", "Try again."
            )
            refusal.headers["retry-after"] = "1"
            await refusal(scope, receive, send)
            return
        connection: BoundedHttpProtocol = scope[CONNECTION]
        descriptor = connection.detach()
        if descriptor is not None:
            self._router.send(target, descriptor, encode_request(scope, body))
        elif not connection.transport.is_closing():
            refusal = error_response(
                503,
                "A request was sent before the response to an earlier one.",
                "Wait for each response, or use several connections.",
            )
            refusal.headers["connection"] = "close"
            await refusal(scope, receive, send)


def encode_request(scope: Scope, body: bytes) -> bytes:
    """Returns a request as HTTP/1 sends it, with a body that was read completely."""
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    version = scope["http_version"].encode()
    lines = [b"%b %b%b HTTP/%b" % (scope["method"].encode(), scope["raw_path"], query, version)]
    lines += [b"%b: %b" % (name, value) for name, value in scope["headers"] if name not in _NOT_PASSED_ON]
    if body or scope["method"] in ("POST", "PUT", "PATCH"):
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])
