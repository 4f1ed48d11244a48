"""Reads as much of a run as can be read, and says what cannot: for reports and viewers.

Other readers stop at the first damaged line, since figures that silently lack episodes would mislead.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from codegym_harness.records.trajectory import Trajectory
from codegym_harness.runs.run_directory_reader import (
    CONFIGURATION,
    TRAJECTORIES,
    RunStart,
    read_configuration,
)
from codegym_mcp.errors import RunError
from codegym_mcp.validation_messages import first_fault
from codegym_mcp.version import VERSION

_LINES_NAMED = 5


@dataclass
class ReadableRun:
    """A run directory, however damaged.

    Attributes:
        path: the run directory.
        configuration: the recorded configuration; empty if it cannot be read.
        start: when the run started and what it plays.
        problems: what is wrong with the configuration.
        line_problems: by line number: what is wrong with a line of the trajectories, as of the last reading.
        unknown_fields: fields that this version does not know and left out, as of the last reading.
    """

    path: Path
    configuration: dict[str, Any] = field(default_factory=dict)
    start: RunStart = field(default_factory=RunStart)
    problems: list[str] = field(default_factory=list)
    line_problems: dict[int, str] = field(default_factory=dict)
    unknown_fields: set[str] = field(default_factory=set)

    @property
    def version(self) -> str:
        """The version of this program that started the run, or the empty string."""
        return str(self.configuration.get("version") or "")

    def trajectories(self) -> Iterator[Trajectory]:
        """Yields the trajectories that can be read.

        Raises:
            RunError: the file exists and cannot be read at all.
        """
        self.line_problems.clear()
        self.unknown_fields.clear()
        try:
            with (self.path / TRAJECTORIES).open("rb") as file:
                for number, line in enumerate(file, 1):
                    trajectory = self._read(number, line)
                    if trajectory is not None:
                        yield trajectory
        except FileNotFoundError:
            return
        except OSError as error:
            raise RunError(self.path, f"{self.path / TRAJECTORIES} cannot be read: {error}.") from None

    def reading_problems(self) -> list[str]:
        """Returns what the last reading found wrong, one sentence each."""
        found = []
        if self.line_problems:
            named = [f"{number} ({reason})" for number, reason in self.line_problems.items()][:_LINES_NAMED]
            rest = len(self.line_problems) - len(named)
            more = f", and {rest} more" if rest else ""
            lines = "1 line" if len(self.line_problems) == 1 else f"{len(self.line_problems)} lines"
            found.append(
                f"{lines} of {TRAJECTORIES} cannot be read, so the episodes are missing: line "
                f"{', line '.join(named)}{more}."
            )
        if self.unknown_fields:
            found.append(
                f"Fields that version {VERSION} does not know are left out: "
                f"{', '.join(sorted(self.unknown_fields)[:_LINES_NAMED])}."
            )
        return found

    def _read(self, number: int, line: bytes) -> Trajectory | None:
        try:
            return Trajectory.model_validate_json(line)
        except ValidationError as error:
            kinds = {detail["type"] for detail in error.errors(include_url=False, include_context=False)}
            if kinds == {"extra_forbidden"}:
                return self._read_known_fields(line, error)
            if not line.endswith(b"\n"):
                self.line_problems[number] = "incomplete: a process was writing it, or was killed"
            elif kinds == {"json_invalid"}:
                self.line_problems[number] = "not JSON"
            else:
                self.line_problems[number] = str(first_fault(error))
            return None

    def _read_known_fields(self, line: bytes, error: ValidationError) -> Trajectory:
        """Reads a trajectory of another version without the fields that this version does not know."""
        content = from_json(line)
        for detail in error.errors(include_url=False, include_context=False):
            *parents, name = detail["loc"]
            place = content
            for parent in parents:
                place = place[parent]
            del place[name]
            self.unknown_fields.add(
                ".".join(part for part in map(str, detail["loc"]) if not part.isdecimal())
            )
        return Trajectory.model_validate(content)


def open_readable_run(path: Path) -> ReadableRun:
    """Opens a run directory for reading as far as possible.

    Raises:
        RunError: the directory holds neither a configuration nor trajectories of a run.
    """
    try:
        configuration, start = read_configuration(path)
    except RunError as error:
        if not (path / TRAJECTORIES).is_file() and not (path / CONFIGURATION).is_file():
            raise
        return ReadableRun(path, problems=[error.message])
    run = ReadableRun(path, configuration, start)
    if run.version != VERSION:
        run.problems.append(f"The run was started by version {run.version or 'unknown'}; this is {VERSION}.")
    return run
