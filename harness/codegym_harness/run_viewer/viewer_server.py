"""Serves the viewer's page for run directories, on loopback."""

import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from codegym_harness.run_viewer.index_location import IndexLocation
from codegym_harness.run_viewer.run_folders import RunFolders
from codegym_harness.run_viewer.run_viewer_data import RunViewSource
from codegym_mcp.episode_viewer.page_routes import PAGE, view_routes
from codegym_mcp.server.bearer_tokens import has_bearer_token
from codegym_mcp.server.host_and_origin_checks import RequestGuard
from codegym_mcp.server.uvicorn_server import serve_http

HOST = "127.0.0.1"


def make_viewer_app(folders: RunFolders, token: str) -> Starlette:
    """Returns the ASGI application of a viewer.

    Args:
        folders: the runs to show.
        token: the bearer token, without which the data are not sent.
    """

    async def to_page(_: Request) -> Response:
        return RedirectResponse(PAGE)

    routes = view_routes(RunViewSource(folders), is_authorized=lambda scope: has_bearer_token(scope, token))
    guard = Middleware(RequestGuard, host=HOST, public_url=None, allowed_hosts=(), allowed_origins=())
    return Starlette(routes=[Route("/", to_page), *routes], middleware=[guard])


async def serve_viewer(
    paths: Sequence[Path], listener: socket.socket, announce: Callable[[str], object]
) -> None:
    """Serves the viewer until the process is told to stop.

    Args:
        paths: run directories, and directories that hold some.
        listener: a socket that is bound to loopback.
        announce: receives the address of the page, with its token, once the server answers.

    Raises:
        RunError: a path is not a directory.
    """
    token = secrets.token_urlsafe(24)
    with ExitStack() as stack:
        location = stack.enter_context(closing(IndexLocation()))
        location.remove_unused()
        folders = stack.enter_context(closing(RunFolders(paths, location)))
        app = make_viewer_app(folders, token)
        address = f"http://{HOST}:{listener.getsockname()[1]}{PAGE}#token={token}"
        await serve_http(app, listener, ready=lambda: announce(address))
