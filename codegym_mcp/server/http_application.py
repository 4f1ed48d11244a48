"""The HTTP server: episodes by address, the gateway, the control plane, protocols of trainers."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from codegym_mcp.curriculum.curriculum_file import CurriculumFile, CurriculumInMemory
from codegym_mcp.episode_viewer.page_routes import view_routes
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.server.bearer_tokens import has_bearer_token
from codegym_mcp.server.caller_episodes import CallerCounts
from codegym_mcp.server.control_plane import ControlPlane
from codegym_mcp.server.curriculum_openings import AdaptiveOpenings, FindEpisode
from codegym_mcp.server.episode_addresses import EPISODE_PATH, EpisodeAddresses
from codegym_mcp.server.error_responses import EXCEPTION_HANDLERS, error_response
from codegym_mcp.server.host_and_origin_checks import request_checks
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.mcp_endpoint_loading import McpEndpointLoading
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
    on_loaded: Callable[[], object] = lambda: None,
) -> Starlette:
    """Returns the ASGI application.

    Args:
        episodes: the episodes to serve.
        options: see `HttpOptions`.
        host: the address that it will be bound to; None for a Unix socket.
        episode: the episode that is served at the gateway's address, in place of the gateway.
        part: what differs if other processes hold other episodes of the server.
        on_loaded: called once, after the start, when everything that the server needs is loaded.
    """
    bodies = BodyReader()
    mcp = McpEndpointLoading(
        episodes,
        options,
        bodies,
        only=episode,
        caller_counts=part.caller_counts if part is not None else None,
        on_loaded=on_loaded,
    )
    # `EpisodeAddresses` serves these addresses; the route tells them.
    routes = [Route(EPISODE_PATH, _Asgi(mcp.serve_episode), name="episode")]
    if options.gateway:
        gateway: ASGIApp = _Asgi(mcp.serve_gateway)
        if options.gateway_token is not None:
            gateway = _TokenRequired(gateway, options.gateway_token)
        routes.append(Route("/mcp", gateway, name="gateway"))
    adaptive = _adaptive_openings(episodes, options, part)
    control = ControlPlane(
        episodes,
        options.token,
        bodies,
        public_url=options.public_url,
        reveal=options.reveal,
        refuse_reveal=options.refuse_reveal,
        adaptive=adaptive,
    )
    routes += control.routes()
    # The page shows verdicts: its data need the control plane's token, which agents never have.
    view = (
        ServerViewSource(episodes)
        if part is None
        else ServerViewSource(episodes, run=part.view_run, name=f"episodes of worker {part.number}")
    )
    routes += view_routes(view, is_authorized=lambda scope: has_bearer_token(scope, options.token))
    routes += trainer_routes(
        options.protocols, episodes, TrainerEndpoints(options.token, bodies), routes, adaptive
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with mcp.running():
            yield

    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            Middleware(ScheduledRequests, find_episode=episodes.in_memory, token=options.token),
            *request_checks(options, host),
            *([part.routing] if part is not None else []),
            Middleware(EpisodeAddresses, endpoint=mcp.serve_episode, episodes=episodes),
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


class _Asgi:
    """An ASGI application that is a function; Starlette takes other functions for handlers of requests."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


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
