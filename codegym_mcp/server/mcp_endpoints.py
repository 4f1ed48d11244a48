"""The MCP endpoints of the HTTP server: that of every episode, and that of the gateway."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import mcp_types as types
from mcp.server.lowlevel.server import Server
from starlette.types import Scope

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.server.caller_episodes import CallerCounts
from codegym_mcp.server.direct_tool_calls import KEEPALIVE_SECONDS, DirectToolCalls
from codegym_mcp.server.episode_addresses import requested_episode
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.mcp_episode_server import EpisodeMcpServer, call_episode
from codegym_mcp.server.mcp_gateway_server import Gateway
from codegym_mcp.server.mcp_http_transport import McpEndpoint
from codegym_mcp.server.mcp_middleware import Context
from codegym_mcp.server.request_bodies import BodyReader


class McpEndpoints:
    """The endpoints of one server.

    Attributes:
        episode: serves the episode that a request's address names.
        gateway: serves the gateway, or the one episode of the server.
    """

    def __init__(
        self,
        episodes: EpisodeManager,
        options: HttpOptions,
        bodies: BodyReader,
        *,
        only: Episode | None,
        caller_counts: CallerCounts | None,
    ) -> None:
        """
        Args:
            episodes: the episodes to serve.
            options: the options of the server.
            bodies: reads the bodies of requests.
            only: the episode that is served in place of the gateway.
            caller_counts: counts the episodes that callers have open; None if this process has all of them.
        """
        self._bodies = bodies
        self._json_responses = options.json_responses
        server = EpisodeMcpServer(_find).server
        is_short = None if options.json_responses else _is_short_call
        self.episode = self._endpoint(server, DirectToolCalls(server, _call_tool, is_short=is_short))
        if only is not None:
            self.gateway = self._endpoint(EpisodeMcpServer.of(only).server)
        else:
            gateway = Gateway(
                episodes,
                EpisodeSettings(reveal=options.reveal),
                per_caller=options.gateway_episodes,
                caller_counts=caller_counts,
            )
            self.gateway = self._endpoint(gateway.server)

    def _endpoint(self, server: Server[Any], direct: DirectToolCalls | None = None) -> McpEndpoint:
        return McpEndpoint(server, self._bodies, json_responses=self._json_responses, direct=direct)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Runs the SDK's transports beside the block."""
        async with AsyncExitStack() as stack:
            for endpoint in (self.episode, self.gateway):
                await stack.enter_async_context(endpoint.session_manager.run())
            yield


def _find(context: Context) -> Episode:
    assert context.request is not None
    return requested_episode(context.request.scope)


async def _call_tool(scope: Scope, params: types.CallToolRequestParams) -> types.CallToolResult:
    return await call_episode(requested_episode(scope), params)


def _is_short_call(scope: Scope, params: types.CallToolRequestParams) -> bool:
    """Checks whether a call ends within the limits of a tool; a submission may have to wait for a judge."""
    episode = requested_episode(scope)
    limits = episode.settings.limits
    is_submission = params.name == episode.environment.submission.name
    return not is_submission and limits.start_seconds + limits.call_seconds <= KEEPALIVE_SECONDS
