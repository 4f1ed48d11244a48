"""What a run leaves on disk.

`run.json` says what was asked for and when it began. `trajectories.jsonl` holds one trajectory a line,
written as soon as it is there, and no episode twice. `failed.jsonl` holds what failed, by our fault, before
the run was resumed and the episode played again. `summary.json` holds the figures; a run without it is at
work, or was killed.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from codegym_mcp.errors import RunError
from codegym_harness.statistics.run_metrics import Summary
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Trajectory, timestamp

CONFIGURATION = "run.json"
TRAJECTORIES = "trajectories.jsonl"
FAILED = "failed.jsonl"
SUMMARY = "summary.json"
BASELINES = "baselines"
RUNS = Path("runs")
"""Where runs go that are given no place."""
_BEGUN = "begun"


class Begun(BaseModel):
    """What `run.json` holds beside the configuration, under `begun`."""

    model_config = ConfigDict(frozen=True)

    at: str = ""
    """ISO 8601, UTC."""
    episodes: int = 0
    """How many are to be played."""
    environments: dict[str, str] = {}
    """The digest of each environment that is played, by name."""

    @classmethod
    def now(cls, episodes: int, environments: dict[str, str]) -> "Begun":
        """A run that begins at this moment."""
        return cls(at=timestamp(), episodes=episodes, environments=environments)


class RunDirectory:
    """The directory of a run that is at work: one process has it at a time.

    Attributes:
        path: where it is.
        results: what was played, by key.
        cut: bytes of a damaged last line that were cut off when it was opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.results: dict[str, EpisodeResult] = {}
        self.cut = 0
        self._file: FileIO | None = None

    @classmethod
    @contextmanager
    def create(
        cls, path: Path, configuration: BaseModel, begun: Begun | None = None
    ) -> Iterator["RunDirectory"]:
        """A new run directory, open for trajectories until the block is left.

        Raises:
            RunError: it cannot be made, or holds a run already.
        """
        begun = begun or Begun()
        content = {**configuration.model_dump(mode="json"), _BEGUN: begun.model_dump(mode="json")}
        with ExitStack() as stack:
            try:
                path.mkdir(parents=True, exist_ok=True)
                descriptor = stack.enter_context(_locked(path, os.O_RDWR | os.O_CREAT))
                if os.fstat(descriptor).st_size > 0 or (path / TRAJECTORIES).exists():
                    raise RunError(
                        path,
                        f"{path} holds a run already.",
                        hint="Name another directory with --out, or go on with it: --resume.",
                    )
                os.write(descriptor, json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n")
                directory = stack.enter_context(cls(path)._opened())
            except OSError as error:
                raise RunError(path, f"The run directory {path} cannot be made: {error}.") from None
            yield directory

    @classmethod
    @contextmanager
    def resume(cls, path: Path) -> Iterator["RunDirectory"]:
        """A run directory that is there, open for more trajectories until the block is left.

        A last line that is damaged, as a process leaves it that is killed while it writes, is cut off.

        Raises:
            RunError: there is none, another process is at work in it, or it is damaged elsewhere.
        """
        read_configuration(path)
        with ExitStack() as stack:
            try:
                stack.enter_context(_locked(path, os.O_RDWR))
                directory = stack.enter_context(cls(path)._opened())
                directory._read()
            except OSError as error:
                raise RunError(path, f"The run directory {path} cannot be gone on with: {error}.") from None
            yield directory

    def append(self, trajectory: Trajectory) -> EpisodeResult:
        """Writes a trajectory; it is with the operating system when this returns.

        Raises:
            RunError: it cannot be written; nothing of it was.
        """
        assert self._file is not None
        start = self._file.seek(0, os.SEEK_END)
        rest = memoryview(trajectory.to_json().encode() + b"\n")
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(start)
            raise RunError(self.path, f"The run {self.path} cannot be written: {error}.") from None
        result = EpisodeResult.of(trajectory)
        self.results[result.key] = result
        return result

    def set_failures_aside(self) -> int:
        """Moves the trajectories that failed, which is our fault, to `failed.jsonl`, to be played again.

        Returns:
            How many.

        Raises:
            RunError: they cannot be moved; all are where they were.
        """
        failed = {key for key, result in self.results.items() if result.outcome == "failed"}
        if failed:
            kept_path = self.path / f"{TRAJECTORIES}.new"
            try:
                with (self.path / FAILED).open("ab") as aside, kept_path.open("wb") as kept:
                    for line, trajectory in _lines(self.path):
                        (aside if trajectory.extra.key in failed else kept).write(line)
                    for file in (aside, kept):
                        file.flush()
                        os.fsync(file.fileno())
                kept_path.replace(self.path / TRAJECTORIES)
                self._reopen()
            except OSError as error:
                raise RunError(self.path, f"The run {self.path} cannot be written: {error}.") from None
            self.results = {key: result for key, result in self.results.items() if key not in failed}
        return len(failed)

    def write_summary(self, summary: Summary) -> None:
        """Writes the figures.

        Raises:
            RunError: they cannot be written.
        """
        unfinished = self.path / f"{SUMMARY}.new"
        try:
            unfinished.write_text(summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
            unfinished.replace(self.path / SUMMARY)
        except OSError as error:
            raise RunError(self.path, f"The run {self.path} cannot be written: {error}.") from None

    def remove_summary(self) -> None:
        """Takes away the figures, which more episodes will change."""
        (self.path / SUMMARY).unlink(missing_ok=True)

    @contextmanager
    def _opened(self) -> Iterator["RunDirectory"]:
        self._reopen()
        try:
            yield self
        finally:
            assert self._file is not None
            self._file.close()

    def _reopen(self) -> None:
        if self._file is not None:
            self._file.close()
        # Unbuffered: what could not be written must not be tried again later.
        self._file = (self.path / TRAJECTORIES).open("ab", buffering=0)

    def _read(self) -> None:
        assert self._file is not None
        end = 0
        line = b"\n"
        for line, trajectory in _lines(self.path):
            end += len(line)
            result = EpisodeResult.of(trajectory)
            self.results[result.key] = result
        self.cut = self._file.seek(0, os.SEEK_END) - end
        self._file.truncate(end)
        if not line.endswith(b"\n"):
            self._file.write(b"\n")


def read_configuration(path: Path) -> tuple[dict[str, Any], Begun]:
    """What the run in that directory was asked for, and how it began.

    Raises:
        RunError: there is no run, or its `run.json` cannot be read.
    """
    try:
        content = from_json((path / CONFIGURATION).read_bytes())
        begun = Begun.model_validate(content.pop(_BEGUN, {}))
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(
            path,
            f"{path} is no run directory: it has no {CONFIGURATION}.",
            hint="`codegym-mcp runs` lists runs.",
        ) from None
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise RunError(path, f"{path / CONFIGURATION} cannot be read: {error}.") from None
    return content, begun


def read_trajectories(path: Path) -> Iterator[Trajectory]:
    """The trajectories of the run in that directory, one after the other; a damaged last line is passed over.

    Raises:
        RunError: they cannot be read.
    """
    for _, trajectory in _lines(path):
        yield trajectory


def read_results(path: Path) -> Iterator[EpisodeResult]:
    """The results of the run in that directory; see `read_trajectories`."""
    return map(EpisodeResult.of, read_trajectories(path))


def is_at_work(path: Path) -> bool:
    """Whether a process is at work in that run directory, as far as this one may know."""
    try:
        with _locked(path, os.O_RDONLY):
            return False
    except RunError:
        return True
    except OSError:
        return False


def new_run_path(agent: str, under: Path = RUNS) -> Path:
    """Where a run goes that was given no place: named by time and agent."""
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in agent)
    stem = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{safe}"
    path, number = under / stem, 2
    while path.exists():
        path, number = under / f"{stem}-{number}", number + 1
    return path


@contextmanager
def _locked(path: Path, flags: int) -> Iterator[int]:
    """Has a run directory for this process alone. The lock goes with the process, however it ends."""
    descriptor = os.open(path / CONFIGURATION, flags | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                path, f"Another process is at work in {path}.", hint="Wait until it ends."
            ) from None
        yield descriptor
    finally:
        os.close(descriptor)


def _lines(path: Path) -> Iterator[tuple[bytes, Trajectory]]:
    """Each line of a run's trajectories as it is and as it reads, up to a last line that is damaged."""
    try:
        with (path / TRAJECTORIES).open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield line, Trajectory.model_validate_json(line)
                except ValidationError as error:
                    if not _is_json(line) and (not line.endswith(b"\n") or _is_last(file)):
                        return
                    raise RunError(
                        path,
                        f"Line {number} of {path / TRAJECTORIES} is no trajectory: "
                        f"{error.errors(include_url=False)[0]['msg']}.",
                        hint="Take it out to have its episode played again: --resume.",
                    ) from None
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(path, f"{path / TRAJECTORIES} cannot be read: {error}.") from None


def _is_last(file: BinaryIO) -> bool:
    return not file.read(1)


def _is_json(line: bytes) -> bool:
    """Whether a line is whole: then it is no leftover of a process that was killed."""
    try:
        from_json(line)
    except ValueError:
        return False
    return True
