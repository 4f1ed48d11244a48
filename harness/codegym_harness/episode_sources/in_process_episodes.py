"""Episodes of an episode manager in this process, played without a protocol."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from codegym_harness.episode_sources.episode_source import Assignment, OpenEpisode
from codegym_harness.records.trajectory import Transport
from codegym_mcp.control_plane_messages import EpisodeInfo, OpenRequest
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_settings import EpisodeSettings


async def open_episode(episodes: EpisodeManager, request: OpenRequest) -> Episode:
    """Opens the episode that a request names.

    Raises:
        CodegymError: see `EpisodeManager.open_task`.
    """
    return await episodes.open_task(
        request.environment,
        task=request.task,
        difficulty=request.difficulty,
        seed=request.seed,
        settings=EpisodeSettings(limits=request.limits),
    )


async def close_episode(episodes: EpisodeManager, episode: Episode) -> None:
    """Closes an episode that its agent has ended, and forgets it."""
    await episode.close("The agent has ended.")
    episodes.forget(episode)


class InProcessEpisodes:
    """Episodes of this process. It is an `EpisodeSource`."""

    def __init__(self, episodes: EpisodeManager, limits: Limits | None = None) -> None:
        self._episodes = episodes
        self._limits = limits or Limits()

    @asynccontextmanager
    async def open(self, assignment: Assignment) -> AsyncIterator[OpenEpisode]:
        """Opens an episode; see `EpisodeSource.open`."""
        episode = await open_episode(self._episodes, assignment.request(self._limits))

        async def read_status() -> EpisodeInfo:
            return EpisodeInfo.of(episode)

        try:
            yield OpenEpisode(episode.id, episode, Transport.DIRECT, read_status, self._limits.calls)
        finally:
            with anyio.CancelScope(shield=True):
                await close_episode(self._episodes, episode)
