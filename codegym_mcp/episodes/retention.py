"""How long a server keeps episodes that have ended."""

from pydantic import BaseModel, ConfigDict, Field


class Retention(BaseModel):
    """How long a server keeps episodes that have ended. Open episodes are always kept.

    The limits in seconds and the counts apply together: what exceeds either is removed, the oldest first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    events_seconds: float = Field(default=3600.0, ge=0)
    """Seconds for which the events of an ended episode stay in memory. A journal in a file keeps them."""
    events_count: int = Field(default=1000, ge=0)
    """Number of ended episodes whose events stay in memory."""
    verdicts_seconds: float = Field(default=86_400.0, ge=0)
    """Seconds for which the state and the verdict of an ended episode stay in memory without its events."""
    verdicts_count: int = Field(default=10_000, ge=0)
    """Number of ended episodes whose state and verdict stay in memory without their events."""
    journal_seconds: float | None = Field(default=None, ge=0)
    """Seconds after which an ended episode is deleted from a journal in a file, or None to keep it."""
    journal_bytes: int | None = Field(default=None, ge=0)
    """Size of a journal in a file above which its oldest ended episodes are deleted, or None for no limit."""
