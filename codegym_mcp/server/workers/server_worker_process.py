"""The process of a worker: a whole server of the episodes of its shard, without an address of its own.

Its connections come from the supervisor process, which accepts them, and go back to it if a request is about
an episode of another worker.
"""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial

import anyio
from starlette.middleware import Middleware

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.control_plane_messages import EpisodeInfo
from codegym_mcp.episodes.episode_shards import shard_of
from codegym_mcp.errors import CodegymError
from codegym_mcp.runtime.garbage_collector_settings import freeze_garbage_collection
from codegym_mcp.runtime.runtime_assembly import assemble
from codegym_mcp.server.http_application import ServerPart, make_app
from codegym_mcp.server.stop_signals import receive_stop_signals
from codegym_mcp.server.uvicorn_server import HttpServer, stop_on_signal
from codegym_mcp.server.workers.connection_handover import RoutedRequests
from codegym_mcp.server.workers.episode_owner import Owner, run_of_worker
from codegym_mcp.server.workers.new_episode_placement import EpisodePlacement
from codegym_mcp.server.workers.open_episode_table import OpenEpisodeTable, WorkerOpenEpisodes
from codegym_mcp.server.workers.requests_between_processes import request_worker
from codegym_mcp.server.workers.supervisor_channel import (
    CONTROL_PROCESS,
    ChannelMessage,
    MessageKind,
    WorkerChannel,
)
from codegym_mcp.server.workers.worker_settings import WorkerSettings

_LOST = (
    "A process of this server has ended, and the episodes that it held are lost: the server has no --data. "
    "They are not scored. Open a new one."
)


class WorkerRouter:
    """What a worker knows of the other processes. It is a `Router`."""

    is_worker = True

    def __init__(self, channel: WorkerChannel, placement: EpisodePlacement, worker: int) -> None:
        self._channel = channel
        self._placement = placement
        self._worker = worker

    def target(self, owner: str | int | Owner) -> int | None:
        """Returns the process that serves a request; see `Router.target`."""
        if owner is Owner.CONTROL_PROCESS:
            return CONTROL_PROCESS
        worker = self._placement.worker_of(owner, own=self._worker)
        return None if worker == self._worker else worker

    async def is_ready(self, target: int) -> bool:
        """Returns True: the supervisor process waits for a worker that is being started."""
        return True

    def send(self, target: int, descriptor: int, request: bytes) -> None:
        """Passes a connection to another process, by way of the supervisor process."""
        self._channel.send_connection(descriptor, request, target)


class Worker:
    """A worker on the running event loop."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._shard = settings.runtime.shard
        self._server: HttpServer | None = None
        self._adopted: set[asyncio.Task[None]] = set()
        self._channel = WorkerChannel(socket.socket(fileno=settings.channel), self._receive, self._orphaned)

    async def serve(self) -> None:
        """Serves until the process is told to stop (SIGTERM), or the supervisor process has ended."""
        try:
            with receive_stop_signals() as signals:
                await self._serve(signals)
        except CodegymError as error:
            self._channel.send(MessageKind.FAILED, str(error).encode())
            raise
        finally:
            self._channel.close()

    async def _serve(self, signals: AsyncIterator[signal.Signals]) -> None:
        settings, shard = self._settings, self._shard
        async with AsyncExitStack() as stack:
            table = OpenEpisodeTable(settings.table, shard.count, settings.runtime.open_limit)
            stack.callback(table.close)
            counts = WorkerOpenEpisodes(table, shard.index)
            catalog = Catalog.load(settings.paths)
            episodes = await stack.enter_async_context(
                assemble(catalog, settings.runtime, open_episodes=counts)
            )
            if settings.lost_episodes:
                episodes.missing_hint = _LOST
            router = WorkerRouter(self._channel, EpisodePlacement(table), shard.index)
            routing = Middleware(
                RoutedRequests,
                router=router,
                token=settings.http.token,
                protocols=settings.http.protocols,
            )
            part = ServerPart(
                routing, counts, run_of_worker(shard.index), shard.index + 1, self._find_episode
            )
            app = make_app(
                episodes,
                settings.http,
                host=settings.host,
                part=part,
                on_loaded=freeze_garbage_collection,
            )
            server = HttpServer.of(app)
            server.on_started = partial(self._channel.send, MessageKind.READY)
            self._server = server
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stop_on_signal, server, signals)
                await server.serve(sockets=[])
                tasks.cancel_scope.cancel()

    def _receive(self, message: ChannelMessage) -> None:
        if message.connection is None:
            return
        if self._server is None:
            message.connection.close()
            return
        adopted = asyncio.ensure_future(self._server.adopt(message.connection, message.content))
        self._adopted.add(adopted)
        adopted.add_done_callback(self._adopted.discard)

    def _orphaned(self) -> None:
        """Stops if the supervisor process has ended, where the system does not end its children."""
        os.kill(os.getpid(), signal.SIGTERM)

    async def _find_episode(self, episode_id: str) -> EpisodeInfo | None:
        """Returns an episode of any worker for the curriculum, or None if there is no such episode."""
        target = shard_of(episode_id, self._shard.count)
        status, body = await request_worker(
            lambda descriptor, request: self._channel.send_connection(descriptor, request, target),
            f"/episodes/{episode_id}",
            self._settings.http.token,
        )
        return EpisodeInfo.model_validate_json(body) if status == 200 else None


async def serve_worker(settings: WorkerSettings) -> None:
    """Serves the episodes of a worker; see `Worker.serve`."""
    await Worker(settings).serve()
