"""Clients of a server elsewhere: `Client` blocks, `AsyncClient` is awaited. Both hold episodes."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

from pydantic import ValidationError

from codegym_harness.clients.control_client import ControlClient
from codegym_harness.clients.remote_episode import RemoteEpisode
from codegym_mcp.control_plane_messages import OpenRequest
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import ClosedError, TaskError
from codegym_mcp.runtime.async_episode import AsyncEpisode
from codegym_mcp.runtime.blocking_episode import Episode
from codegym_mcp.runtime.current_loop import call_directly, start_on
from codegym_mcp.runtime.loop_thread import LoopThread
from codegym_mcp.runtime.process_lifetime import register
from codegym_mcp.runtime.task_owned_context_manager import HeldContext
from codegym_mcp.validation_messages import first_fault

T = TypeVar("T")


class AsyncClient:
    """Opens episodes on a server, on the caller's event loop. Use it with `async with`.

    Args:
        url: the address of the server, without a path: "http://127.0.0.1:8000".
        token: the control plane's bearer token.
        patience: how many seconds a server that is lost is awaited, for example while it restarts.
    """

    def __init__(self, url: str, *, token: str | None = None, patience: float = 0.0) -> None:
        self._patience = patience
        self._held = HeldContext(ControlClient.connect(url, token or "", patience=patience))
        self._control: ControlClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def environments(self) -> list[EnvironmentInfo]:
        """Returns the environments that the server offers.

        Raises:
            ConnectionFailedError: the server cannot be reached, or refuses.
            ClosedError: the client is closed.
        """
        return await (await self.start()).environments()

    async def open_episode(
        self,
        environment: str,
        *,
        task: str | None = None,
        difficulty: int | None = None,
        seed: int | None = None,
        limits: Limits | None = None,
        key: str | None = None,
    ) -> AsyncEpisode:
        """Opens an episode on the server; its `mcp_url` is where an MCP client plays it.

        Args:
            environment: its name on the server.
            task: the id of a fixed task.
            difficulty: generates a task of this difficulty (1 to 5) instead.
            seed: chooses among the generated tasks; 0 without it.
            limits: the limits of the episode.
            key: idempotency key: a second opening with the same key returns the same episode.

        Raises:
            NotFoundError: the environment or the task does not exist.
            TaskError: the choice of the task is contradictory.
            LimitError: too many episodes are open on the server.
            ConnectionFailedError: the server cannot be reached, or refuses.
            ClosedError: the client is closed.
        """
        backend = await self.open_backend(
            environment, task=task, difficulty=difficulty, seed=seed, limits=limits, key=key
        )
        return AsyncEpisode(backend, call_directly, self._notify)

    async def open_backend(
        self,
        environment: str,
        *,
        task: str | None,
        difficulty: int | None,
        seed: int | None,
        limits: Limits | None,
        key: str | None,
    ) -> RemoteEpisode:
        """Opens an episode for a handle of another kind; see `open_episode`."""
        try:
            request = OpenRequest(
                environment=environment,
                task=task,
                difficulty=difficulty,
                seed=seed,
                limits=limits or Limits(),
                request_key=key,
            )
        except ValidationError as error:
            raise TaskError(f"The episode cannot be requested: {first_fault(error)}.") from None
        return await RemoteEpisode.open(await self.start(), request, patience=self._patience)

    async def start(self) -> ControlClient:
        """Returns the client of the control plane; asks nothing of the server yet.

        Raises:
            ClosedError: the client is closed.
        """
        if self._closed:
            raise ClosedError("The client is closed.", hint="Open a new one.")
        if self._control is None:
            self._loop = asyncio.get_running_loop()
            self._control = await self._held.enter()
        return self._control

    async def close(self) -> None:
        """Closes the connections. Episodes that are open stay open on the server."""
        self._closed = True
        await self._held.leave()

    def _notify(self, action: Callable[[], Awaitable[object]]) -> bool:
        return not self._closed and start_on(self._loop, action)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Client:
    """Opens episodes on a server. Use it with `with`, or call `close` at the end. Any thread may use it.

    Args:
        url: the address of the server, without a path: "http://127.0.0.1:8000".
        token: the control plane's bearer token.
        patience: how many seconds a server that is lost is awaited, for example while it restarts.

    Example:
        with codegym_mcp.Client("http://127.0.0.1:8000", token=token) as client:
            with client.open_episode("night_courier", difficulty=1) as episode:
                my_mcp_agent(episode.mcp_url)
        print(episode.verdict)
    """

    def __init__(self, url: str, *, token: str | None = None, patience: float = 0.0) -> None:
        self.async_client = AsyncClient(url, token=token, patience=patience)
        self.thread = LoopThread("client", self._serve)
        register(self)

    def environments(self) -> list[EnvironmentInfo]:
        """Returns the environments that the server offers.

        Raises:
            ConnectionFailedError: the server cannot be reached, or refuses.
            ClosedError: the client is closed.
        """
        return self.thread.run(self.async_client.environments)

    def open_episode(
        self,
        environment: str,
        *,
        task: str | None = None,
        difficulty: int | None = None,
        seed: int | None = None,
        limits: Limits | None = None,
        key: str | None = None,
    ) -> Episode:
        """Opens an episode on the server; its `mcp_url` is where an MCP client plays it.

        Args:
            environment: its name on the server.
            task: the id of a fixed task.
            difficulty: generates a task of this difficulty (1 to 5) instead.
            seed: chooses among the generated tasks; 0 without it.
            limits: the limits of the episode.
            key: idempotency key: a second opening with the same key returns the same episode.

        Raises:
            NotFoundError: the environment or the task does not exist.
            TaskError: the choice of the task is contradictory.
            LimitError: too many episodes are open on the server.
            ConnectionFailedError: the server cannot be reached, or refuses.
            ClosedError: the client is closed.
        """
        backend = self.thread.run(
            lambda: self.async_client.open_backend(
                environment, task=task, difficulty=difficulty, seed=seed, limits=limits, key=key
            )
        )
        return Episode(backend, self.thread)

    def close(self) -> None:
        """Closes the connections. Episodes that are open stay open on the server."""
        self.thread.close()

    def abandon(self) -> None:
        """Releases what the parent process holds, in a forked child."""
        self.thread.abandon()

    async def _serve(self, announce: Callable[[], None], stop: asyncio.Event) -> None:
        announce()
        await stop.wait()
        await self.async_client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
