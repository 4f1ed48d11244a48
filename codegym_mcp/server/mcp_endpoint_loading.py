"""Loads the MCP endpoints of the HTTP server while it already answers other requests.

Importing the MCP SDK takes about as long as everything else that a server does before it listens. The control
plane does not need it, so it is imported in a thread beside the event loop. MCP requests wait until then.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from starlette.types import Receive, Scope, Send

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.server.caller_episodes import CallerCounts
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.request_bodies import BodyReader

if TYPE_CHECKING:
    from codegym_mcp.server.mcp_endpoints import McpEndpoints


class McpEndpointLoading:
    """The MCP endpoints, which are loaded when the server starts."""

    def __init__(
        self,
        episodes: EpisodeManager,
        options: HttpOptions,
        bodies: BodyReader,
        *,
        only: Episode | None = None,
        caller_counts: CallerCounts | None = None,
        on_loaded: Callable[[], object] = lambda: None,
    ) -> None:
        """
        Args:
            episodes, options, bodies, only, caller_counts: see `McpEndpoints`.
            on_loaded: called once, when everything that the server needs is loaded.
        """
        self._episodes = episodes
        self._options = options
        self._bodies = bodies
        self._only = only
        self._caller_counts = caller_counts
        self._on_loaded = on_loaded
        self._endpoints: McpEndpoints | None = None
        self._loaded = anyio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Loads the endpoints and runs them beside the block."""
        stopped = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._run, stopped)
            try:
                yield
            finally:
                stopped.set()

    async def _run(self, stopped: anyio.Event) -> None:
        try:
            endpoints = (await anyio.to_thread.run_sync(_import_endpoints))(
                self._episodes,
                self._options,
                self._bodies,
                only=self._only,
                caller_counts=self._caller_counts,
            )
            async with endpoints.running():
                self._endpoints = endpoints
                self._on_loaded()
                self._loaded.set()
                await stopped.wait()
        finally:
            # A request that still waits is answered with an error.
            self._endpoints = None
            self._loaded.set()

    async def serve_episode(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request at the address of an episode. It is an ASGI application."""
        await (await self._wait()).episode(scope, receive, send)

    async def serve_gateway(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request at the address of the gateway. It is an ASGI application."""
        await (await self._wait()).gateway(scope, receive, send)

    async def _wait(self) -> "McpEndpoints":
        if self._endpoints is None:
            await self._loaded.wait()
        if self._endpoints is None:
            raise RuntimeError("the MCP endpoints are not running")
        return self._endpoints


def _import_endpoints() -> "type[McpEndpoints]":
    from codegym_mcp.server.mcp_endpoints import McpEndpoints

    return McpEndpoints
