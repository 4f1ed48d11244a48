"""The one episode that `codegym-mcp serve ENVIRONMENT` serves, over stdio or HTTP."""

from dataclasses import dataclass

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_settings import EpisodeSettings


@dataclass(frozen=True)
class ServedEpisode:
    """The one episode of a server.

    Attributes:
        environment: the environment.
        task: the id of a fixed task; see `EpisodeManager.open_task`.
        difficulty: the difficulty of a generated task.
        seed: the seed of a generated task.
        settings: the settings of the episode.
    """

    environment: Environment
    task: str | None
    difficulty: int | None
    seed: int | None
    settings: EpisodeSettings

    async def open(self, episodes: EpisodeManager, *, key: str | None = None) -> Episode:
        """Opens the episode.

        Args:
            key: see `EpisodeManager.open`.
        """
        return await episodes.open_task(
            self.environment,
            task=self.task,
            difficulty=self.difficulty,
            seed=self.seed,
            settings=self.settings,
            key=key,
        )
