"""The limits of an episode."""

from pydantic import BaseModel, ConfigDict, Field

MIB = 1 << 20


class Limits(BaseModel):
    """The limits of an episode. The agent is told when a call exceeds one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: int = Field(default=256, ge=1, le=100_000)
    """Number of tool calls. A valid submission is not counted, a refused submission is."""
    call_seconds: float = Field(default=5.0, gt=0, le=600)
    """Maximum duration of one call in seconds."""
    start_seconds: float = Field(default=10.0, gt=0, le=600)
    """Maximum duration in seconds of opening the environment, of the reference answer, of the final state and
    of judging."""
    memory_bytes: int = Field(default=256 * MIB, ge=16 * MIB, le=1 << 40)
    """Maximum memory of the environment's process in bytes."""
    result_bytes: int = Field(default=64 * 1024, ge=256, le=MIB)
    """Maximum length of one result as JSON in bytes."""
    argument_bytes: int = Field(default=256 * 1024, ge=256, le=MIB // 2)
    """Maximum length of the arguments of one call, or of the answer, as JSON in bytes."""
    idle_seconds: float = Field(default=1800.0, gt=0, allow_inf_nan=False)
    """Seconds without a call after which an open episode expires."""
