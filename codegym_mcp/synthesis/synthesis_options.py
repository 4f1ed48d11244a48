"""Options of a synthesis."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from codegym_mcp.episode_limits import Limits
from codegym_mcp.verification.audit.grading_rules import Grade

TRIAL_LIMITS = Limits(call_seconds=1.0, start_seconds=2.0)
"""Limits under which drafts are tried: stricter than the limits of a server, so that a draft that never ends
delays the others only for a short time."""


class Method(StrEnum):
    """How environments are made."""

    MODEL = "model"
    """A language model writes them."""
    TRACE = "trace"
    """They are lifted out of the solutions by program analysis."""


class Tier(StrEnum):
    """How good the tasks of a traced solution are; each tier has the properties of those before it."""

    USABLE = "usable"
    """Tasks take 10 to 256 calls, half of which do more than read; no constant answer solves half of them."""
    STRICT = "strict"
    """There are three tools or more, and results decide about later calls."""
    NOT_BYPASSABLE = "not-bypassable"
    """Reading every hidden value is not cheaper than the oracle."""

    @property
    def rank(self) -> int:
        """The place of the tier, starting at 0."""
        return list(Tier).index(self)


class TracingFigures(BaseModel):
    """What tracing measured of an environment while it was made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tier: Tier
    variation: str
    """The way in which the solution was lifted."""
    adaptive: float | None
    """Share of the tasks for which the same values in another order lead to other calls, or None."""
    read_out: float | None
    """Calls that read every hidden value, as a multiple of the oracle's; None if no tool reveals them."""


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
    method: Method | None = None
    """How environments are made; None means `Method.MODEL`, as in folders of earlier versions."""
    tier: Tier | None = None
    """The lowest tier with which a traced environment is kept; None without tracing."""
