"""The worker process in which a built-in agent plays whole episodes; see `processes.worker_service`.

It is started as `python -m codegym_harness.rollouts.policy_worker_service DESCRIPTOR` with its options on
stdin.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from codegym_harness.agents.agent_registry import AgentResources, make_agent
from codegym_harness.agents.policy_agents import ORACLE
from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.episode_sources.episode_worker_service import (
    EpisodeWorkerOptions,
    EpisodeWorkerReady,
    worker_episodes,
)
from codegym_harness.episode_sources.in_process_episodes import InProcessEpisodes
from codegym_harness.processes.worker_service import run_worker
from codegym_harness.rollouts.agent_rollouts import AgentRollouts, Rollouts
from codegym_harness.rollouts.oracle_call_counts import OracleCallCounter
from codegym_mcp.episode_limits import Limits


class Operation(StrEnum):
    """What a worker can be asked to do."""

    PLAY = "play"


class PolicyWorkerOptions(EpisodeWorkerOptions):
    """The settings of a worker."""

    agent: str
    """The name of a built-in agent."""
    limits: Limits
    """The limits of every episode."""
    seconds: float
    """The agent's time for one episode in seconds."""
    seed: int
    """Seeds agents that act at random."""
    count_oracle_calls: bool
    """Whether the oracle plays each generated task once, to record how many calls it needs."""


class PolicyWorker:
    """Plays episodes for a run. It is a `WorkerService`."""

    def __init__(self, rollouts: Rollouts, ready: EpisodeWorkerReady) -> None:
        self._rollouts = rollouts
        self.ready: BaseModel = ready

    @classmethod
    @asynccontextmanager
    async def open(cls, options: PolicyWorkerOptions) -> AsyncIterator["PolicyWorker"]:
        """Opens what the episodes and the agent need until the block is left.

        Raises:
            CodegymError: the environments cannot be read, or not be confined here.
        """
        async with worker_episodes(options) as episodes:
            pool, catalog = episodes.pool, episodes.catalog
            source = InProcessEpisodes(episodes, options.limits)
            counted = options.count_oracle_calls and options.agent != ORACLE
            rollouts = AgentRollouts(
                make_agent(options.agent, AgentResources(pool, catalog, options.seed)),
                source,
                seconds=options.seconds,
                seed=options.seed,
                counter=OracleCallCounter(pool, catalog, source) if counted else None,
            )
            yield cls(rollouts, EpisodeWorkerReady.of(catalog, options))

    async def execute(self, operation: str, *arguments: Any) -> str:
        """Plays an assignment and returns its trajectory as JSON; see `WorkerService.execute`."""
        match operation, arguments:
            case Operation.PLAY, [assignment]:
                trajectory = await self._rollouts.play(Assignment.model_validate(assignment))
                return trajectory.to_json()
        raise ValueError(f"{operation} does not take {len(arguments)} arguments")


if __name__ == "__main__":
    run_worker(PolicyWorkerOptions, PolicyWorker.open)
