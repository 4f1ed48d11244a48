"""Rollouts on the nodes of a Ray cluster. Whole episodes are played there, agent and environment."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pydantic import BaseModel

from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.episode_sources.episode_worker_service import EpisodeWorkerReady
from codegym_harness.ray_cluster.worker_host import OpenService
from codegym_harness.ray_cluster.worker_pool import RayWorkers
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import AgentInfo, Trajectory
from codegym_harness.rollouts.policy_worker_service import Operation
from codegym_mcp.models.spending_limits import Spending


class RayRollouts:
    """Rollouts of one agent. It implements `Rollouts`. Use `RayRollouts.start`.

    Attributes:
        agent: the agent's name and version.
        ready: the environments of the worker that was ready first.
    """

    def __init__(self, workers: RayWorkers, agent: AgentInfo, spending: Spending | None) -> None:
        self.agent = agent
        self._spending = spending
        self.ready = EpisodeWorkerReady.model_validate(workers.first_message)
        self._workers = workers

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        address: str,
        open_service: OpenService,
        options: BaseModel,
        agent: AgentInfo,
        *,
        most: int,
        spending: Spending | None = None,
        on_notice: Callable[[str], None],
    ) -> AsyncIterator["RayRollouts"]:
        """Starts workers on a cluster, which end when the block is left.

        Args:
            address, open_service, options, most, on_notice: see `RayWorkers.start`. The service plays
                assignments.
            spending: counts what a model uses on all nodes, and its limits; None for other agents.

        Raises:
            CodegymError: the cluster cannot be used, or cannot play.
        """
        async with RayWorkers.start(
            address, open_service, options, most=most, on_notice=on_notice
        ) as workers:
            yield cls(workers, agent, spending)

    async def play(self, assignment: Assignment) -> Trajectory:
        """Plays one assignment on a node; see `Rollouts.play`. If the node is lost, another one plays it.

        The limits of a model's tokens and cost hold for the whole run. They are checked before each episode,
        so that episodes in progress may exceed them.
        """
        if self._spending is not None:
            self._spending.check()
        line = await self._workers.execute(Operation.PLAY, assignment.model_dump(exclude_defaults=True))
        trajectory = Trajectory.model_validate_json(line)
        usage = EpisodeResult.of(trajectory).usage
        if self._spending is not None and usage is not None:
            self._spending.count(usage.tokens, usage.cost_usd or 0.0)
        return trajectory
