"""Sources of episodes: a server of this project, this process, or any other MCP server.

Episodes of a worker process are in `worker_episodes`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

import anyio
from pydantic import Field

from codegym_harness.agents.agent_context import EpisodeAddress
from codegym_harness.clients.control_client import ControlClient
from codegym_harness.clients.mcp_client import Target, connect
from codegym_mcp.control_plane_messages import EpisodeInfo, EventInfo, OpenRequest
from codegym_mcp.episode_interface import EpisodeProtocol
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.errors import CodegymError
from codegym_mcp.spec.environment import generated_id
from codegym_mcp.task_reference import TaskReference

_CLOSE_SECONDS = 5


class Assignment(TaskReference):
    """One episode that is to be played."""

    epoch: int = Field(default=1, ge=1)
    """Number of the attempt at the task, starting at 1."""

    @property
    def task_id(self) -> str:
        """The id of the task, also of a generated task."""
        if self.difficulty is not None:
            return generated_id(self.difficulty, self.seed or 0)
        return self.task or "-"

    @property
    def key(self) -> str:
        """Identifies the assignment within its run."""
        return f"{self.environment}/{self.task_id}/{self.epoch}"

    def request(self, limits: Limits) -> OpenRequest:
        """Returns the request by which the control plane opens the episode."""
        return OpenRequest(**self.model_dump(exclude={"epoch"}), limits=limits)


@dataclass(frozen=True)
class OpenEpisode:
    """An episode that is ready to be played.

    Attributes:
        id: the id of the episode in records.
        episode: the episode as the agent plays it.
        read_status: reads the state and the verdict; None if the server has no episodes.
        max_calls: calls that the episode allows; None if the server has no such limit.
        address: where a program connects by itself; None if the episode has no address.
        read_events: reads the events of the episode; None if the server records none.
    """

    id: str
    episode: EpisodeProtocol
    read_status: Callable[[], Awaitable[EpisodeInfo]] | None
    max_calls: int | None = None
    address: EpisodeAddress | None = None
    read_events: Callable[[], Awaitable[list[EventInfo]]] | None = None


class EpisodeSource(Protocol):
    """Opens episodes."""

    def open(self, assignment: Assignment) -> AbstractAsyncContextManager[OpenEpisode]:
        """Opens an episode, which is closed when the block is left.

        Raises:
            CodegymError: the episode cannot be opened, or was lost while the block ran.
        """


class ServedEpisodes:
    """Episodes of a server, opened over its control plane and played over MCP as by any other client.

    Args:
        patience: seconds to wait for a server that was lost.
    """

    def __init__(
        self,
        control: ControlClient,
        limits: Limits | None = None,
        *,
        patience: float = 0.0,
    ) -> None:
        self._control = control
        self._patience = patience
        self._limits = limits or Limits()

    @asynccontextmanager
    async def open(self, assignment: Assignment) -> AsyncIterator[OpenEpisode]:
        """Opens an episode; see `EpisodeSource.open`."""
        opened = await self._control.open_episode(assignment.request(self._limits))
        is_open = True

        async def read_status() -> EpisodeInfo:
            nonlocal is_open
            info = await self._control.episode(opened.id)
            is_open = info.state is EpisodeState.OPEN
            return info

        try:
            socket_path = self._control.socket_path
            async with connect(
                opened.mcp_url, patience=self._patience, socket_path=socket_path
            ) as connection:
                yield OpenEpisode(
                    opened.id,
                    connection,
                    read_status,
                    self._limits.calls,
                    EpisodeAddress(opened.mcp_url, connection.instructions, socket_path),
                    lambda: self._control.events(opened.id),
                )
        finally:
            if is_open:
                await self._close(opened.id)

    async def _close(self, episode_id: str) -> None:
        """Closes an episode, also in a run that is being cancelled. The server may no longer run."""
        with anyio.move_on_after(_CLOSE_SECONDS, shield=True), suppress(CodegymError):
            await self._control.close(episode_id)


class LocalEpisodes:
    """Episodes in this process, played without a protocol."""

    def __init__(self, episodes: EpisodeManager, limits: Limits | None = None) -> None:
        self._episodes = episodes
        self._settings = EpisodeSettings(limits=limits or Limits())

    @asynccontextmanager
    async def open(self, assignment: Assignment) -> AsyncIterator[OpenEpisode]:
        """Opens an episode; see `EpisodeSource.open`."""
        request = assignment.request(self._settings.limits)
        episode = await self._episodes.open_task(
            request.environment,
            task=request.task,
            difficulty=request.difficulty,
            seed=request.seed,
            settings=self._settings,
        )

        async def read_status() -> EpisodeInfo:
            return EpisodeInfo.of(episode)

        try:
            yield OpenEpisode(episode.id, episode, read_status, self._settings.limits.calls)
        finally:
            with anyio.CancelScope(shield=True):
                await episode.close("The agent has ended.")


class ForeignEpisodes:
    """Connections to another MCP server: its tools are played and recorded, and nothing is scored."""

    def __init__(self, target: Target, *, prompt: str = "", mode: str = "auto") -> None:
        self._target = target
        self._prompt = prompt
        self._mode = mode

    @asynccontextmanager
    async def open(self, assignment: Assignment) -> AsyncIterator[OpenEpisode]:
        """Connects to the server; see `EpisodeSource.open`."""
        async with connect(self._target, prompt=self._prompt, mode=self._mode) as connection:
            yield OpenEpisode(assignment.key, connection, None)
