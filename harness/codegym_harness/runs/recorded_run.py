"""A run that was executed: its configuration, its statistics and its trajectories."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Outcome, Trajectory
from codegym_harness.runs.run_config import RunConfig, recorded_config
from codegym_harness.runs.run_directory_reader import read_configuration, read_results, read_trajectories
from codegym_harness.runs.run_index import find_trajectory, read_baselines, read_summary
from codegym_harness.runs.run_tables import RowKind, Scalar, rows
from codegym_harness.statistics.run_metrics import Summary

if TYPE_CHECKING:
    from codegym_harness.clients.control_client import RunningServer
    from codegym_harness.runs.evaluate import AgentLike
    from codegym_harness.runs.run_observer import Observer


@dataclass(frozen=True)
class Run:
    """A run directory. It is read anew with every access, so it may be read while the run is in progress.

    Attributes:
        path: the run directory.
    """

    path: Path

    @property
    def config(self) -> RunConfig:
        """The configuration.

        Raises:
            RunError: the run cannot be read, or was started by another version.
        """
        return recorded_config(self.path)

    @property
    def tasks(self) -> dict[str, list[str]]:
        """The ids of the tasks of the run, by environment. A generated task is `d<difficulty>-s<seed>`."""
        return read_configuration(self.path)[1].tasks

    @property
    def summary(self) -> Summary:
        """The statistics.

        Raises:
            RunError: the run cannot be read.
        """
        return read_summary(self.path)

    @property
    def baselines(self) -> list[Summary]:
        """The statistics of the baselines that were run beside the run."""
        return read_baselines(self.path)

    @property
    def missing(self) -> int:
        """The number of episodes that are still to be played; those that failed are not among them."""
        return self.summary.missing

    def trajectories(
        self,
        *,
        environments: str = "*",
        outcome: Outcome | str | None = None,
        where: Callable[[Trajectory], bool] | None = None,
    ) -> Iterator[Trajectory]:
        """Yields trajectories in the order in which they were recorded. A damaged last line is skipped.

        Args:
            environments: a glob over the names of environments.
            outcome: only trajectories with this outcome: correct, incorrect, no_submission, failed, unscored.
            where: only trajectories for which this returns true.

        Raises:
            ValueError: there is no such outcome.
            RunError: the run cannot be read.
        """
        wanted = Outcome(outcome) if outcome is not None else None
        return self._selected(environments, wanted, where)

    def _selected(
        self, environments: str, outcome: Outcome | None, where: Callable[[Trajectory], bool] | None
    ) -> Iterator[Trajectory]:
        for trajectory in read_trajectories(self.path):
            record = trajectory.extra
            if (
                fnmatchcase(record.environment, environments)
                and (outcome is None or record.outcome is outcome)
                and (where is None or where(trajectory))
            ):
                yield trajectory

    def results(self) -> Iterator[EpisodeResult]:
        """Yields the results of the episodes, without their steps.

        Raises:
            RunError: the run cannot be read.
        """
        return read_results(self.path)

    def trajectory(self, key: str) -> Trajectory:
        """Returns the trajectory with a key: `environment/task/epoch`.

        Raises:
            NotFoundError: the run has no such episode.
            RunError: the run cannot be read.
        """
        return find_trajectory(self.path, key)

    def rows(self, of: Literal["episodes", "calls", "messages"] = "episodes") -> Iterator[dict[str, Scalar]]:
        """Yields the run as rows of plain values, for a data frame.

        Args:
            of: one row per episode, per tool call, or per message.

        Raises:
            ValueError: there is no such table.
            RunError: the run cannot be read.

        Example:
            pandas.DataFrame(run.rows("calls"))
        """
        return rows(str(self.path), read_trajectories(self.path), RowKind(of))

    def resume(
        self,
        agent: "AgentLike | None" = None,
        *,
        server: "RunningServer | None" = None,
        observer: "Observer | None" = None,
    ) -> "Run":
        """Plays the episodes that are missing, and those that failed without the agent's fault. It blocks.

        Args:
            agent: needed if the agent was given as a function or another object.
            server: needed if the run plays episodes of a server that was given.
            observer: receives the events of the run.

        Raises:
            RunError: the run cannot be resumed.
            RunHaltedError: no further episode could succeed; the played episodes are recorded.
        """
        from codegym_harness.runs.evaluate import resume
        from codegym_mcp.runtime.run_blocking import run_blocking

        return run_blocking("resume", lambda: resume(self, agent, server=server, observer=observer))


def open_run(path: str | os.PathLike[str]) -> Run:
    """Opens a run directory for reading.

    Raises:
        RunError: the directory holds no run.
    """
    run = Run(Path(path))
    read_configuration(run.path)
    return run


RunLike = Run | str | os.PathLike[str]
"""A run, or the path of its directory."""


def run_path(run: RunLike) -> Path:
    """Returns the directory of a run."""
    return run.path if isinstance(run, Run) else Path(run)
