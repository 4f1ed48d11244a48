"""Rollouts of one agent: what a run plays its assignments with."""

from dataclasses import dataclass
from typing import Protocol

from codegym_harness.agents.agent import Agent
from codegym_harness.episode_sources.episode_source import Assignment, EpisodeSource
from codegym_harness.records.trajectory import AgentInfo, Trajectory
from codegym_harness.rollouts.oracle_call_counts import OracleCallCounter
from codegym_harness.rollouts.rollout import DEFAULT_SECONDS, roll_out


class Rollouts(Protocol):
    """Plays assignments with one agent, any number at the same time."""

    @property
    def agent(self) -> AgentInfo:
        """The agent's name and version."""

    async def play(self, assignment: Assignment) -> Trajectory:
        """Plays one assignment. Errors are recorded in the trajectory, not raised.

        Raises:
            RunHaltedError: the rollout must not be kept, and no further episode could succeed.
        """


@dataclass(frozen=True)
class AgentRollouts:
    """Rollouts of an agent in this process. It implements `Rollouts`.

    Attributes:
        seconds: the agent's time for one episode in seconds.
        seed: seeds the random generators of the agent's contexts.
        counter: counts the oracle's calls for generated tasks, or None if they are not recorded.
    """

    player: Agent
    source: EpisodeSource
    seconds: float = DEFAULT_SECONDS
    seed: int = 0
    counter: OracleCallCounter | None = None

    @property
    def agent(self) -> AgentInfo:
        """The agent's name and version."""
        return self.player.info

    async def play(self, assignment: Assignment) -> Trajectory:
        """Plays one assignment; see `Rollouts.play`."""
        trajectory = await roll_out(
            self.player, self.source, assignment, seconds=self.seconds, seed=self.seed
        )
        record = trajectory.extra
        if self.counter is not None and assignment.difficulty is not None and record.oracle_calls is None:
            record.oracle_calls = await self.counter.count(assignment)
        return trajectory
