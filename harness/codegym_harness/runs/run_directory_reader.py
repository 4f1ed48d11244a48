"""The files of a run directory, and how they are read.

`run.json` holds the configuration, when the run started, and which tasks it plays. `trajectories.jsonl` holds
one trajectory per line, written as soon as its episode ends, and each episode once. `failed.jsonl` holds the
trajectories of failed episodes that were played again on resume. `summary.json` holds the statistics; a run
without it is in progress, or was killed.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Trajectory, timestamp
from codegym_mcp.errors import RunError
from codegym_mcp.storage.file_lock import try_lock
from codegym_mcp.validation_messages import first_fault

CONFIGURATION = "run.json"
TRAJECTORIES = "trajectories.jsonl"
FAILED = "failed.jsonl"
SUMMARY = "summary.json"
BASELINES = "baselines"
ENVIRONMENTS = "environments"
"""The folder of the environments that were given in memory."""
RUNS = Path("runs")
"""The parent of run directories that are not named by the user."""
START = "begun"
"""The member of `run.json` that holds the `RunStart`."""


class RunStart(BaseModel):
    """When a run started and what it plays. It is stored in `run.json` beside the configuration."""

    model_config = ConfigDict(frozen=True)

    at: str = ""
    """ISO 8601 in UTC."""
    episodes: int = 0
    """The number of episodes to play."""
    environments: dict[str, str] = {}
    """The digest of each environment that is played, by name."""
    tasks: dict[str, list[str]] = {}
    """The ids of the tasks that are played, by environment. A generated task is `d<difficulty>-s<seed>`."""

    @classmethod
    def now(cls, assignments: Sequence[Assignment], environments: dict[str, str]) -> "RunStart":
        """Returns the start of a run at this moment."""
        tasks: dict[str, dict[str, None]] = {}
        for assignment in assignments:
            tasks.setdefault(assignment.environment, {})[assignment.task_id] = None
        return cls(
            at=timestamp(),
            episodes=len(assignments),
            environments=environments,
            tasks={environment: list(ids) for environment, ids in tasks.items()},
        )


def check_new_run(path: Path) -> None:
    """Checks that a directory can become a run directory: it does not exist, or it is empty.

    Raises:
        RunError: the directory holds a run or other files, or the path is not a directory.
    """
    try:
        names = {entry.name for entry in os.scandir(path)}
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(path, f"The run directory {path} cannot be created: {error}.") from None
    if names & {CONFIGURATION, TRAJECTORIES}:
        raise holds_a_run(path)
    if names - {ENVIRONMENTS}:
        raise RunError(
            path,
            f"{path} is not empty and is not a run directory: it holds {min(names - {ENVIRONMENTS})}.",
            hint="Name a new directory with --out; nothing was written.",
        )


def read_configuration(path: Path) -> tuple[dict[str, Any], RunStart]:
    """Reads the configuration and the start of the run in a directory.

    Raises:
        RunError: the directory holds no run, or its `run.json` cannot be read.
    """
    try:
        content = from_json((path / CONFIGURATION).read_bytes())
        start = RunStart.model_validate(content.pop(START, {}))
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(
            path,
            f"{path} is no run directory: it has no {CONFIGURATION}.",
            hint="`codegym-mcp runs` lists runs.",
        ) from None
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise RunError(path, f"{path / CONFIGURATION} cannot be read: {error}.") from None
    return content, start


def read_trajectories(path: Path) -> Iterator[Trajectory]:
    """Yields the trajectories of the run in a directory. A damaged last line is skipped.

    Raises:
        RunError: the file cannot be read, or a line is not a trajectory.
    """
    for _, trajectory in trajectory_lines(path):
        yield trajectory


def read_results(path: Path) -> Iterator[EpisodeResult]:
    """Yields the results of the run in a directory; see `read_trajectories`."""
    return map(EpisodeResult.of, read_trajectories(path))


def is_in_progress(path: Path) -> bool:
    """Returns whether a process holds a run directory, as far as this process may know."""
    try:
        with locked(path, os.O_RDONLY):
            return False
    except RunError:
        return True
    except OSError:
        return False


def new_run_path(agent: str, parent: Path = RUNS) -> Path:
    """Returns an unused path for a run directory, named by the time and the agent."""
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in agent)
    stem = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{safe}"
    path, number = parent / stem, 2
    while path.exists():
        path, number = parent / f"{stem}-{number}", number + 1
    return path


def holds_a_run(path: Path) -> RunError:
    return RunError(
        path,
        f"{path} holds a run already.",
        hint="Name another directory with --out, or resume the run with --resume.",
    )


@contextmanager
def locked(path: Path, flags: int) -> Iterator[int]:
    """Locks a run directory. The lock ends with the process, however it ends."""
    descriptor = os.open(path / CONFIGURATION, flags, 0o666)
    try:
        if not try_lock(descriptor):
            raise RunError(path, f"Another process uses {path}.", hint="Wait until it ends.")
        yield descriptor
    finally:
        os.close(descriptor)


def trajectory_lines(path: Path) -> Iterator[tuple[bytes, Trajectory]]:
    """Yields each line of a run's trajectories with its trajectory, up to a damaged last line."""
    try:
        with (path / TRAJECTORIES).open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield line, Trajectory.model_validate_json(line)
                except ValidationError as error:
                    if not _is_json(line) and (not line.endswith(b"\n") or _is_at_end(file)):
                        return
                    raise RunError(
                        path,
                        f"Line {number} of {path / TRAJECTORIES} is not a trajectory: {first_fault(error)}.",
                        hint="Remove the line to have its episode played again by --resume.",
                    ) from None
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(path, f"{path / TRAJECTORIES} cannot be read: {error}.") from None


def _is_at_end(file: BinaryIO) -> bool:
    return not file.read(1)


def _is_json(line: bytes) -> bool:
    """Returns whether a line is complete; a process that is killed may leave an incomplete one."""
    try:
        from_json(line)
    except ValueError:
        return False
    return True
