"""The HTTP server: episodes by address, the gateway, the control plane, protocols of trainers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import mcp_types as types
from mcp.server.lowlevel.server import Server
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from codegym_mcp.curriculum.curriculum_file import CurriculumFile, CurriculumInMemory
from codegym_mcp.episode_viewer.page_routes import view_routes
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.server.bearer_tokens import has_bearer_token
from codegym_mcp.server.caller_episodes import CallerCounts
from codegym_mcp.server.control_plane import ControlPlane
from codegym_mcp.server.curriculum_openings import AdaptiveOpenings, FindEpisode
from codegym_mcp.server.direct_tool_calls import KEEPALIVE_SECONDS, DirectToolCalls
from codegym_mcp.server.episode_addresses import EPISODE_PATH, EpisodeAddresses, requested_episode
from codegym_mcp.server.error_responses import error_response
from codegym_mcp.server.host_and_origin_checks import ANY, RequestGuard, normalize_origin
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.mcp_episode_server import EpisodeMcpServer, call_episode
from codegym_mcp.server.mcp_gateway_server import Gateway
from codegym_mcp.server.mcp_http_transport import McpEndpoint
from codegym_mcp.server.mcp_middleware import Context
from codegym_mcp.server.open_episodes_view import ServerViewSource
from codegym_mcp.server.request_bodies import BodyReader
from codegym_mcp.server.request_scheduling import ScheduledRequests
from codegym_mcp.server.trainer_protocols.trainer_endpoints import TrainerEndpoints
from codegym_mcp.server.trainer_protocols.trainer_routes import trainer_routes


@dataclass(frozen=True)
class ServerPart:
    """What differs in a process that holds a part of the server's episodes.

    Attributes:
        routing: the middleware that passes on requests for other processes.
        caller_counts: counts the episodes that callers have open in all processes.
        view_run: the id under which the viewer's page shows the episodes of this process.
        number: the number of this process, from 1, for people.
        find_episode: returns an episode of any process.
    """

    routing: Middleware
    caller_counts: CallerCounts
    view_run: str
    number: int
    find_episode: FindEpisode


def make_app(
    episodes: EpisodeManager,
    options: HttpOptions,
    *,
    host: str | None = "127.0.0.1",
    episode: Episode | None = None,
    part: ServerPart | None = None,
) -> Starlette:
    """Returns the ASGI application.

    Args:
        episodes: the episodes to serve.
        options: see `HttpOptions`.
        host: the address that it will be bound to; None for a Unix socket.
        episode: the episode that is served at the gateway's address, in place of the gateway.
        part: what differs if other processes hold other episodes of the server.
    """
    bodies = BodyReader()
    endpoints: list[McpEndpoint] = []

    def mcp_endpoint(server: Server[Any], direct: DirectToolCalls | None = None) -> ASGIApp:
        endpoint = McpEndpoint(server, bodies, json_responses=options.json_responses, direct=direct)
        endpoints.append(endpoint)
        return endpoint

    def find(context: Context) -> Episode:
        assert context.request is not None
        return requested_episode(context.request.scope)

    episode_server = EpisodeMcpServer(find).server
    direct = DirectToolCalls(
        episode_server, _call_tool, is_short=None if options.json_responses else _is_short_call
    )
    episode_endpoint = mcp_endpoint(episode_server, direct)
    # `EpisodeAddresses` serves these addresses; the route tells them.
    routes = [Route(EPISODE_PATH, episode_endpoint, name="episode")]
    if options.gateway:
        settings = EpisodeSettings(reveal=options.reveal)
        gateway = mcp_endpoint(
            EpisodeMcpServer.of(episode).server
            if episode is not None
            else Gateway(
                episodes,
                settings,
                per_caller=options.gateway_episodes,
                caller_counts=part.caller_counts if part is not None else None,
            ).server
        )
        if options.gateway_token is not None:
            gateway = _TokenRequired(gateway, options.gateway_token)
        routes.append(Route("/mcp", gateway, name="gateway"))
    control = ControlPlane(
        episodes,
        options.token,
        bodies,
        public_url=options.public_url,
        reveal=options.reveal,
        refuse_reveal=options.refuse_reveal,
        adaptive=_adaptive_openings(episodes, options, part),
    )
    routes += control.routes()
    # The page shows verdicts: its data need the control plane's token, which agents never have.
    view = (
        ServerViewSource(episodes)
        if part is None
        else ServerViewSource(episodes, run=part.view_run, name=f"episodes of worker {part.number}")
    )
    routes += view_routes(view, is_authorized=lambda scope: has_bearer_token(scope, options.token))
    routes += trainer_routes(options.protocols, episodes, TrainerEndpoints(options.token, bodies), routes)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for endpoint in endpoints:
                await stack.enter_async_context(endpoint.session_manager.run())
            yield

    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            Middleware(ScheduledRequests, find_episode=episodes.in_memory, token=options.token),
            *request_checks(options, host),
            *([part.routing] if part is not None else []),
            Middleware(EpisodeAddresses, endpoint=episode_endpoint, episodes=episodes),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    app.router.redirect_slashes = False
    return app


def _adaptive_openings(
    episodes: EpisodeManager, options: HttpOptions, part: ServerPart | None
) -> AdaptiveOpenings | None:
    """Returns what opens episodes of adaptive difficulty, or None if the processes share no curriculum."""
    if options.curriculum is not None:
        curriculum = CurriculumFile(path=options.curriculum)
        return AdaptiveOpenings(episodes, curriculum, part.find_episode if part is not None else None)
    return AdaptiveOpenings(episodes, CurriculumInMemory()) if part is None else None


async def _call_tool(scope: Scope, params: types.CallToolRequestParams) -> types.CallToolResult:
    return await call_episode(requested_episode(scope), params)


def _is_short_call(scope: Scope, params: types.CallToolRequestParams) -> bool:
    """Checks whether a call ends within the limits of a tool; a submission may have to wait for a judge."""
    episode = requested_episode(scope)
    limits = episode.settings.limits
    is_submission = params.name == episode.environment.submission.name
    return not is_submission and limits.start_seconds + limits.call_seconds <= KEEPALIVE_SECONDS


def request_checks(options: HttpOptions, host: str | None) -> list[Middleware]:
    """Returns the middleware that checks Host and Origin of a request, before any route sees it."""
    guard = Middleware(
        RequestGuard,
        host=host,
        public_url=options.public_url,
        allowed_hosts=options.allowed_hosts,
        allowed_origins=options.allowed_origins,
    )
    if not options.allowed_origins:
        return [guard]
    cors = Middleware(
        CORSMiddleware,
        allow_origins=[ANY]
        if ANY in options.allowed_origins
        else [normalize_origin(origin) for origin in options.allowed_origins],
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],
        expose_headers=[
            "mcp-session-id",
            "mcp-protocol-version",
            "www-authenticate",
            "link",
            "x-total-count",
        ],
        allow_private_network=True,
    )
    return [guard, cors]


async def _client_gone(_: Request, __: Exception) -> Response:
    """Ends a request whose client disconnected; the response is never sent."""
    return Response(status_code=400)


async def _route_error(_: Request, error: Exception) -> Response:
    """Answers an unknown address or method in the form of every other error."""
    assert isinstance(error, HTTPException)
    response = error_response(error.status_code, f"{error.detail}.")
    response.headers.update(error.headers or {})
    return response


EXCEPTION_HANDLERS: Mapping[Any, Any] = {HTTPException: _route_error, ClientDisconnect: _client_gone}
"""Answers what the routes do not."""


class _TokenRequired:
    """Answers 401 if the request does not carry the gateway's token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if has_bearer_token(scope, self._token):
            await self._app(scope, receive, send)
            return
        response = error_response(
            401,
            "The gateway needs its token.",
            "Send the header 'Authorization: Bearer …' with the gateway's token, not the control plane's.",
        )
        await response(scope, receive, send)
