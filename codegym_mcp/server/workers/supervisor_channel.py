"""The channel between the supervisor process and a worker: short messages, and connections of clients.

A connection is passed as a descriptor, together with the request that was read from it. From then on the
other process reads from the client and writes to it; nothing is copied in between.
"""

import asyncio
import os
import socket
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import NamedTuple

CONTROL_PROCESS = 0xFFFF
"""The target of a connection that the supervisor process serves."""

_HEAD = struct.Struct("<IBH")
_READ_BYTES = 1 << 16
_ANCILLARY_BYTES = socket.CMSG_SPACE(16 * struct.calcsize("i")) if hasattr(socket, "CMSG_SPACE") else 0


class MessageKind(IntEnum):
    """What a message is."""

    READY = 1
    """The worker serves its episodes."""
    FAILED = 2
    """The worker cannot start; the content says why."""
    CONNECTION = 3
    """A connection of a client; the content is the request that was read from it."""


class ChannelMessage(NamedTuple):
    """A message, and the connection that came with it."""

    kind: MessageKind
    content: bytes = b""
    target: int = 0
    """The worker that is to serve the connection, or `CONTROL_PROCESS`."""
    connection: socket.socket | None = None


class WorkerChannel:
    """One end of a channel, on the running event loop.

    Attributes:
        closed: whether the other end has ended, or this end was closed.
    """

    def __init__(
        self,
        end: socket.socket,
        receive: Callable[[ChannelMessage], object],
        on_end: Callable[[], object],
    ) -> None:
        """
        Args:
            end: a Unix stream socket; this object closes it.
            receive: called with each message; it owns the connection.
            on_end: called once, when the other end has ended.
        """
        self.closed = False
        self._end = end
        self._receive = receive
        self._on_end = on_end
        self._unsent: deque[tuple[memoryview, int | None]] = deque()
        self._buffer = bytearray()
        self._descriptors: deque[int] = deque()
        self._loop = asyncio.get_running_loop()
        end.setblocking(False)
        self._loop.add_reader(end, self._read)

    @property
    def unsent(self) -> int:
        """The number of messages that the other end has not received."""
        return len(self._unsent)

    def send(self, kind: MessageKind, content: bytes = b"") -> None:
        """Sends a message without a connection; it is dropped if the channel is closed."""
        self._put(_HEAD.pack(len(content), kind, 0) + content, None)

    def send_connection(self, descriptor: int, request: bytes, target: int) -> None:
        """Sends a connection, and closes this process's descriptor of it.

        A client whose connection is sent to a process that has ended sees it closed.
        """
        self._put(_HEAD.pack(len(request), MessageKind.CONNECTION, target) + request, descriptor)

    def close(self) -> None:
        """Closes this end, and the connections that were not sent or not received."""
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._end)
        self._loop.remove_writer(self._end)
        self._end.close()
        for _, descriptor in self._unsent:
            _close(descriptor)
        for descriptor in self._descriptors:
            _close(descriptor)
        self._unsent.clear()
        self._descriptors.clear()

    # --- sending

    def _put(self, data: bytes, descriptor: int | None) -> None:
        if self.closed:
            _close(descriptor)
            return
        self._unsent.append((memoryview(data), descriptor))
        if len(self._unsent) == 1:
            self._write()

    def _write(self) -> None:
        while self._unsent:
            data, descriptor = self._unsent[0]
            try:
                if descriptor is not None:
                    sent = socket.send_fds(self._end, [data], [descriptor])
                else:
                    sent = self._end.send(data)
            except BlockingIOError:
                self._loop.add_writer(self._end, self._write)
                return
            except OSError:
                self._finish()
                return
            # The descriptor went with the first bytes.
            _close(descriptor)
            if sent < len(data):
                self._unsent[0] = (data[sent:], None)
            else:
                self._unsent.popleft()
        self._loop.remove_writer(self._end)

    # --- receiving

    def _read(self) -> None:
        try:
            data, descriptors, flags, _ = socket.recv_fds(self._end, _READ_BYTES, 16)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors, flags = b"", [], 0
        self._descriptors.extend(descriptors)
        if flags & socket.MSG_CTRUNC and not descriptors:
            # This process has too many open files: the connection is lost, and the next ones are in place.
            self._descriptors.append(-1)
        if not data:
            self._finish()
            return
        self._buffer += data
        while not self.closed and len(self._buffer) >= _HEAD.size:
            length, kind, target = _HEAD.unpack_from(self._buffer)
            end = _HEAD.size + length
            if len(self._buffer) < end:
                return
            content = bytes(self._buffer[_HEAD.size : end])
            del self._buffer[:end]
            self._dispatch(MessageKind(kind), content, target)

    def _dispatch(self, kind: MessageKind, content: bytes, target: int) -> None:
        if kind is not MessageKind.CONNECTION:
            self._receive(ChannelMessage(kind, content))
            return
        descriptor = self._descriptors.popleft()
        if descriptor >= 0:
            self._receive(ChannelMessage(kind, content, target, socket.socket(fileno=descriptor)))

    def _finish(self) -> None:
        if not self.closed:
            self.close()
            self._on_end()


def _close(descriptor: int | None) -> None:
    if descriptor is not None and descriptor >= 0:
        with suppress(OSError):
            os.close(descriptor)
