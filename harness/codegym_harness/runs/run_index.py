"""Lists run directories and finds runs and episodes by path."""

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ValidationError

from codegym_harness.records.trajectory import Outcome, Trajectory
from codegym_harness.runs.run_directory_reader import (
    BASELINES,
    CONFIGURATION,
    RUNS,
    SUMMARY,
    is_in_progress,
    read_configuration,
    read_results,
    read_trajectories,
)
from codegym_harness.statistics.run_metrics import Summary, summarize
from codegym_mcp.errors import NotFoundError, RunError


class RunState(StrEnum):
    """The state of a run."""

    FINISHED = "finished"
    FAILED = "failed"
    """All episodes were played, and some of them failed without the agent's fault."""
    INTERRUPTED = "interrupted"
    IN_PROGRESS = "in progress"
    UNREADABLE = "unreadable"


class RunEntry(BaseModel):
    """A run in a list."""

    path: str
    agent: str
    state: RunState
    at: str
    """When it started: ISO 8601 in UTC; empty if it cannot be read."""
    episodes: int
    """The number of recorded episodes."""
    missing: int
    """The number of episodes that are still to be played."""
    failed: int = 0
    """The number of recorded episodes that failed without the agent's fault."""
    reward: float | None
    problem: str = ""
    """Why the run cannot be read, or why its episodes failed."""


def list_runs(parent: Path) -> list[RunEntry]:
    """Returns the runs in a directory, the earliest first.

    Raises:
        RunError: the directory does not exist.
    """
    if not parent.is_dir():
        raise RunError(parent, f"There is no directory {parent}.", hint="`codegym-mcp eval` creates runs.")
    entries = [_entry(file.parent) for file in sorted(parent.glob(f"*/{CONFIGURATION}"))]
    return sorted(entries, key=lambda entry: entry.at)


def is_run(path: Path) -> bool:
    """Returns whether a directory holds a run."""
    return (path / CONFIGURATION).is_file()


def read_summary(path: Path) -> Summary:
    """Returns the statistics of the run in a directory, computed if they are not stored.

    Raises:
        RunError: the directory holds no run, or the run cannot be read.
    """
    configuration, start = read_configuration(path)
    try:
        written = Summary.model_validate_json((path / SUMMARY).read_bytes())
    except (OSError, ValidationError):
        results = {result.key: result for result in read_results(path)}
        missing = max(0, start.episodes - len(results))
        return summarize(str(path), recorded_agent(configuration), results.values(), missing=missing)
    return written.model_copy(update={"run": str(path)})


def recorded_agent(configuration: dict[str, object]) -> str:
    """Returns the name of the agent, or of its model, from the recorded configuration of a run."""
    model = configuration.get("model")
    if isinstance(model, dict) and isinstance(model.get("name"), str):
        return str(model["name"])
    command = configuration.get("command")
    if isinstance(command, str) and command.split():
        return Path(command.split()[0]).name
    return str(configuration.get("agent"))


def read_baselines(path: Path) -> list[Summary]:
    """Returns the statistics of the baselines of the run in a directory.

    Raises:
        RunError: a baseline cannot be read.
    """
    return [read_summary(file.parent) for file in sorted((path / BASELINES).glob(f"*/{CONFIGURATION}"))]


def find_trajectory(path: Path, key: str) -> Trajectory:
    """Returns the trajectory with a key, of the run in a directory.

    Raises:
        RunError: the run cannot be read.
        NotFoundError: the run has no such episode.
    """
    read_configuration(path)
    keys = []
    for trajectory in read_trajectories(path):
        if trajectory.extra.key == key:
            return trajectory
        keys.append(trajectory.extra.key)
    raise NotFoundError("episode", key, keys)


def split_episode(text: str) -> tuple[Path, str] | None:
    """Splits a text into the path of a run and the key of an episode, which may be empty.

    Returns:
        None if no part of the text is a run directory.

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


def means_a_run(text: str) -> bool:
    """Returns whether a text probably means a run: it names a directory, or something in `runs/`."""
    path = Path(text)
    return path.is_dir() or (len(path.parts) > 1 and path.parts[0] == RUNS.name)


def _entry(path: Path) -> RunEntry:
    try:
        configuration, start = read_configuration(path)
        # Read before the statistics: a run that ends in between has them.
        in_progress = is_in_progress(path)
        summary = read_summary(path)
    except RunError as error:
        return RunEntry(
            path=str(path),
            agent="",
            state=RunState.UNREADABLE,
            at="",
            episodes=0,
            missing=0,
            reward=None,
            problem=str(error),
        )
    failed = summary.verdicts.get(Outcome.FAILED, 0)
    cause = next((cause for cause in summary.failures if cause.fault != "agent"), None)
    return RunEntry(
        path=str(path),
        agent=summary.agent or recorded_agent(configuration),
        state=run_state(summary, in_progress=in_progress),
        at=start.at,
        episodes=summary.episodes,
        missing=summary.missing,
        failed=failed,
        reward=summary.reward,
        problem=cause.error if failed and cause is not None else "",
    )


def run_state(summary: Summary, *, in_progress: bool) -> RunState:
    """Returns the state of a run with these statistics."""
    if in_progress:
        return RunState.IN_PROGRESS
    if summary.missing:
        return RunState.INTERRUPTED
    return RunState.FAILED if summary.verdicts.get(Outcome.FAILED) else RunState.FINISHED
