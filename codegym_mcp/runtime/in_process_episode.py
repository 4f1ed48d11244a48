"""An episode of this process as the Python API holds it."""

from collections.abc import Sequence
from typing import Any

from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import CallResult, TaskView, ToolView
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_outcome import EpisodeState, Verdict
from codegym_mcp.episodes.events import Event


class InProcessEpisode:
    """Implements `EpisodeBackend` over an episode of an episode manager."""

    mcp_url: str | None = None

    def __init__(self, episodes: EpisodeManager, episode: Episode) -> None:
        self._episodes = episodes
        self._episode = episode
        self.id: str = episode.id
        self.task: TaskView = episode.task
        self.tools: Sequence[ToolView] = episode.tools
        self.submission: ToolView = episode.submission
        self.limits: Limits = episode.settings.limits

    @property
    def state(self) -> EpisodeState:
        return self._episode.state

    @property
    def calls(self) -> int:
        return self._episode.calls

    @property
    def verdict(self) -> Verdict | None:
        return self._episode.verdict

    @property
    def reason(self) -> str:
        return self._episode.reason

    async def call(self, name: str, arguments: dict[str, Any]) -> CallResult:
        return await self._episode.call(name, arguments)

    async def submit(self, answer: Any = None) -> CallResult:
        return await self._episode.submit(answer)

    async def events(self) -> list[Event]:
        return await self._episode.events()

    async def close(self, state: EpisodeState, reason: str) -> None:
        await self._episode.close(reason, state=state)
        self._episodes.forget(self._episode)
