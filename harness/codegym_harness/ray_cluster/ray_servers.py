"""Keeps servers running on the nodes of a Ray cluster, also on those that join later."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count, islice

import anyio
import anyio.to_thread

from codegym_harness.ray_cluster.cluster_connection import connect_to_cluster
from codegym_harness.ray_cluster.node_server import NodeServerOptions, NodeServerReady, NodeServerService
from codegym_harness.ray_cluster.worker_handle import RayWorker
from codegym_mcp.errors import CodegymError, ConnectionFailedError, RemoteError
from codegym_mcp.server.nodes.node_directory import NodeDirectory, NodeServer
from codegym_mcp.server.uvicorn_server import GRACE_SECONDS

_WATCH_PAUSE = 1.0
"""Seconds between two looks at the nodes of the cluster."""
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
"""Pauses in seconds before a server is started again that could not be started."""
_PATIENCE_SECONDS = 120.0
"""How long the first server may take to start."""
_CLOSE_SECONDS = GRACE_SECONDS + 5.0


@dataclass(frozen=True)
class ClusterNode:
    """A node of the cluster that can run a server.

    Attributes:
        id: the id that Ray gave it.
        address: its address, as Ray knows it.
    """

    id: str
    address: str


@dataclass(frozen=True)
class KeptNode:
    """A node on which servers are kept running.

    Attributes:
        address: its address.
        places: where they run; none of them belongs to another node that is alive.
        scope: ends with the node.
    """

    address: str
    places: tuple[NodeServer, ...]
    scope: anyio.CancelScope


class RayServers:
    """Starts and watches the servers of a directory. Use `RayServers.start`."""

    def __init__(
        self,
        options: NodeServerOptions,
        directory: NodeDirectory,
        per_node: int,
        on_notice: Callable[[str], None],
    ) -> None:
        self._options = options
        self._directory = directory
        self._per_node = per_node
        self._on_notice = on_notice
        self._kept: dict[str, KeptNode] = {}
        """By the ids of the nodes that are alive."""
        self._stopping = False
        self._failures: dict[str, CodegymError] = {}
        """By the name of a place, why no server could be started there."""
        self._changed = anyio.Event()

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        address: str,
        options: NodeServerOptions,
        directory: NodeDirectory,
        *,
        per_node: int,
        on_notice: Callable[[str], None],
    ) -> AsyncIterator[None]:
        """Starts servers on all nodes and waits for the first one. They end when the block is left.

        Args:
            address: see `connect_to_cluster`.
            options: of the servers; the address and the data folder of each one follow from its node.
            directory: where the servers are entered.
            per_node: servers on each node.
            on_notice: called with a sentence about a node that cannot be used or was lost.

        Raises:
            RemoteError: no server can be opened on any node.
            ConnectionFailedError: the cluster cannot be used, or no server starts.
        """
        servers = cls(options, directory, per_node, on_notice)
        async with connect_to_cluster(address), anyio.create_task_group() as tasks:
            try:
                await servers._look_at_nodes(tasks)
                tasks.start_soon(servers._watch_nodes, tasks)
                await servers._wait_for_first()
                yield
            finally:
                servers._stopping = True
                tasks.cancel_scope.cancel()

    async def _watch_nodes(self, tasks: anyio.abc.TaskGroup) -> None:
        while True:
            await anyio.sleep(_WATCH_PAUSE)
            await self._look_at_nodes(tasks)

    async def _look_at_nodes(self, tasks: anyio.abc.TaskGroup) -> None:
        """Begins to keep servers on nodes that are new, and ends that on nodes that were lost."""
        nodes = await anyio.to_thread.run_sync(_list_nodes)
        for lost in self._kept.keys() - {node.id for node in nodes}:
            self._kept.pop(lost).scope.cancel()
        for node in nodes:
            if node.id not in self._kept and not self._may_replace_lost_node(node):
                kept = KeptNode(node.address, self._free_places(node), anyio.CancelScope())
                self._kept[node.id] = kept
                tasks.start_soon(self._keep_servers, node, kept)

    def _may_replace_lost_node(self, node: ClusterNode) -> bool:
        """Checks whether a node may have the journals of another one that Ray will only find to be lost.

        Once Ray has found that, the node gets the places of the other one, and their episodes continue.
        """
        return self._directory.keeps_episodes and any(
            place.url is None and place.losses > 0
            for kept in self._kept.values()
            if kept.address == node.address
            for place in kept.places
        )

    def _free_places(self, node: ClusterNode) -> tuple[NodeServer, ...]:
        """Returns places at a node's address: first those of nodes that were lost, then new ones."""
        taken = {place.name for kept in self._kept.values() for place in kept.places}
        names = (f"{node.address}-{number}" for number in count(1))
        free = islice((name for name in names if name not in taken), self._per_node)
        return tuple(self._directory.servers.setdefault(name, NodeServer(name)) for name in free)

    async def _keep_servers(self, node: ClusterNode, kept: KeptNode) -> None:
        """Keeps the servers of a node running until the node is lost."""
        with kept.scope:
            async with anyio.create_task_group() as tasks:
                for place in kept.places:
                    tasks.start_soon(self._keep_server, node, place)

    async def _keep_server(self, node: ClusterNode, place: NodeServer) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._run_server(node, place)
                pause = _FIRST_PAUSE
            except (RemoteError, ConnectionFailedError) as error:
                self._note_failure(place, error)
                await anyio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _run_server(self, node: ClusterNode, place: NodeServer) -> None:
        """Runs a server until it is lost.

        Raises:
            RemoteError, ConnectionFailedError: it cannot be started.
        """
        worker = RayWorker(node.id, close_seconds=_CLOSE_SECONDS)
        try:
            message = await worker.open(NodeServerService.open, self._options_of(node, place))
            self._failures.pop(place.name, None)
            place.open_episodes = 0
            place.url = NodeServerReady.model_validate(message).url
            self._announce()
            try:
                await worker.wait_until_lost()
            finally:
                place.url = None
                if not self._stopping:
                    place.losses += 1
                    self._on_notice(f"The server on the node {place.name} was lost. {self._fate_of_episodes}")
        finally:
            await worker.close()

    @property
    def _fate_of_episodes(self) -> str:
        if self._directory.keeps_episodes:
            return "Its episodes continue when a server runs there again."
        return "Its episodes are lost, since there is no --data; they are not scored."

    def _options_of(self, node: ClusterNode, place: NodeServer) -> NodeServerOptions:
        runtime = self._options.runtime
        if runtime.data is not None:
            runtime = replace(runtime, data=runtime.data / place.name)
        lost = place.losses > 0 and runtime.data is None
        return self._options.model_copy(
            update={"runtime": runtime, "host": node.address, "has_lost_episodes": lost}
        )

    def _note_failure(self, place: NodeServer, error: CodegymError) -> None:
        known = self._failures.get(place.name)
        self._failures[place.name] = error
        self._announce()
        if known is None or known.message != error.message:
            self._on_notice(f"No server can be started on the node {place.name}. {error} It is tried again.")

    async def _wait_for_first(self) -> None:
        """Waits until a server runs.

        Raises:
            RemoteError, ConnectionFailedError: none can be started, or none was started in time.
        """
        with anyio.move_on_after(_PATIENCE_SECONDS):
            while not self._directory.running:
                if self._directory.servers and self._failures.keys() >= self._directory.servers.keys():
                    raise next(iter(self._failures.values()))
                await self._changed.wait()
        if not self._directory.running:
            raise ConnectionFailedError(
                f"No server was ready on the Ray cluster within {_PATIENCE_SECONDS:.0f} seconds.",
                hint="Its processors may be in use by others; look at `ray status`.",
            )

    def _announce(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


def _list_nodes() -> list[ClusterNode]:
    """Returns the nodes that are alive and have processors.

    Raises:
        ConnectionFailedError: the head node does not answer.
    """
    import ray

    try:
        nodes = ray.nodes()
    except Exception as error:
        # Ray raises errors of several libraries here, which have no class in common.
        raise ConnectionFailedError(
            f"The head node of the Ray cluster does not answer any more: {error}",
            hint="Start the cluster and the server again; with --data the episodes continue.",
        ) from None
    return [
        ClusterNode(node["NodeID"], node["NodeManagerAddress"])
        for node in nodes
        if node["Alive"] and node["Resources"].get("CPU")
    ]
