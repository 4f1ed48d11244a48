"""Sends requests from the control plane to the servers on the nodes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote

import anyio
import httpx2

from codegym_mcp.errors import CodegymError, ConnectionFailedError
from codegym_mcp.server.nodes.node_directory import NodeDirectory, NodeServer

_CONNECT_SECONDS = 5.0
_SECONDS = 300.0
"""How long a response may take: an episode is opened after its task was generated."""
_KEEP_ALIVE_SECONDS = 2.0
"""How long an unused connection is kept: servers keep it longer, so that none closes it as it is used."""
_HEALTH_SECONDS = 5.0
_COUNT_PAUSE = 1.0
"""Seconds between two counts of the open episodes of all servers."""


class NodeRequests:
    """Requests to the servers of a directory. Use `NodeRequests.open`."""

    def __init__(self, directory: NodeDirectory, http: httpx2.AsyncClient) -> None:
        self._directory = directory
        self._http = http

    @classmethod
    @asynccontextmanager
    async def open(cls, directory: NodeDirectory) -> AsyncIterator["NodeRequests"]:
        """Opens the client, and counts the open episodes of the servers until the block is left."""
        async with httpx2.AsyncClient(
            headers={"authorization": f"Bearer {directory.token}"},
            timeout=httpx2.Timeout(_SECONDS, connect=_CONNECT_SECONDS),
            limits=httpx2.Limits(max_connections=None, keepalive_expiry=_KEEP_ALIVE_SECONDS),
            # A proxy for the Internet does not lead to the nodes.
            trust_env=False,
        ) as http:
            requests = cls(directory, http)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(requests._keep_counts)
                yield requests
                tasks.cancel_scope.cancel()

    async def send(
        self,
        server: NodeServer,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = _SECONDS,
    ) -> httpx2.Response:
        """Sends a request to a server and returns its response, whatever its status is.

        Raises:
            ConnectionFailedError: no server runs there, or it does not answer.
        """
        if server.url is None:
            raise ConnectionFailedError(f"No server runs on the node {server.name}.", hint="Try again later.")
        try:
            return await self._http.request(
                method,
                f"{server.url}{path}",
                content=content,
                headers=dict(headers or {}),
                timeout=httpx2.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS)),
            )
        except httpx2.HTTPError as error:
            raise ConnectionFailedError(
                f"The server on the node {server.name} does not answer: {type(error).__name__}.",
                hint="Try again; a node that was lost is noticed after some seconds.",
            ) from None

    async def send_to_all(self, path: str) -> dict[NodeServer, httpx2.Response]:
        """Sends a GET request to each running server and returns the responses.

        Raises:
            ConnectionFailedError: a server does not answer.
        """
        responses: dict[NodeServer, httpx2.Response] = {}
        servers = self._directory.running

        async def ask(server: NodeServer) -> None:
            try:
                responses[server] = await self.send(server, "GET", path)
            except ConnectionFailedError:
                # One that was found to be lost meanwhile has nothing to add.
                if server.url is not None:
                    raise

        try:
            async with anyio.create_task_group() as tasks:
                for server in servers:
                    tasks.start_soon(ask, server)
        except* CodegymError as group:
            raise group.exceptions[0] from None
        return {server: responses[server] for server in servers if server in responses}

    async def find(self, episode: str) -> NodeServer | None:
        """Returns the server that holds an episode, or None if no server knows it.

        Servers are asked about an episode that was opened before this process was started.

        Raises:
            ConnectionFailedError: a server does not answer.
        """
        known = self._directory.server_of(episode)
        if known is not None:
            return known
        for server, response in (await self.send_to_all(f"/episodes/{quote(episode)}")).items():
            if response.status_code == 200:
                self._directory.assign(episode, server)
                return server
        return self._directory.server_of(episode)

    async def _keep_counts(self) -> None:
        while True:
            async with anyio.create_task_group() as tasks:
                for server in self._directory.running:
                    tasks.start_soon(self._count, server)
            await anyio.sleep(_COUNT_PAUSE)

    async def _count(self, server: NodeServer) -> None:
        try:
            response = await self.send(server, "GET", "/health", seconds=_HEALTH_SECONDS)
            server.open_episodes = int(response.json()["open_episodes"])
        except (ConnectionFailedError, ValueError, KeyError):
            # The count of before is kept: the server is busy, or will be found to be lost.
            return
