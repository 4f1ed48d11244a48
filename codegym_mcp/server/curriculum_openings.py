"""Opens episodes at the difficulty that a curriculum chooses.

The curriculum holds the ids of the episodes. Their verdicts are read when the next episode of the environment
is opened, so that nothing has to happen when an episode ends, and nothing is lost when the server stops.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from codegym_mcp.control_plane_messages import AdaptiveOpenRequest, EpisodeInfo
from codegym_mcp.curriculum.curriculum_file import CurriculumStore
from codegym_mcp.curriculum.difficulty_rule import LOWEST
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.errors import ConnectionFailedError, JournalError, NotFoundError, SourceError

FindEpisode = Callable[[str], Awaitable[EpisodeInfo | None]]
"""Returns the episode with an id, or None if it can no longer be read."""


class AdaptiveOpenings:
    """Opens episodes and keeps the groups to which they belong."""

    def __init__(
        self,
        episodes: EpisodeManager,
        curriculum: CurriculumStore,
        find_episode: FindEpisode | None = None,
    ) -> None:
        """
        Args:
            find_episode: finds the episodes of a curriculum that several processes share; without it, all are
                episodes of this process.
        """
        self._episodes = episodes
        self._curriculum = curriculum
        self._find_episode = find_episode or self._find_own

    async def open(self, request: AdaptiveOpenRequest, settings: EpisodeSettings) -> Episode:
        """Opens an episode.

        Raises:
            CodegymError: the curriculum cannot be read or written, or see `EpisodeManager.open_task`.
        """
        name = self._episodes.catalog.get(request.environment).name
        earlier = self._difficulty_of_repeated(request)
        difficulty = earlier if earlier is not None else await self._choose(name, request.seed)
        episode = await self._episodes.open_task(
            name, difficulty=difficulty, seed=request.seed, settings=settings, key=request.request_key
        )
        if earlier is not None:
            return episode
        with self._curriculum.change() as curriculum:
            progress = curriculum.progress(name, self._curriculum.rule)
            progress.begin(request.seed, difficulty, episode.id)
        return episode

    def difficulties(self) -> dict[str, int]:
        """Returns the difficulty of each environment that a request has opened so, by name."""
        return {name: progress.difficulty for name, progress in self._curriculum.read().environments.items()}

    def _difficulty_of_repeated(self, request: AdaptiveOpenRequest) -> int | None:
        """Returns the difficulty of the episode that the same request has opened, or None if it is new."""
        if request.request_key is not None:
            with suppress(NotFoundError):
                return self._episodes.by_key(request.request_key).full_task.difficulty or LOWEST
        return None

    async def _choose(self, name: str, seed: int) -> int:
        """Records the episodes that have ended, and chooses. Those that cannot be read are not scored."""
        known = self._curriculum.read().environments.get(name)
        found: dict[str, EpisodeInfo | None] = {}
        for _, episode_id in [*known.unsettled()] if known is not None else []:
            # An episode of a process that does not answer now is settled later.
            with suppress(ConnectionFailedError):
                found[episode_id] = await self._find_episode(episode_id)
        with self._curriculum.change() as curriculum:
            progress = curriculum.progress(name, self._curriculum.rule)
            for group, episode_id in [*progress.unsettled()]:
                if episode_id in found:
                    info = found[episode_id]
                    if info is None or info.state is not EpisodeState.OPEN:
                        progress.settle(group, episode_id, info.reward if info is not None else None)
            return progress.choose(seed, self._curriculum.rule)

    async def _find_own(self, episode_id: str) -> EpisodeInfo | None:
        try:
            return EpisodeInfo.of(self._episodes.by_id(episode_id))
        except (NotFoundError, JournalError, SourceError):
            return None
