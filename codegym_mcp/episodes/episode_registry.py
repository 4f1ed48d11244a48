"""The episodes that a server holds in memory, open and ended."""

import time
from typing import NamedTuple

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_counters import EpisodeCounters
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.episodes.open_episode_limit import OpenEpisodeLimit
from codegym_mcp.episodes.retention import Retention


class _Ended(NamedTuple):
    episode: Episode
    at: float
    """When it ended, in seconds of `time.monotonic`."""


class EpisodeRegistry:
    """The episodes in memory: open ones, and ended ones for as long as the retention says.

    Attributes:
        counters: what the episodes did since the registry was created.
    """

    def __init__(self, journal: Journal, retention: Retention, limit: OpenEpisodeLimit) -> None:
        self._journal = journal
        self._limit = limit
        self._retention = retention
        self.counters = EpisodeCounters()
        self._open: dict[str, Episode] = {}
        # In the order in which they ended.
        self._ended: dict[str, _Ended] = {}
        self._without_events: dict[str, _Ended] = {}

    @property
    def open_episodes(self) -> list[Episode]:
        """The open episodes, the oldest first."""
        return list(self._open.values())

    @property
    def held(self) -> list[Episode]:
        """The episodes with their events: the open ones, then the ended ones, each the newest first."""
        return [*reversed(self._open.values()), *(each.episode for each in reversed(self._ended.values()))]

    @property
    def open_count(self) -> int:
        """The number of open episodes."""
        return len(self._open)

    @property
    def ended_count(self) -> int:
        """The number of ended episodes in memory."""
        return len(self._ended) + len(self._without_events)

    def add_new(self, episode: Episode) -> None:
        """Adds an episode that is about to be opened, and follows it to its end.

        Raises:
            LimitError: as many episodes are open as may be; nothing was added.
        """
        self._limit.claim()
        self._follow(episode)

    def add(self, episode: Episode) -> None:
        """Adds an episode that is open already, whatever the limit is, and follows it to its end."""
        self._limit.add()
        self._follow(episode)

    def _follow(self, episode: Episode) -> None:
        self._open[episode.id] = episode
        self.counters.opened += 1
        episode.on_call = self.counters.count_call
        episode.on_end = self._on_end

    def find(self, episode_id: str) -> Episode | None:
        """Returns the episode with this id, or None if it is not in memory."""
        if episode_id in self._open:
            return self._open[episode_id]
        ended = self._ended.get(episode_id) or self._without_events.get(episode_id)
        return ended.episode if ended is not None else None

    def remove(self, episode_id: str) -> None:
        """Removes an ended episode, and its events from a journal in memory."""
        self._ended.pop(episode_id, None)
        self._without_events.pop(episode_id, None)
        self._journal.forget(episode_id)

    def _on_end(self, episode: Episode) -> None:
        now = time.monotonic()
        if self._open.pop(episode.id, None) is not None:
            self._limit.release()
        self.counters.ended[episode.outcome] += 1
        self._ended[episode.id] = _Ended(episode, now)
        self.prune(now)

    def prune(self, now: float) -> None:
        """Removes what the retention does not keep in memory.

        Args:
            now: the current time, in seconds of `time.monotonic`.
        """
        keep = self._retention
        for ended in _expired(self._ended, now - keep.events_seconds, keep.events_count):
            del self._ended[ended.episode.id]
            # A journal in a file still holds the whole episode.
            if not self._journal.outlives_process:
                self._journal.forget(ended.episode.id)
                ended.episode.forget_events()
                self._without_events[ended.episode.id] = ended
        for ended in _expired(self._without_events, now - keep.verdicts_seconds, keep.verdicts_count):
            del self._without_events[ended.episode.id]


def _expired(episodes: dict[str, _Ended], before: float, count: int) -> list[_Ended]:
    """Returns the episodes that ended before a time, and the oldest of those that exceed a count."""
    excess = len(episodes) - count
    expired: list[_Ended] = []
    for ended in episodes.values():
        if ended.at >= before and len(expired) >= excess:
            break
        expired.append(ended)
    return expired
