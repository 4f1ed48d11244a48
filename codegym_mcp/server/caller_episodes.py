"""The episodes that each client of the gateway has open, and how many are being opened at a time."""

import os
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.errors import LimitError


class CallerCounts(Protocol):
    """Counts the open episodes of each caller, of this process or of several."""

    def claim_for_caller(self, caller: str, limit: int) -> bool:
        """Notes an episode that a caller opens.

        Args:
            limit: episodes that a caller may have open.

        Returns:
            Whether the caller has fewer open episodes than the limit.
        """

    def release_for_caller(self, caller: str) -> None:
        """Notes that an episode of a caller has ended, or could not be opened."""


class ProcessCallerCounts:
    """Counts the open episodes of each caller of this process. It is a `CallerCounts`."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def claim_for_caller(self, caller: str, limit: int) -> bool:
        """Notes an episode that a caller opens; see `CallerCounts.claim_for_caller`."""
        if self._open[caller] >= limit:
            return False
        self._open[caller] += 1
        return True

    def release_for_caller(self, caller: str) -> None:
        """Notes that an episode of a caller has ended."""
        self._open[caller] -= 1
        if not self._open[caller]:
            del self._open[caller]


class CallerEpisodes:
    """Opens episodes within the limit of each caller.

    An opening occupies a processor: it starts a process and may generate a task. As many as there are
    processors run at a time, so that callers which open many episodes do not delay the calls of others.
    """

    def __init__(self, limit: int, counts: CallerCounts | None = None) -> None:
        """
        Args:
            limit: episodes that one caller may have open.
            counts: counts the episodes of several processes; without it, those of this process are counted.
        """
        self._limit = limit
        self._counts = counts or ProcessCallerCounts()
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
        if not self._counts.claim_for_caller(caller, self._limit):
            raise LimitError(
                "gateway_episodes",
                self._limit,
                f"{self._limit} episodes of yours are open. Submit the answer of one of them first.",
            )
        try:
            async with self._openings:
                episode = await opening()
        except BaseException:
            self._counts.release_for_caller(caller)
            raise
        self._release_at_end(episode, caller)
        return episode

    def _release_at_end(self, episode: Episode, caller: str) -> None:
        before = episode.on_end

        def on_end(ended: Episode) -> None:
            self._counts.release_for_caller(caller)
            if before is not None:
                before(ended)

        if episode.state is EpisodeState.OPEN:
            episode.on_end = on_end
        else:
            self._counts.release_for_caller(caller)
