"""The episodes that each client of the gateway has open, and how many are being opened at a time."""

import os
from collections import Counter
from collections.abc import Awaitable, Callable

import anyio

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.errors import LimitError


class CallerEpisodes:
    """Opens episodes within the limit of each caller.

    An opening occupies a processor: it starts a process and may generate a task. As many as there are
    processors run at a time, so that callers which open many episodes do not delay the calls of others.
    """

    def __init__(self, limit: int) -> None:
        """
        Args:
            limit: episodes that one caller may have open.
        """
        self._limit = limit
        self._opened: list[tuple[str, Episode]] = []
        self._in_progress: Counter[str] = Counter()
        self._openings = anyio.CapacityLimiter(os.cpu_count() or 1)

    async def open(self, caller: str, opening: Callable[[], Awaitable[Episode]]) -> Episode:
        """Opens an episode of a caller.

        Args:
            caller: the client's address.
            opening: opens the episode.

        Raises:
            LimitError: the caller has as many open episodes as it may have.
            CodegymError: as `opening`.
        """
        if self._in_progress[caller] + self._count_open(caller) >= self._limit:
            raise LimitError(
                "gateway_episodes",
                self._limit,
                f"{self._limit} episodes of yours are open. Submit the answer of one of them first.",
            )
        self._in_progress[caller] += 1
        try:
            async with self._openings:
                episode = await opening()
            self._opened.append((caller, episode))
            return episode
        finally:
            self._in_progress[caller] -= 1
            if not self._in_progress[caller]:
                del self._in_progress[caller]

    def _count_open(self, caller: str) -> int:
        self._opened = [pair for pair in self._opened if pair[1].state is EpisodeState.OPEN]
        return sum(each == caller for each, _ in self._opened)
