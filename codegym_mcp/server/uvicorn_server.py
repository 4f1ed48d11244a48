"""Runs an ASGI application with uvicorn, until a signal or until a block is left."""

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, cast

import anyio
import uvicorn
from starlette.applications import Starlette

from codegym_mcp.server.connection_limits import ConnectionLimits, ConnectionRegistry
from codegym_mcp.server.listeners import BACKLOG
from codegym_mcp.server.request_size_limits import BoundedHttpProtocol
from codegym_mcp.server.stop_signals import receive_stop_signals

GRACE_SECONDS = 10
"""Seconds that open calls may take after the server was told to stop."""


async def serve_http(app: Starlette, listener: socket.socket, ready: Callable[[], object]) -> None:
    """Serves until the process is told to stop (SIGINT, SIGTERM); open calls are finished first.

    Args:
        ready: called once when the server is about to answer; a stop signal is handled from then on.
    """
    server = HttpServer.of(app)
    with receive_stop_signals() as signals:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stop_on_signal, server, signals)
            ready()
            await server.serve(sockets=[listener])
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def running(
    app: Starlette, listener: socket.socket, *, limits: ConnectionLimits | None = None
) -> AsyncIterator[None]:
    """Serves beside the block, until it is left; open calls are finished first.

    Args:
        limits: the limits of connections; without them, those that the open files of the process allow.
    """
    server = HttpServer.of(app, limits)

    async def serve() -> None:
        with anyio.CancelScope(shield=True):
            await server.serve(sockets=[listener])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        try:
            yield
        finally:
            server.should_exit = True


class HttpServer(uvicorn.Server):
    """uvicorn's server with bounds on its connections.

    A signal does not end the process before everything is cleaned up.
    """

    @classmethod
    def of(cls, app: Starlette, limits: ConnectionLimits | None = None) -> "HttpServer":
        """Returns the server of an application.

        Args:
            limits: the limits of connections; without them, those that the open files of the process allow.
        """
        limits = limits or ConnectionLimits.for_open_files()
        connections = ConnectionRegistry(limits)
        return cls(
            uvicorn.Config(
                app,
                http=cast(Any, partial(BoundedHttpProtocol, connections)),
                # The program that serves decides how messages are shown.
                log_config=None,
                log_level="warning",
                access_log=False,
                backlog=BACKLOG,
                timeout_keep_alive=limits.idle_seconds,
                timeout_graceful_shutdown=GRACE_SECONDS,
                server_header=False,
                # A proxy's address is given by --public-url; its headers could be forged.
                proxy_headers=False,
                ws="none",
            )
        )

    on_started: Callable[[], object] = staticmethod(lambda: None)
    """Called once, when requests can be served."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_started()

    async def adopt(self, connection: socket.socket, received: bytes) -> None:
        """Serves a connection that another process has accepted; it is closed if the server stops.

        Args:
            received: what the other process has received on it and not answered.
        """
        if self.should_exit or not self.started:
            connection.close()
            return
        protocol = partial(
            cast(Any, self.config.http_protocol_class),
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            received=received,
        )
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)
        except OSError:
            # The client has closed the connection meanwhile.
            connection.close()


async def stop_on_signal(server: uvicorn.Server, signals: AsyncIterator[signal.Signals]) -> None:
    """Stops a server at a signal; at the second one, without waiting for open calls."""
    async for _ in signals:
        if server.should_exit:
            # A second signal does not wait for open calls; that they are cut off is not logged as an error.
            server.force_exit = True
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        server.should_exit = True
