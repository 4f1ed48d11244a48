"""The summary of an export: what it kept, dropped, lost and changed."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from codegym_harness.records.trajectory import Trajectory


class ExportedFile(BaseModel):
    """A file that an export wrote."""

    path: Path | str
    """A file or a directory, or the address to which the episodes were sent."""
    rows: int
    messages: int
    """Prompts, turns of the agent, and results."""
    environments: int


@dataclass
class FileCounts:
    """Counts what is written to a file or directory."""

    path: Path | str
    rows: int = 0
    messages: int = 0
    environments: set[str] = field(default_factory=set)

    def add(self, trajectory: Trajectory) -> None:
        """Counts a trajectory."""
        self.rows += 1
        self.messages += sum(
            1 + (len(step.observation.results) if step.observation is not None else 0)
            for step in trajectory.steps
        )
        self.environments.add(trajectory.extra.environment)

    def described(self) -> ExportedFile:
        """Returns the counts as a part of the summary."""
        return ExportedFile(
            path=self.path, rows=self.rows, messages=self.messages, environments=len(self.environments)
        )


class ExportSummary(BaseModel):
    """The summary of an export: what it kept, dropped, lost and changed."""

    format: str
    runs: list[Path]
    read: int
    """The number of trajectories in the runs."""
    dropped: dict[str, int]
    """By filter, in the order of their application; then by the reason why the format cannot hold them."""
    kept: int
    files: list[ExportedFile]
    lost: dict[str, int]
    """What the format cannot hold, by its path in the record, the most frequent first."""
    changed: dict[str, int]
    """What was changed to fit the format, by the kind of the change."""
