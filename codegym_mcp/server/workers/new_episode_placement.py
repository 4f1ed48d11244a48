"""Chooses the worker that serves a request."""

from codegym_mcp.episodes.episode_shards import shard_of
from codegym_mcp.server.workers.episode_owner import Owner
from codegym_mcp.server.workers.open_episode_table import OpenEpisodeTable

_TOLERATED = 1
"""Open episodes that a worker may have more than the one with the fewest, before others are preferred."""
_TOLERATED_PART = 8
"""One eighth of the fewest is tolerated too."""


class EpisodePlacement:
    """Chooses workers: by the id of an episode, or so that all have about as many episodes.

    The count of a worker rises only when a task has been generated and its episode is opened. New episodes
    are therefore given to the workers in turn, and one that has clearly more than another is left out.
    """

    def __init__(self, table: OpenEpisodeTable) -> None:
        self._table = table
        self._next = 0

    def worker_of(self, owner: str | int | Owner, *, own: int | None = None) -> int:
        """Returns the worker that serves a request.

        Args:
            owner: the id of an episode, a worker, or a request that any worker can serve.
            own: the worker that asks; it is preferred.
        """
        if isinstance(owner, str):
            return shard_of(owner, self._table.workers)
        if isinstance(owner, int) and 0 <= owner < self._table.workers:
            return owner
        if own is not None and (owner is not Owner.NEW_EPISODE or not self._is_crowded(own)):
            return own
        for _ in range(self._table.workers):
            chosen = self._next
            self._next = (self._next + 1) % self._table.workers
            if not self._is_crowded(chosen):
                break
        return chosen

    def _is_crowded(self, worker: int) -> bool:
        counts = self._table.open_counts()
        fewest = min(counts)
        return counts[worker] > fewest + max(_TOLERATED, fewest // _TOLERATED_PART)
