"""The summary of an export: what it kept, dropped, lost and changed."""

from pathlib import Path

from pydantic import BaseModel


class ExportedFile(BaseModel):
    """A file that an export wrote."""

    path: Path
    rows: int
    messages: int
    """Prompts, turns of the agent, and results."""
    environments: int


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
