"""A service that plays whole episodes on another machine with the agent that a configuration names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import BaseModel

from codegym_harness.agent_enclosure.enclosure_probe import check_enclosure
from codegym_harness.agents.command_agent import ProgramAgent
from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.episode_sources.episode_worker_service import EpisodeWorkerReady
from codegym_harness.rollouts.agent_rollouts import Rollouts
from codegym_harness.rollouts.policy_worker_service import Operation
from codegym_harness.runs.paths_with_answers import answer_paths
from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.run_observer import Observer
from codegym_harness.runs.run_opening import open_agent, open_worker_rollouts


class RunWorker:
    """Plays episodes for a run elsewhere. It is a `WorkerService`."""

    def __init__(self, rollouts: Rollouts, ready: EpisodeWorkerReady) -> None:
        self._rollouts = rollouts
        self.ready: BaseModel = ready

    @classmethod
    @asynccontextmanager
    async def open(cls, config: RunConfig) -> AsyncIterator["RunWorker"]:
        """Opens the agent and its episodes until the block is left.

        A model's key is read from the environment variables of this machine.

        Raises:
            CodegymError: the agent cannot be used, or the environments cannot be read or confined here.
        """
        problems = _Problems()
        async with open_agent(config) as agent:
            if isinstance(agent, ProgramAgent):
                await check_enclosure(agent.options)
                agent.conceal(answer_paths(config.paths))
            async with open_worker_rollouts(config, agent, problems) as (rollouts, environments):
                yield cls(rollouts, EpisodeWorkerReady(environments=environments, problems=problems.found))

    async def execute(self, operation: str, *arguments: Any) -> str:
        """Plays an assignment and returns its trajectory as JSON; see `WorkerService.execute`."""
        match operation, arguments:
            case Operation.PLAY, [assignment]:
                trajectory = await self._rollouts.play(Assignment.model_validate(assignment))
                return trajectory.to_json()
        raise ValueError(f"{operation} does not take {len(arguments)} arguments")


class _Problems(Observer):
    """Collects why some environments cannot be used."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def notice(self, text: str) -> None:
        self.found.append(text)
