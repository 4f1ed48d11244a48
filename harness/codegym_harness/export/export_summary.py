"""What an export kept, dropped and lost."""

from pathlib import Path

from pydantic import BaseModel


class ExportedFile(BaseModel):
    """A file that was written."""

    path: Path
    rows: int
    messages: int
    """Everything that was said, called for and read: prompts, the agent's turns, results."""
    environments: int


class ExportSummary(BaseModel):
    """What an export kept, dropped and lost."""

    format: str
    runs: list[Path]
    read: int
    """Trajectories that the runs hold."""
    dropped: dict[str, int]
    """By filter, in the order in which they applied; last what the format cannot hold, by reason."""
    kept: int
    files: list[ExportedFile]
    lost: dict[str, int]
    """What the format has no place for, by its place in the record, the most frequent first."""
    changed: dict[str, int]
    """What was done to fit the format, by what it was."""
