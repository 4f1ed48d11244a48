"""Selects the best trajectories of each task (`export --best-of`)."""

from collections.abc import Hashable
from heapq import heappush, heappushpop

from codegym_harness.records.episode_result import EpisodeResult


class BestOf:
    """Selects the best trajectories of each task. Memory grows with the tasks, not with the trajectories."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._best: dict[Hashable, list[tuple[float, int, int]]] = {}

    def offer(self, number: int, result: EpisodeResult) -> None:
        """Considers a trajectory.

        Args:
            number: identifies the trajectory; of equal ones, the lower number is better.
        """
        best = self._best.setdefault((result.environment, result.task), [])
        rank = (result.reward or 0.0, -result.calls, -number)
        if len(best) < self._count:
            heappush(best, rank)
        else:
            heappushpop(best, rank)

    def chosen(self) -> frozenset[int]:
        """Returns the numbers of the best trajectories."""
        return frozenset(-number for best in self._best.values() for _, _, number in best)
