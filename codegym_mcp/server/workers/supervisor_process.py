"""The supervisor process of a server with workers: it accepts the connections, and watches the workers."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable

import anyio

from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.stop_signals import receive_stop_signals
from codegym_mcp.server.uvicorn_server import HttpServer, stop_on_signal
from codegym_mcp.server.workers.supervisor_application import make_supervisor_app
from codegym_mcp.server.workers.supervisor_channel import ChannelMessage
from codegym_mcp.server.workers.worker_supervisor import WorkerSupervisor


async def serve_with_workers(
    supervisor: WorkerSupervisor,
    options: HttpOptions,
    listener: socket.socket,
    *,
    host: str | None,
    ready: Callable[[], object],
) -> None:
    """Serves until the process is told to stop (SIGINT, SIGTERM); open calls are finished first.

    Args:
        options: the options of the server, as the workers have them.
        listener: a socket that listens.
        host: the address that it is bound to; None for a Unix socket.
        ready: called once when the server is about to answer.

    Raises:
        CodegymError: a worker does not start.
    """
    server = HttpServer.of(make_supervisor_app(supervisor, options, host=host))
    adopted: set[asyncio.Task[None]] = set()

    def receive(message: ChannelMessage) -> None:
        assert message.connection is not None
        task = asyncio.ensure_future(server.adopt(message.connection, message.content))
        adopted.add(task)
        task.add_done_callback(adopted.discard)

    def give_up() -> None:
        supervisor.stop()
        server.should_exit = True

    async def stop(signals: AsyncIterator[signal.Signals]) -> None:
        async def forward() -> AsyncIterator[signal.Signals]:
            async for number in signals:
                supervisor.stop()
                yield number

        await stop_on_signal(server, forward())

    with receive_stop_signals() as signals:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stop, signals)
            try:
                if await supervisor.start():
                    tasks.start_soon(supervisor.keep_running, receive, give_up)
                    ready()
                    await server.serve(sockets=[listener])
                    if supervisor.failure is not None:
                        raise supervisor.failure
            finally:
                await supervisor.close()
                tasks.cancel_scope.cancel()
