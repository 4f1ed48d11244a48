"""Writes the directory of a run in progress."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from pathlib import Path

from pydantic import BaseModel

from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Trajectory
from codegym_harness.runs.run_directory_reader import (
    FAILED,
    START,
    SUMMARY,
    TRAJECTORIES,
    RunStart,
    check_new_run,
    holds_a_run,
    locked,
    read_configuration,
    trajectory_lines,
)
from codegym_harness.statistics.run_metrics import Summary
from codegym_mcp.errors import RunError
from codegym_mcp.json_line_escapes import json_line


class RunDirectory:
    """The directory of a run in progress. One process at a time may hold it.

    Attributes:
        path: the directory.
        results: the results of the episodes that were played, by key.
        cut: bytes of a damaged last line that were removed when the directory was opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.results: dict[str, EpisodeResult] = {}
        self.cut = 0
        self._file: FileIO | None = None

    @classmethod
    @contextmanager
    def create(
        cls, path: Path, configuration: BaseModel, start: RunStart | None = None
    ) -> Iterator["RunDirectory"]:
        """Creates a run directory and opens it for trajectories until the block is left.

        Raises:
            RunError: the directory cannot be created, or is not empty.
        """
        start = start or RunStart()
        content = {**configuration.model_dump(mode="json"), START: start.model_dump(mode="json")}
        with ExitStack() as stack:
            try:
                check_new_run(path)
                path.mkdir(parents=True, exist_ok=True)
                descriptor = stack.enter_context(locked(path, os.O_RDWR | os.O_CREAT))
                if os.fstat(descriptor).st_size > 0 or (path / TRAJECTORIES).exists():
                    raise holds_a_run(path)
                os.write(descriptor, json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n")
                directory = stack.enter_context(cls(path)._opened())
            except OSError as error:
                raise RunError(path, f"The run directory {path} cannot be created: {error}.") from None
            yield directory

    @classmethod
    @contextmanager
    def resume(cls, path: Path) -> Iterator["RunDirectory"]:
        """Opens an existing run directory for more trajectories until the block is left.

        A damaged last line, which a process leaves that is killed while it writes, is removed.

        Raises:
            RunError: the directory holds no run, another process holds it, or it is damaged elsewhere.
        """
        read_configuration(path)
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(path, os.O_RDWR))
                directory = stack.enter_context(cls(path)._opened())
                directory._read()
            except OSError as error:
                raise RunError(path, f"The run directory {path} cannot be resumed: {error}.") from None
            yield directory

    def append(self, trajectory: Trajectory) -> EpisodeResult:
        """Writes a trajectory. When this returns, the operating system has all of it.

        Raises:
            RunError: the trajectory cannot be written; no part of it is kept.
        """
        assert self._file is not None
        start = self._file.seek(0, os.SEEK_END)
        rest = memoryview(json_line(trajectory.to_json().encode()))
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
        """Moves the trajectories of failed episodes to `failed.jsonl`, so that they are played again.

        Returns:
            The number of trajectories that were moved.

        Raises:
            RunError: the files cannot be written; all trajectories are where they were.
        """
        failed = {key for key, result in self.results.items() if result.outcome == "failed"}
        if failed:
            kept_path = self.path / f"{TRAJECTORIES}.new"
            try:
                with (self.path / FAILED).open("ab") as aside, kept_path.open("wb") as kept:
                    for line, trajectory in trajectory_lines(self.path):
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
        """Writes the statistics.

        Raises:
            RunError: the file cannot be written.
        """
        unfinished = self.path / f"{SUMMARY}.new"
        try:
            unfinished.write_text(summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
            unfinished.replace(self.path / SUMMARY)
        except OSError as error:
            raise RunError(self.path, f"The run {self.path} cannot be written: {error}.") from None

    def remove_summary(self) -> None:
        """Removes the statistics, which further episodes will change."""
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
        # Unbuffered: bytes that could not be written must not be written later.
        self._file = (self.path / TRAJECTORIES).open("ab", buffering=0)

    def _read(self) -> None:
        assert self._file is not None
        end = 0
        line = b"\n"
        for line, trajectory in trajectory_lines(self.path):
            end += len(line)
            result = EpisodeResult.of(trajectory)
            self.results[result.key] = result
        self.cut = self._file.seek(0, os.SEEK_END) - end
        self._file.truncate(end)
        if not line.endswith(b"\n"):
            self._file.write(b"\n")
