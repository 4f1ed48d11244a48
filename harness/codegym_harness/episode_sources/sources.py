"""Where the episodes of a run come from: a server of ours, this process, or any other MCP server.

Those of a process beside this one are in `hosted`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

import anyio
from pydantic import BaseModel, ConfigDict, Field

from codegym_harness.clients.control_client import ControlClient
from codegym_harness.clients.mcp_client import Target, connect
from codegym_harness.records.recorder import EpisodeAddress
from codegym_mcp.episode_interface import EpisodeProtocol
from codegym_mcp.episodes.episode import EpisodeSettings, EpisodeState
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.errors import CodegymError
from codegym_mcp.limits import Limits
from codegym_mcp.server.control_plane import EpisodeInfo, OpenRequest
from codegym_mcp.spec.environment import generated_id

_CLOSE_SECONDS = 5


class Assignment(BaseModel):
    """One episode that is to be played."""

    model_config = ConfigDict(frozen=True)

    environment: str
    task: str | None = None
    """The id of a fixed task; or else a difficulty and a seed."""
    difficulty: int | None = None
    seed: int = 0
    epoch: int = Field(default=1, ge=1)
    """The how-manieth attempt at the task."""

    @property
    def task_id(self) -> str:
        """The id of the task, also where it is yet to be generated."""
        if self.difficulty is not None:
            return generated_id(self.difficulty, self.seed)
        return self.task or "-"

    @property
    def key(self) -> str:
        """Names the assignment within its run."""
        return f"{self.environment}/{self.task_id}/{self.epoch}"

    def request(self, limits: Limits) -> OpenRequest:
        """What the control plane is asked for."""
        seed = self.seed if self.difficulty is not None else None
        return OpenRequest(
            environment=self.environment, task=self.task, difficulty=self.difficulty, seed=seed, limits=limits
        )


@dataclass(frozen=True)
class OpenEpisode:
    """An episode that is ready to be played.

    Attributes:
        id: names it in records.
        playable: what the agent plays.
        standing: asks how the episode stands; None where the server knows of no episodes.
        address: where a program plays it by itself; None where it cannot.
    """

    id: str
    playable: EpisodeProtocol
    standing: Callable[[], Awaitable[EpisodeInfo]] | None
    address: EpisodeAddress | None = None


class EpisodeSource(Protocol):
    """Opens episodes."""

    def open(self, assignment: Assignment) -> AbstractAsyncContextManager[OpenEpisode]:
        """An episode until the block is left.

        Raises:
            CodegymError: it cannot be opened, or was lost while the block ran.
        """


class ServedEpisodes:
    """Episodes of a server of ours, opened over its control plane and played over MCP like any client.

    Args:
        patience: how many seconds the server is awaited when it is lost.
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
        opened = await self._control.open_episode(assignment.request(self._limits))
        left_open = True

        async def standing() -> EpisodeInfo:
            nonlocal left_open
            info = await self._control.episode(opened.id)
            left_open = info.state is EpisodeState.OPEN
            return info

        try:
            async with connect(opened.mcp_url, patience=self._patience) as connection:
                address = EpisodeAddress(
                    opened.mcp_url, connection.instructions, lambda: self._control.events(opened.id)
                )
                yield OpenEpisode(opened.id, connection, standing, address)
        finally:
            if left_open:
                await self._close(opened.id)

    async def _close(self, episode_id: str) -> None:
        """Gives an episode up, also in a run that is being cancelled; the server may have gone."""
        with anyio.move_on_after(_CLOSE_SECONDS, shield=True), suppress(CodegymError):
            await self._control.close(episode_id)


class LocalEpisodes:
    """Episodes in this process, played without any protocol between."""

    def __init__(self, episodes: EpisodeManager, limits: Limits | None = None) -> None:
        self._episodes = episodes
        self._settings = EpisodeSettings(limits=limits or Limits())

    @asynccontextmanager
    async def open(self, assignment: Assignment) -> AsyncIterator[OpenEpisode]:
        environment = self._episodes.catalog.get(assignment.environment)
        request = assignment.request(self._settings.limits)
        task = await self._episodes.find_task(environment, request.task, request.difficulty, request.seed)
        episode = await self._episodes.open(environment, task, self._settings)

        async def standing() -> EpisodeInfo:
            return EpisodeInfo.of(episode)

        try:
            yield OpenEpisode(episode.id, episode, standing)
        finally:
            with anyio.CancelScope(shield=True):
                await episode.close("Whoever played it has left.")


class ForeignEpisodes:
    """Connections to a server that is not ours: its tools are played and recorded, nothing is scored."""

    def __init__(self, target: Target, *, prompt: str = "", mode: str = "auto") -> None:
        self._target = target
        self._prompt = prompt
        self._mode = mode

    @asynccontextmanager
    async def open(self, assignment: Assignment) -> AsyncIterator[OpenEpisode]:
        async with connect(self._target, prompt=self._prompt, mode=self._mode) as connection:
            yield OpenEpisode(assignment.key, connection, None)
