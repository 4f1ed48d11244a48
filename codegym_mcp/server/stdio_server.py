"""An MCP server over stdin and stdout: one episode, or the gateway."""

import asyncio
import contextlib
import os
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.lowlevel.server import Server
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

from codegym_mcp.json_line_escapes import json_line
from codegym_mcp.server.json_rpc import Rejection, check_message
from codegym_mcp.server.stop_signals import receive_stop_signals

MAX_LINE = 8 << 20
"""The longest line that is read, in bytes."""

_CHUNK = 1 << 16
_LAST_SECONDS = 10.0
"""Longest wait for the answers to requests that came before the end of stdin."""
_CHUNKS_AHEAD = 4


async def serve_stdio(server: Server[Any]) -> None:
    """Serves until the client closes stdin or the process is told to stop (SIGINT, SIGTERM).

    A call in progress is then finished and recorded; its response may be lost.
    """
    to_server, from_client = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    to_client, from_server = anyio.create_memory_object_stream[SessionMessage](0)
    with _own_standard_streams() as (stdin, stdout):
        output = _Output(stdout)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_cancel_on_signal, tasks.cancel_scope)
            tasks.start_soon(_read_messages, stdin, to_server, output)
            tasks.start_soon(_write_messages, from_server, output)
            await server.run(from_client, to_client, server.create_initialization_options())
            tasks.cancel_scope.cancel()


@contextmanager
def _own_standard_streams() -> Iterator[tuple[int, int]]:
    """Keeps stdin and stdout for the protocol until the block is left.

    Meanwhile whatever else reads stdin finds it empty, and whatever else writes to stdout writes to stderr.

    Yields:
        The descriptors of the client's messages and of the server's.
    """
    stdin, stdout = os.dup(0), os.dup(1)
    try:
        sys.stdout.flush()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        yield stdin, stdout
    finally:
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)
        # The reading thread may still wait at `stdin`, so its number must not be used for another file.
        os.close(stdout)


class _Output:
    """The client's end of stdout, to which one message at a time is written.

    Attributes:
        awaited: the ids of requests that are not answered yet.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = anyio.Lock()
        self._written = anyio.Condition(self._lock)
        self.awaited: Counter[types.RequestId] = Counter()

    async def write(self, message: types.JSONRPCMessage) -> None:
        """Writes a message as one line. A client that has closed its end receives nothing."""
        line = json_line(_encode(message))
        async with self._lock:
            with contextlib.suppress(OSError):
                await anyio.to_thread.run_sync(self._write_all, line)
            if isinstance(message, types.JSONRPCResponse | types.JSONRPCError) and message.id is not None:
                self.awaited -= Counter([message.id])
            self._written.notify_all()

    async def answer_all(self) -> None:
        """Waits until every request is answered, but not for long: a cancelled one never is."""
        with anyio.move_on_after(_LAST_SECONDS):
            async with self._written:
                while self.awaited:
                    await self._written.wait()

    def _write_all(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]


def _encode(message: types.JSONRPCMessage) -> bytes:
    return message.model_dump_json(by_alias=True, exclude_unset=True).encode()


async def _read_messages(
    stdin: int, to_server: MemoryObjectSendStream[SessionMessage | Exception], output: _Output
) -> None:
    async with to_server:
        async for line in _read_lines(stdin):
            if not line.strip():
                continue
            checked = check_message(line)
            if isinstance(checked, Rejection):
                rejection = types.JSONRPCError(jsonrpc="2.0", id=checked.request_id, error=checked.error)
                await output.write(rejection)
                continue
            try:
                message = types.jsonrpc_message_adapter.validate_python(checked.data, by_name=False)
            except ValidationError:
                # A response that is none; the server sent no request that it could answer.
                continue
            if isinstance(message, types.JSONRPCRequest):
                output.awaited[message.id] += 1
            await to_server.send(SessionMessage(message))
        await output.answer_all()


async def _write_messages(from_server: MemoryObjectReceiveStream[SessionMessage], output: _Output) -> None:
    async with from_server:
        async for message in from_server:
            await output.write(message.message)


async def _cancel_on_signal(scope: anyio.CancelScope) -> None:
    with receive_stop_signals() as signals:
        async for _ in signals:
            scope.cancel()
            return


async def _read_lines(descriptor: int) -> AsyncIterator[bytes]:
    """Reads the lines of a descriptor; a line that is too long is cut.

    A thread that waits in `read` cannot be told to stop, and the process would wait for it. This one is a
    daemon that ends with the process.
    """
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[bytes] = asyncio.Queue()
    room = threading.Semaphore(_CHUNKS_AHEAD)

    def read() -> None:
        chunk = b" "
        # A closed event loop raises RuntimeError.
        with contextlib.suppress(RuntimeError):
            while chunk:
                room.acquire()
                try:
                    chunk = os.read(descriptor, _CHUNK)
                except OSError:
                    chunk = b""
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    rest = bytearray()
    while chunk := await chunks.get():
        room.release()
        *complete, last = chunk.split(b"\n")
        for line in complete:
            yield bytes(rest) + line
            rest.clear()
        if len(rest) <= MAX_LINE:
            rest += last
    if rest:
        yield bytes(rest)
