"""One episode over stdin and stdout: the process is the episode."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any, cast

import anyio
from mcp.server.stdio import stdio_server

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.server.mcp_episode import EpisodeMcpServer

_CHUNK = 1 << 16
_CHUNKS_AHEAD = 4


async def serve_stdio(episode: Episode) -> None:
    """Serves an episode until the client closes stdin or the process is told to stop (SIGINT, SIGTERM).

    A call that is under way then is finished and recorded; its reply may be lost.
    """
    server = EpisodeMcpServer.of(episode).server
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_cancel_on_signal, tasks.cancel_scope)
        # Of the file that the SDK asks for, it uses nothing but the lines.
        stdin = cast(Any, _lines(sys.stdin.fileno()))
        async with stdio_server(stdin=stdin) as (read, write):
            await server.run(read, write, server.create_initialization_options())
        tasks.cancel_scope.cancel()


async def _cancel_on_signal(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()
            return


async def _lines(descriptor: int) -> AsyncIterator[str]:
    """The lines of a descriptor.

    The SDK's own reader waits in a thread that cannot be told to stop, and the process would wait for it.
    This thread ends with the process, and reads the bare descriptor, so that it holds nothing when it does.
    """
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[bytes] = asyncio.Queue()
    room = threading.Semaphore(_CHUNKS_AHEAD)

    def read() -> None:
        chunk = b" "
        # A loop that is closed takes no more.
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
            yield (bytes(rest) + line).decode(errors="replace")
            rest.clear()
        rest += last
    if rest:
        yield rest.decode(errors="replace")
