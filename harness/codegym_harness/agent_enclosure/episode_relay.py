"""Passes an agent program's HTTP requests on to its own episode, and to nothing else of the server.

The server listens on a Unix socket that no agent program can open. The program connects to a TCP port of the
loopback address, in its own network or in the machine's.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import h11

_CHUNK = 65536
_MOST_CONNECTIONS = 64
_HOP_BY_HOP = frozenset(
    {b"connection", b"host", b"keep-alive", b"proxy-authorization", b"proxy-connection", b"te", b"upgrade"}
)
"""Headers that concern one connection."""

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class ServerAddress:
    """The address of a server of episodes.

    Attributes:
        url: its URL without a path; the host and port are used only if there is no Unix socket.
        socket_path: the Unix socket that it listens on, if any.
    """

    url: str
    socket_path: Path | None = None

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Opens a connection to the server; raises OSError."""
        if self.socket_path is not None:
            return await asyncio.open_unix_connection(self.socket_path)
        parts = urlsplit(self.url)
        return await asyncio.open_connection(parts.hostname, parts.port)


class EpisodeRelay:
    """Accepts requests for one path and passes them on.

    Attributes:
        port: the port of the loopback address at which the program finds its episode.
        url: the episode's address for the program.
    """

    def __init__(self, server: ServerAddress, path: str) -> None:
        """Opens a port of the machine's loopback address; `close` closes it.

        Args:
            server: the server of the episode.
            path: the path of the episode's URL; requests for other paths are refused.
        """
        self._server = server
        self._path = path.encode()
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(socket.SOMAXCONN)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}{path}"

    def close(self) -> None:
        """Closes the port."""
        self._listener.close()

    async def serve(self) -> None:
        """Accepts connections at the port of the machine until it is cancelled."""
        await self.serve_listener(self._listener)

    async def serve_listener(self, listener: socket.socket) -> None:
        """Accepts connections of a listening socket until it is cancelled."""
        await _accept(listener, self._pass_on)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Passes on the one request of a connection."""
        client = h11.Connection(h11.SERVER)
        request = await _next_event(client, reader, writer)
        if not isinstance(request, h11.Request):
            return
        if request.target != self._path:
            _refuse(client, writer, 404)
            return
        upstream_reader, upstream_writer = await self._server.open()
        try:
            await _send_request(client, request, (reader, writer), upstream_writer)
            await _copy_response(reader, upstream_reader, writer)
        finally:
            upstream_writer.close()


async def forward_port(port: int, listener: socket.socket) -> None:
    """Connects what arrives at a listening socket to a port of the machine's loopback address.

    It runs until it is cancelled.
    """

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_copy, reader, other_writer)
                await _copy(other_reader, writer)
                tasks.cancel_scope.cancel()
        finally:
            other_writer.close()

    await _accept(listener, connect)


async def _accept(listener: socket.socket, handler: Handler) -> None:
    places = asyncio.Semaphore(_MOST_CONNECTIONS)
    open_tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_tasks.add(task)
        try:
            async with places:
                with suppress(OSError, h11.ProtocolError, asyncio.IncompleteReadError):
                    await handler(reader, writer)
        except asyncio.CancelledError:
            # The relay ends; asyncio would log an error for a handler that is cancelled.
            pass
        finally:
            open_tasks.discard(task)
            writer.close()

    # A duplicate, since the server closes what it is given.
    server = await asyncio.start_server(handle, sock=listener.dup())
    try:
        await anyio.sleep_forever()
    finally:
        server.close()
        for task in open_tasks:
            task.cancel()


async def _next_event(
    client: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
    """Returns the next part of what a client sends, never `NEED_DATA`."""
    while True:
        event = client.next_event()
        if event is not h11.NEED_DATA:
            return event
        if client.they_are_waiting_for_100_continue:
            proceed = client.send(h11.InformationalResponse(status_code=100, headers=[]))
            writer.write(proceed or b"")
        client.receive_data(await reader.read(_CHUNK))


async def _send_request(
    client: h11.Connection,
    request: h11.Request,
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    upstream: asyncio.StreamWriter,
) -> None:
    """Writes a request anew, so that the server sees one request whatever the client sent."""
    own = h11.Connection(h11.CLIENT)
    headers = [(name, value) for name, value in request.headers if name not in _HOP_BY_HOP]
    headers += [(b"host", b"localhost"), (b"connection", b"close")]
    start = h11.Request(method=request.method, target=request.target, headers=headers)
    upstream.write(own.send(start) or b"")
    while True:
        event = await _next_event(client, *connection)
        if not isinstance(event, h11.Data | h11.EndOfMessage):
            raise h11.RemoteProtocolError("the client closed the connection within a request")
        upstream.write(own.send(event) or b"")
        await upstream.drain()
        if isinstance(event, h11.EndOfMessage):
            return


async def _copy_response(
    reader: asyncio.StreamReader, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Copies the response as it is, until the server or the client closes the connection."""
    async with anyio.create_task_group() as tasks:

        async def watch_client() -> None:
            with suppress(OSError):
                while await reader.read(_CHUNK):
                    pass
            tasks.cancel_scope.cancel()

        tasks.start_soon(watch_client)
        await _copy(upstream, writer)
        tasks.cancel_scope.cancel()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies bytes to the end; a connection that breaks ends it too."""
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def _refuse(client: h11.Connection, writer: asyncio.StreamWriter, status: int) -> None:
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    writer.write(client.send(h11.Response(status_code=status, headers=headers)) or b"")
    writer.write(client.send(h11.EndOfMessage()) or b"")
