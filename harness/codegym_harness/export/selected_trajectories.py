"""Reads the trajectories of runs that pass filters."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from codegym_harness.export.best_of import BestOf
from codegym_harness.export.trajectory_filters import Filters
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Trajectory
from codegym_harness.runs.run_directory_reader import TRAJECTORIES, read_trajectories
from codegym_mcp.errors import CodegymError, RunError


class SelectedTrajectory(NamedTuple):
    """A trajectory that passed the filters.

    Attributes:
        run: its run directory.
    """

    run: Path
    trajectory: Trajectory
    result: EpisodeResult


@dataclass
class TrajectorySelection:
    """The trajectories that pass the filters which need no other trajectories. It can be iterated again.

    Attributes:
        read: the number of trajectories, in the last iteration.
        dropped: the number of dropped trajectories by filter, in the last iteration.
        training: whether the trajectories are for training, so that failed and empty ones are dropped.
    """

    runs: list[Path]
    filters: Filters
    training: bool = True
    read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[SelectedTrajectory]:
        filters = self.filters.stream(training=self.training)
        self.read = 0
        self.dropped = Counter({name: 0 for name, _ in filters})
        if self.filters.best_of is not None:
            self.dropped["best_of"] = 0
        for run in self.runs:
            for trajectory in read_trajectories(run):
                self.read += 1
                result = EpisodeResult.of(trajectory)
                dropping = next((name for name, keeps in filters if not keeps(trajectory, result)), None)
                if dropping is None:
                    yield SelectedTrajectory(run, trajectory, result)
                else:
                    self.dropped[dropping] += 1

    def look_ahead(
        self, *, name: Callable[[EpisodeResult], str] | None = None
    ) -> tuple[frozenset[int] | None, set[str]]:
        """Reads all trajectories, if that is needed.

        Args:
            name: names the part of a trajectory that is not split; None if nothing is split.

        Returns:
            The numbers of the best trajectories, or None for all; and the names of all parts.
        """
        count = self.filters.best_of
        names: set[str] = set()
        if count is None and name is None:
            return None, names
        best = BestOf(count) if count is not None else None
        read = 0
        for read, (_, _, result) in enumerate(self, start=1):
            if name is not None:
                names.add(name(result))
            if best is not None:
                best.offer(read - 1, result)
        if not read:
            raise self.nothing_left()
        return best.chosen() if best is not None else None, names

    def nothing_left(self) -> CodegymError:
        """Returns the error for a selection that leaves nothing to write."""
        reasons = ", ".join(f"{name} {count}" for name, count in self.dropped.items() if count)
        dropped = f" Dropped: {reasons}." if reasons else ""
        return CodegymError(f"None of {self.read} trajectories is left to write.{dropped}")


def run_directories(runs: Sequence[Path], out: Sequence[Path]) -> list[Path]:
    """Returns the distinct runs. Refuses directories that are no runs, and to overwrite a run's own file."""
    distinct: dict[Path, Path] = {}
    for run in runs:
        distinct.setdefault(run.resolve(), run)
    for run in distinct.values():
        recorded = run / TRAJECTORIES
        if not recorded.is_file():
            raise RunError(
                run,
                f"{run} is no run directory: it has no {TRAJECTORIES}.",
                hint="`codegym-mcp runs` lists runs.",
            )
        if any(path.exists() and path.samefile(recorded) for path in out):
            raise RunError(
                run, f"{recorded} belongs to the run and must not be replaced.", hint="Name another file."
            )
    return list(distinct.values())
