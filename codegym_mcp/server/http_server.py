"""Everything over HTTP: episodes by address, the gateway, the control plane."""

import errno
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import anyio
import uvicorn
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from codegym_mcp.episodes.episode import Episode, EpisodeSettings
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.errors import CodegymError, JournalError, NotFoundError
from codegym_mcp.server.control_plane import MAX_BODY, ControlPlane, error_response
from codegym_mcp.server.mcp_conversion import Context
from codegym_mcp.server.mcp_episode import EpisodeMcpServer
from codegym_mcp.server.mcp_gateway import Gateway

logger = logging.getLogger(__name__)

GRACE_SECONDS = 10
"""How long a server that is told to stop lets open calls finish."""

_BACKLOG = 4096
_HINTS = {
    errno.EADDRINUSE: "Choose another port; port 0 picks a free one.",
    errno.EACCES: "Choose a port above 1023; port 0 picks a free one.",
}


@dataclass(frozen=True)
class HttpOptions:
    """How to serve over HTTP.

    Attributes:
        token: the control plane's bearer token.
        json_responses: answer with plain JSON instead of event streams: twice as fast, but progress and log
            notifications are lost.
        gateway: offer `/mcp`, through which whoever reaches the server can open episodes.
        reveal: tell agents the verdict when they submit.
    """

    token: str
    json_responses: bool = False
    gateway: bool = True
    reveal: bool = False


def make_app(episodes: EpisodeManager, options: HttpOptions, *, host: str = "127.0.0.1") -> Starlette:
    """The ASGI application.

    Args:
        episodes: what to serve.
        options: see `HttpOptions`.
        host: the address it will be bound to; on loopback, requests that name another host are refused.
    """
    servers: list[Server[Any]] = []

    def mcp_endpoint(server: Server[Any]) -> ASGIApp:
        # Stateless also for clients of the handshake era: the address is the session, so a connection can be
        # dropped and made again, also after the server was restarted.
        server.streamable_http_app(
            json_response=options.json_responses,
            stateless_http=True,
            max_request_body_size=MAX_BODY,
            transport_security=_transport_security(host),
        )
        servers.append(server)
        return _PostOnly(StreamableHTTPASGIApp(server.session_manager))

    def find(context: Context) -> Episode:
        assert context.request is not None
        return episodes.by_token(context.request.path_params["token"])

    # Routes are tried in their order, and most requests are calls.
    episode_endpoint = _KnownEpisodes(mcp_endpoint(EpisodeMcpServer(find).server), episodes)
    routes = [Route("/episodes/{token}/mcp", episode_endpoint, name="episode")]
    if options.gateway:
        settings = EpisodeSettings(reveal=options.reveal)
        routes.append(Route("/mcp", mcp_endpoint(Gateway(episodes, settings).server), name="gateway"))
    routes += ControlPlane(episodes, options.token, reveal=options.reveal).routes()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for server in servers:
                await stack.enter_async_context(server.session_manager.run())
            yield

    handlers = {HTTPException: _refuse, ClientDisconnect: _let_go}
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)


def _transport_security(host: str) -> TransportSecuritySettings:
    """On loopback, requests that name another host or come from another site's page are refused.

    Else a web page could lead a browser on this machine to the server, by pointing its own name here.
    """
    if not is_loopback(host):
        return TransportSecuritySettings(enable_dns_rebinding_protection=False)
    names = {_in_url(name) for name in (host, "127.0.0.1", "localhost", "::1")}
    hosts = [pattern for name in names for pattern in (name, f"{name}:*")]
    return TransportSecuritySettings(
        allowed_hosts=hosts,
        allowed_origins=[f"{scheme}://{name}" for scheme in ("http", "https") for name in hosts],
    )


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def _let_go(_: Request, __: Exception) -> Response:
    """Whoever asked has gone before all was said; nobody will read this."""
    return Response(status_code=400)


async def _refuse(_: Request, error: Exception) -> Response:
    """Addresses and methods that there are none of, told like every other error."""
    assert isinstance(error, HTTPException)
    response = error_response(error.status_code, f"{error.detail}.")
    response.headers.update(error.headers or {})
    return response


class _PostOnly:
    """Refuses GET and DELETE: there is no stream of the server's own messages, and no session to end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            response = error_response(405, "This MCP endpoint takes POST only.")
            response.headers["allow"] = "POST"
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _KnownEpisodes:
    """Answers 404 for addresses that are no episode, before any protocol is spoken."""

    def __init__(self, app: ASGIApp, episodes: EpisodeManager) -> None:
        self._app = app
        self._episodes = episodes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._episodes.by_token(scope["path_params"]["token"])
        except NotFoundError as error:
            await error_response(404, error.message, error.hint)(scope, receive, send)
        except JournalError as error:
            logger.error("%s", error)
            await error_response(500, "The server cannot read this episode.", "Try again.")(
                scope, receive, send
            )
        else:
            await self._app(scope, receive, send)


def bind(host: str, port: int) -> socket.socket:
    """Binds a socket and listens; port 0 picks a free one. Clients wait until they are served.

    Raises:
        CodegymError: the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise CodegymError(
            f"{_in_url(host)}:{port} cannot be bound: {error.strerror or error}.",
            hint=_HINTS.get(
                error.errno or 0, "Choose an address of this machine, for example 127.0.0.1:8000."
            ),
        ) from None
    return listener


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def serve_http(app: Starlette, listener: socket.socket, ready: Callable[[], object]) -> None:
    """Serves until the process is told to stop (SIGINT, SIGTERM); open calls are finished first.

    Args:
        ready: called once when the server is about to answer, and ends well if it is told to.
    """
    server = _server(app)
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_stop_on_signal, server, signals)
            ready()
            await server.serve(sockets=[listener])
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def running(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    """Serves beside the block, until it is left; open calls are finished first."""
    server = _server(app)

    async def serve() -> None:
        with anyio.CancelScope(shield=True):
            await server.serve(sockets=[listener])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        try:
            yield
        finally:
            server.should_exit = True


def _server(app: Starlette) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=GRACE_SECONDS,
            server_header=False,
            ws="none",
        )
    )


class _Server(uvicorn.Server):
    """uvicorn would end the process by the signal that stopped it, before anything else is cleaned up."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _stop_on_signal(server: uvicorn.Server, signals: AsyncIterator[signal.Signals]) -> None:
    async for _ in signals:
        if server.should_exit:
            # A second signal does not wait for open calls. What is cut off need not be told as a fault.
            server.force_exit = True
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        server.should_exit = True
