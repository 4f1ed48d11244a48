"""Looks into run directories: which there are, what came of them, what was played."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from codegym_mcp.errors import NotFoundError, RunError
from codegym_harness.statistics.run_metrics import Summary, summarize
from codegym_harness.runs.run_directory import (
    BASELINES,
    CONFIGURATION,
    SUMMARY,
    is_at_work,
    read_configuration,
    read_results,
    read_trajectories,
)
from codegym_harness.records.trajectory import Trajectory

RunState = Literal["finished", "interrupted", "at work", "unreadable"]


class RunEntry(BaseModel):
    """A run, as a list shows it."""

    path: str
    agent: str
    state: RunState
    at: str
    """When it began, ISO 8601, UTC; empty where that cannot be read."""
    episodes: int
    """How many are recorded."""
    missing: int
    """How many are still to be played."""
    reward: float | None
    problem: str = ""
    """Why it cannot be read."""


def list_runs(under: Path) -> list[RunEntry]:
    """The runs in a directory, the earliest first.

    Raises:
        RunError: there is no such directory.
    """
    if not under.is_dir():
        raise RunError(under, f"There is no directory {under}.", hint="`codegym-mcp eval` makes runs.")
    entries = [_entry(file.parent) for file in sorted(under.glob(f"*/{CONFIGURATION}"))]
    return sorted(entries, key=lambda entry: entry.at)


def is_run(path: Path) -> bool:
    """Whether a directory holds a run."""
    return (path / CONFIGURATION).is_file()


def read_summary(path: Path) -> Summary:
    """The figures of the run in that directory, made anew where it has none yet.

    Raises:
        RunError: there is no run, or it cannot be read.
    """
    configuration, begun = read_configuration(path)
    try:
        written = Summary.model_validate_json((path / SUMMARY).read_bytes())
    except (OSError, ValidationError):
        results = {result.key: result for result in read_results(path)}
        missing = max(0, begun.episodes - len(results))
        return summarize(str(path), str(configuration.get("agent")), results.values(), missing=missing)
    return written.model_copy(update={"run": str(path)})


def read_baselines(path: Path) -> list[Summary]:
    """The figures of the baselines that were run beside the run in that directory.

    Raises:
        RunError: one of them cannot be read.
    """
    return [read_summary(file.parent) for file in sorted((path / BASELINES).glob(f"*/{CONFIGURATION}"))]


def find_trajectory(path: Path, key: str) -> Trajectory:
    """The trajectory of that key, of the run in that directory.

    Raises:
        RunError: the run cannot be read.
        NotFoundError: it has no such episode.
    """
    read_configuration(path)
    keys = []
    for trajectory in read_trajectories(path):
        if trajectory.extra.key == key:
            return trajectory
        keys.append(trajectory.extra.key)
    raise NotFoundError("episode", key, keys)


def split_episode(text: str) -> tuple[Path, str] | None:
    """The run directory that a text begins with, and the episode's key that may follow; else None.

    Example:
        split_episode("runs/mine/night_courier/two-zones/1")
        # Path("runs/mine"), "night_courier/two-zones/1"
    """
    parts = text.rstrip("/").split("/")
    for end in range(len(parts), 0, -1):
        path = Path("/".join(parts[:end]) or "/")
        if is_run(path):
            return path, "/".join(parts[end:])
    return None


def _entry(path: Path) -> RunEntry:
    try:
        configuration, begun = read_configuration(path)
        # Before the figures: a run that ends in between has them.
        at_work = is_at_work(path)
        summary = read_summary(path)
    except RunError as error:
        return RunEntry(
            path=str(path),
            agent="",
            state="unreadable",
            at="",
            episodes=0,
            missing=0,
            reward=None,
            problem=str(error),
        )
    return RunEntry(
        path=str(path),
        agent=summary.agent or str(configuration.get("agent")),
        state="at work" if at_work else "interrupted" if summary.missing else "finished",
        at=begun.at,
        episodes=summary.episodes,
        missing=summary.missing,
        reward=summary.reward,
    )
