"""Reads request bodies within bounds of size, memory and pace.

Parsing a body of a mebibyte takes tens of milliseconds, in which the server answers nobody else. Large bodies
are therefore passed on one at a time, with pauses that grow with their size.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from starlette.types import Message, Receive, Scope

from codegym_mcp.episode_limits import MIB

MAX_BODY = MIB
"""The largest body of most requests, in bytes; nothing that an environment receives can be larger."""

_SMALL_BODY = 64 * 1024
_LARGE_BODIES = 16
"""Large bodies that may be in memory at a time."""
_WAITING_BODIES = 32
"""Large bodies that may wait for their turn; more are refused."""
_BYTES_PER_SECOND = 10 * MIB
"""The pace at which large bodies are passed on."""


class BodyRefusedError(Exception):
    """A body that is not read, and the response that says so.

    Attributes:
        status: the HTTP status.
        message: what is wrong.
        hint: the next step; may be empty.
    """

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint


class BodyTooLargeError(BodyRefusedError):
    """The body of a request has more bytes than are allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"The body is too large; {limit} bytes are allowed.")


class ServerBusyError(BodyRefusedError):
    """Too many large bodies wait for their turn."""

    def __init__(self) -> None:
        super().__init__(503, "The server is busy with other large requests.", "Try again.")


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


class BodyReader:
    """Reads the bodies of all requests of one server."""

    def __init__(self) -> None:
        self._slots = anyio.Semaphore(_LARGE_BODIES)
        self._turn = anyio.Lock()

    @asynccontextmanager
    async def read(
        self, scope: Scope, receive: Receive, first: Message | None = None, *, limit: int = MAX_BODY
    ) -> AsyncIterator[bytes]:
        """Reads a body; a large one counts as being in memory until the block is left.

        Args:
            first: the first message, if it was received already.
            limit: the largest body, in bytes.

        Raises:
            BodyTooLargeError: the body has more than `limit` bytes.
            ServerBusyError: the body is large, and too many large bodies wait already.
            ClientGoneError: the client closed the connection first.
        """
        length = _content_length(scope)
        if length is not None and length > limit:
            raise BodyTooLargeError(limit)
        body = bytearray()
        complete = first is not None and _append(body, first)
        if not complete:
            complete = await _read_part(receive, body, _SMALL_BODY)
        if complete and len(body) <= _SMALL_BODY:
            yield bytes(body)
            return
        if self._slots.statistics().tasks_waiting >= _WAITING_BODIES:
            raise ServerBusyError()
        async with self._slots:
            if not complete:
                await _read_part(receive, body, limit)
            if len(body) > limit:
                raise BodyTooLargeError(limit)
            async with self._turn:
                await anyio.sleep(len(body) / _BYTES_PER_SECOND)
            yield bytes(body)


async def _read_part(receive: Receive, body: bytearray, size: int) -> bool:
    """Reads until the body is complete or larger than a size; returns whether it is complete."""
    while len(body) <= size:
        if _append(body, await receive()):
            return True
    return False


def _append(body: bytearray, message: Message) -> bool:
    """Appends a part of a body; returns whether the body is complete."""
    if message["type"] != "http.request":
        raise ClientGoneError
    body += message.get("body", b"")
    return not message.get("more_body", False)


def is_small_body(message: Message) -> bool:
    """Checks whether a message holds a whole body that can be read without further care."""
    whole = message["type"] == "http.request" and not message.get("more_body", False)
    return whole and len(message.get("body", b"")) <= _SMALL_BODY


def _content_length(scope: Scope) -> int | None:
    """The announced length, or None if the body is sent in chunks."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)
    return None


def replay(body: bytes, receive: Receive) -> Receive:
    """Returns a `receive` that gives a body that was read, and then what the server reports."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        message: dict[str, Any] = {"type": "http.request", "body": body, "more_body": False}
        return message

    return receive_again
