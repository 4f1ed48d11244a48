"""The settings of one episode."""

from pydantic import BaseModel, ConfigDict

from codegym_mcp.episode_limits import Limits


class EpisodeSettings(BaseModel):
    """The limits of an episode and what its agent may see."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limits: Limits = Limits()
    reveal: bool = False
    """Whether the agent sees the verdict when it submits. Never for training or evaluation."""
