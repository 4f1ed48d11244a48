"""The limits of an episode."""

from pydantic import BaseModel, ConfigDict, Field

MIB = 1 << 20


class Limits(BaseModel):
    """What an episode may use. What a limit did is told to the agent and stands in the trajectory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: int = Field(default=256, ge=1, le=100_000)
    """Tool calls; the submission is not one, a refused submission is."""
    call_seconds: float = Field(default=5.0, gt=0, le=600)
    """Seconds that one call may take."""
    start_seconds: float = Field(default=10.0, gt=0, le=600)
    """Seconds that opening the environment, the reference answer or the judgement may take."""
    memory_bytes: int = Field(default=256 * MIB, ge=16 * MIB, le=1 << 40)
    """Memory of the environment's process, in bytes."""
    result_bytes: int = Field(default=64 * 1024, ge=256, le=MIB)
    """Length of one result as JSON, in bytes."""
    argument_bytes: int = Field(default=256 * 1024, ge=256, le=MIB // 2)
    """Length of the arguments of one call, or of the answer, as JSON, in bytes."""
    idle_seconds: float = Field(default=1800.0, gt=0, allow_inf_nan=False)
    """Seconds without a call after which an open episode expires."""
