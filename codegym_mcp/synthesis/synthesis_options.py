"""How environments are synthesized."""

from pydantic import BaseModel, ConfigDict, Field

from codegym_mcp.limits import Limits
from codegym_mcp.verification.audit.grades import Grade

TRIAL_LIMITS = Limits(call_seconds=1.0, start_seconds=2.0)
"""Under which environments are tried: stricter than those under which they are served, so that one that never
ends holds up the others for a short time only."""


class SynthesisOptions(BaseModel):
    """How environments are synthesized. What came of a problem holds for the same options only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: int = Field(default=1, ge=1, le=100)
    """Environments that are tried for each problem."""
    oracles: int = Field(default=4, ge=1, le=100)
    """Oracles that are written for each environment, apart from each other."""
    repairs: int = Field(default=3, ge=0, le=100)
    """How often something that does not do is given back to the model, for each environment."""
    configurations: int = Field(default=16, ge=4, le=64)
    """Configurations that the model is asked for."""
    tasks: int = Field(default=8, ge=1, le=64)
    """Tasks that an environment must have in the end."""
    grade: Grade = Grade.B
    """The worst grade with which an environment is kept."""
