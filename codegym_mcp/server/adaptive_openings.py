"""Opens episodes at the difficulty that a curriculum chooses.

The curriculum holds the ids of the episodes. Their verdicts are read when the next episode of the environment
is opened, so that nothing has to happen when an episode ends, and nothing is lost when the server stops.
"""

from contextlib import suppress

from codegym_mcp.control_plane_messages import AdaptiveOpenRequest
from codegym_mcp.curriculum.curriculum_file import CurriculumStore
from codegym_mcp.curriculum.difficulty_rule import LOWEST, EnvironmentProgress
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.errors import JournalError, NotFoundError, SourceError


class AdaptiveOpenings:
    """Opens episodes and keeps the groups to which they belong."""

    def __init__(self, episodes: EpisodeManager, curriculum: CurriculumStore) -> None:
        self._episodes = episodes
        self._curriculum = curriculum

    async def open(self, request: AdaptiveOpenRequest, settings: EpisodeSettings) -> Episode:
        """Opens an episode.

        Raises:
            CodegymError: the curriculum cannot be read or written, or see `EpisodeManager.open_task`.
        """
        name = self._episodes.catalog.get(request.environment).name
        earlier = self._difficulty_of_repeated(request)
        difficulty = earlier if earlier is not None else self._choose(name, request.seed)
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

    def _choose(self, name: str, seed: int) -> int:
        with self._curriculum.change() as curriculum:
            progress = curriculum.progress(name, self._curriculum.rule)
            self._settle(progress)
            return progress.choose(seed, self._curriculum.rule)

    def _settle(self, progress: EnvironmentProgress) -> None:
        """Records the episodes that have ended. Those that can no longer be read are not scored."""
        for seed, episode_id in [*progress.unsettled()]:
            reward = None
            with suppress(NotFoundError, JournalError, SourceError):
                episode = self._episodes.by_id(episode_id)
                if episode.state is EpisodeState.OPEN:
                    continue
                reward = episode.reward
            progress.settle(seed, episode_id, reward)
