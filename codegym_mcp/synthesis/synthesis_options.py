"""Options of a synthesis."""

from pydantic import BaseModel, ConfigDict, Field

from codegym_mcp.episode_limits import Limits
from codegym_mcp.verification.audit.grades import Grade

TRIAL_LIMITS = Limits(call_seconds=1.0, start_seconds=2.0)
"""Limits under which drafts are tried: stricter than the limits of a server, so that a draft that never ends
delays the others only for a short time."""


class SynthesisOptions(BaseModel):
    """Options of a synthesis. A stored outcome is valid for the same options only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: int = Field(default=1, ge=1, le=100)
    """Number of candidates for each problem."""
    oracles: int = Field(default=4, ge=1, le=100)
    """Number of oracles that are written independently for each environment."""
    repairs: int = Field(default=3, ge=0, le=100)
    """Number of repairs of meaning for each environment; repairs of form are counted apart, with the same
    limit."""
    configurations: int = Field(default=16, ge=4, le=64)
    """Number of configurations that the model is asked for."""
    tasks: int = Field(default=8, ge=1, le=64)
    """Least number of tasks of a finished environment."""
    grade: Grade = Grade.B
    """The lowest grade with which an environment is kept."""
