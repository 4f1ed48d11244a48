"""A channel between two processes of this project that trust each other: one JSON value a line."""

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any, cast

_encode = json.JSONEncoder(separators=(",", ":")).encode


class JsonChannel(asyncio.Protocol):
    """One end of a channel. Create it with `JsonChannel.open`.

    Attributes:
        ended: set when the other end has closed.
    """

    def __init__(self, receive: Callable[[Any], object], lost: Callable[[], object]) -> None:
        self.ended = asyncio.Event()
        self._receive = receive
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    @classmethod
    async def open(
        cls,
        connection: socket.socket,
        receive: Callable[[Any], object],
        lost: Callable[[], object] = lambda: None,
    ) -> "JsonChannel":
        """Takes over a connected socket.

        Args:
            receive: called with every value that arrives.
            lost: called once, when the other end has closed.
        """
        connection.setblocking(False)
        channel = cls(receive, lost)
        loop = asyncio.get_running_loop()
        if connection.family == getattr(socket, "AF_UNIX", None):
            await loop.create_unix_connection(lambda: channel, sock=connection)
        else:
            await loop.create_connection(lambda: channel, sock=connection)
        return channel

    def send(self, value: Any) -> None:
        """Sends a JSON value. It is discarded if the other end has closed."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_encode(value).encode() + b"\n")

    def close(self) -> None:
        """Closes this end after everything that was sent has been written."""
        if self._transport is not None:
            self._transport.close()

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *values, self._rest = (self._rest + data).split(b"\n")
        for value in values:
            self._receive(json.loads(value))

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()
        self._lost()
