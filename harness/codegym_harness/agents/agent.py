"""Agents: whatever plays and is watched and scored doing it."""

from typing import Protocol

from codegym_harness.records.trajectory import AgentInfo
from codegym_mcp.episode_interface import EpisodeProtocol

__all__ = ["Agent"]


class Agent(Protocol):
    """Something that plays, many episodes at once.

    An exception of its own is the agent's failure. One of this project's errors (`CodegymError`) says that it
    could not do its work, and is not held against it.
    """

    @property
    def info(self) -> AgentInfo:
        """How trajectories name it."""

    async def play(self, playable: EpisodeProtocol, epoch: int) -> None:
        """Plays one episode.

        Args:
            epoch: the how-manieth attempt at the task, from 1; what acts at random acts differently in each.
        """
