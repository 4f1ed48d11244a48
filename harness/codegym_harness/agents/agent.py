"""The protocol that every agent implements."""

from typing import Protocol

from codegym_harness.agents.agent_context import AsyncAgentContext
from codegym_harness.records.trajectory import AgentInfo

__all__ = ["Agent"]


class Agent(Protocol):
    """Plays episodes; it may play many at the same time.

    An exception of its own is the agent's failure and scores 0. A `CodegymError` means that the project could
    not do its work; the rollout is then not scored.
    """

    @property
    def info(self) -> AgentInfo:
        """The agent's name and version, as trajectories record them."""

    async def play(self, context: AsyncAgentContext) -> None:
        """Plays one episode, whose task, tools and means of recording are in the context."""
