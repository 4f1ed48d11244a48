"""Frames on the socket between the server and a confined process: four bytes of length, then the body.

Both ends use this module. It imports only the standard library, because a confined process must stay small.
"""

import json
import socket
import struct
from typing import Any

from codegym_mcp.sandbox.language.text_without_addresses import without_addresses

MAX_FRAME = 1 << 20
"""Maximum size of a body in bytes; a process that announces a longer one is treated as lost."""

_LENGTH = struct.Struct("<I")


class FrameTooLargeError(Exception):
    """A body is longer than `MAX_FRAME`.

    Attributes:
        length: the body's size in bytes.
    """

    def __init__(self, length: int) -> None:
        super().__init__(f"a frame of {length} bytes")
        self.length = length


def pack(body: bytes) -> bytes:
    """Returns a body with its length in front.

    Raises:
        FrameTooLargeError: the body is longer than `MAX_FRAME`.
    """
    if len(body) > MAX_FRAME:
        raise FrameTooLargeError(len(body))
    return _LENGTH.pack(len(body)) + body


class FrameReader:
    """Splits a stream of bytes into the bodies of frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Adds received bytes and returns the bodies that are complete.

        Raises:
            FrameTooLargeError: a length beyond `MAX_FRAME` was announced; the bytes are discarded.
        """
        buffer = self._buffer
        buffer += data
        bodies = []
        start = 0
        while len(buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, start)
            if length > MAX_FRAME:
                raise FrameTooLargeError(length)
            end = start + _LENGTH.size + length
            if len(buffer) < end:
                break
            bodies.append(bytes(buffer[start + _LENGTH.size : end]))
            start = end
        if start:
            del buffer[:start]
        return bodies


class FrameChannel:
    """The confined end of a channel: blocking, one message at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader = FrameReader()
        self._ready: list[bytes] = []

    def receive(self) -> bytes:
        """Waits for the next body and returns it.

        Raises:
            EOFError: the other end has closed.
        """
        while not self._ready:
            data = self._connection.recv(65536)
            if not data:
                raise EOFError
            self._ready = self._reader.feed(data)
        return self._ready.pop(0)

    def receive_message(self) -> Any:
        """Waits for the next body and returns it, decoded from JSON."""
        return json.loads(self.receive())

    def send_message(self, message: Any) -> None:
        """Sends a message as JSON, without the addresses that Python shows of functions and other objects.

        Raises:
            FrameTooLargeError: it is too long; nothing was sent.
            TypeError, ValueError, RecursionError: it is not JSON data; nothing was sent.
        """
        body = json.dumps(
            message, allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_sorted_set
        )
        self._connection.sendall(pack(without_addresses(body).encode()))


def _sorted_set(value: Any) -> list[Any]:
    """Returns a set as a sorted list, because the order of a set differs from run to run."""
    if isinstance(value, set | frozenset):
        try:
            return sorted(value)
        except TypeError:
            return sorted(value, key=lambda item: without_addresses(repr(item)))
    raise TypeError(f"{type(value).__name__} is not JSON data")
