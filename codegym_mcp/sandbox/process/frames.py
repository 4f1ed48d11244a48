"""Frames on the socket between the server and a confined process: four bytes of length, then the body.

Both ends use this module; it imports nothing but the standard library, for the confined end must stay small.
"""

import json
import re
import socket
import struct
from typing import Any

MAX_FRAME = 1 << 20
"""The largest body in bytes; a longer one is treated as the death of the process that sent it."""

_LENGTH = struct.Struct("<I")
_ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}>")


class FrameTooLargeError(Exception):
    """A body is longer than `MAX_FRAME`; carries its length in bytes."""

    def __init__(self, length: int) -> None:
        super().__init__(f"a frame of {length} bytes")
        self.length = length


def pack(body: bytes) -> bytes:
    """A body with its length in front.

    Raises:
        FrameTooLargeError: the body is longer than `MAX_FRAME`.
    """
    if len(body) > MAX_FRAME:
        raise FrameTooLargeError(len(body))
    return _LENGTH.pack(len(body)) + body


class FrameReader:
    """Cuts a stream of bytes into bodies."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Takes what arrived and returns the bodies that are complete.

        Raises:
            FrameTooLargeError: a length beyond `MAX_FRAME` was announced; nothing of it is kept.
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
    """The confined end: blocking, one message at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader = FrameReader()
        self._ready: list[bytes] = []

    def receive(self) -> bytes:
        """The next body.

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
        """The next body, decoded from JSON."""
        return json.loads(self.receive())

    def send_message(self, message: Any) -> None:
        """Sends a message as JSON, without the addresses that Python shows of functions and the like.

        Raises:
            FrameTooLargeError, TypeError, ValueError, RecursionError: it cannot be carried; nothing was sent.
        """
        body = json.dumps(message, allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_plain)
        if " at 0x" in body:
            body = _ADDRESS.sub(">", body)
        self._connection.sendall(pack(body.encode()))


def _plain(value: Any) -> Any:
    """Sets have no order of their own: they leave as sorted lists, the same in every run."""
    if isinstance(value, set | frozenset):
        try:
            return sorted(value)
        except TypeError:
            return sorted(value, key=repr)
    raise TypeError(f"{type(value).__name__} is not JSON data")
