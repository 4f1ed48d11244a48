"""A limit on calls for episodes of servers that do not count them."""

from collections.abc import Sequence
from typing import Any

from codegym_mcp.episode_protocol import CallResult, CallStatus, EpisodeProtocol, TaskView, ToolView


class CallLimitedEpisode:
    """An `EpisodeProtocol` that is over when a call exceeds the limit. That call is not sent.

    Attributes:
        is_out_of_calls: whether a call exceeded the limit.
    """

    def __init__(self, episode: EpisodeProtocol, max_calls: int) -> None:
        self._episode = episode
        self._max_calls = max_calls
        self._calls = 0
        self.is_out_of_calls = False

    @property
    def task(self) -> TaskView:
        return self._episode.task

    @property
    def tools(self) -> Sequence[ToolView]:
        return self._episode.tools

    @property
    def submission(self) -> ToolView:
        return self._episode.submission

    async def call(self, name: str, arguments: dict[str, Any], /) -> CallResult:
        """Calls a tool, unless the calls are used up."""
        if self._calls >= self._max_calls:
            self.is_out_of_calls = True
            text = f"All {self._max_calls} calls are used up. The episode is over."
            return CallResult(text=text, status=CallStatus.OVER, over=True)
        self._calls += 1
        return await self._episode.call(name, arguments)

    async def submit(self, answer: Any = None, /) -> CallResult:
        """Submits the answer; see `EpisodeProtocol.submit`."""
        return await self._episode.submit(answer)
