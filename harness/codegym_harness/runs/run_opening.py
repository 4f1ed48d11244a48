"""Opens what a run plays with: the agent, the episodes, and the tasks that it plays."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegym_harness.agents.agent import Agent
from codegym_harness.agents.agent_registry import AGENT_NAMES, AgentResources, make_agent
from codegym_harness.agents.command_agent import ProgramAgent
from codegym_harness.agents.function_agent import load_function
from codegym_harness.agents.model_agent import LanguageModelAgent
from codegym_harness.agents.policy_agents import ORACLE
from codegym_harness.episode_sources.episode_source import Assignment, EpisodeSource
from codegym_harness.records.trajectory import AgentInfo
from codegym_harness.rollouts.agent_rollouts import AgentRollouts, Rollouts
from codegym_harness.rollouts.oracle_call_counts import OracleCallCounter
from codegym_harness.rollouts.policy_rollouts import PolicyRollouts
from codegym_harness.rollouts.policy_worker_service import PolicyWorker, PolicyWorkerOptions
from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.run_observer import Observer
from codegym_harness.runs.source_opening import open_source, report_problems, worker_options
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.errors import CodegymError
from codegym_mcp.sandbox.process.pool import SERVING_CPU_GRACE, SandboxPool
from codegym_mcp.version import VERSION

if TYPE_CHECKING:
    # The MCP client is imported only by runs over MCP: it takes longer than everything else.
    from codegym_harness.clients.control_client import RunningServer

FOREIGN = "mcp"
"""The name of another MCP server in the records of a run."""


@dataclass(frozen=True)
class OpenRollouts:
    """What a run plays, ready to be played.

    Attributes:
        digests: the digest of each environment that is played, by name.
    """

    rollouts: Rollouts
    assignments: list[Assignment]
    digests: dict[str, str]


@asynccontextmanager
async def open_agent(config: RunConfig) -> AsyncIterator[Agent | None]:
    """Opens the agent that a configuration names, or None for one that plays in worker processes.

    Raises:
        CodegymError: the agent does not exist or cannot be used.
    """
    if config.custom_agent:
        raise CodegymError(
            f"The agent {config.agent} was given as an object, which a run directory cannot hold.",
            hint="Give the agent again, to evaluate or to resume.",
        )
    if config.model is not None:
        async with LanguageModelAgent.open(config.model) as model_agent:
            yield model_agent
    elif config.command is not None:
        yield ProgramAgent(config.command, options=config.enclosure)
    elif ":" in config.agent:
        yield load_function(config.agent)
    elif config.agent in AGENT_NAMES and _plays_in_workers(config):
        yield None
    else:
        async with _open_pool(config) as pool:
            yield make_agent(config.agent, AgentResources(pool, Catalog.load(config.paths), config.seed))


@asynccontextmanager
async def open_rollouts(
    config: RunConfig,
    agent: Agent | None,
    server: "RunningServer | None",
    ray_address: str | None,
    observer: Observer,
) -> AsyncIterator[OpenRollouts]:
    """Opens the episodes of a run for its agent, and selects the tasks.

    Args:
        agent: the agent, or None for a built-in agent that plays in worker processes.
        ray_address: the Ray cluster whose nodes play the episodes, or None.

    Raises:
        CodegymError: the episodes cannot be served here, or what the run selects does not exist.
    """
    if ray_address is not None:
        opened = _open_ray_rollouts(config, agent, ray_address, observer)
    elif agent is None:
        opened = _open_policy_rollouts(config, observer)
    elif config.target() is not None:
        opened = _open_foreign_rollouts(config, agent)
    else:
        opened = _open_agent_rollouts(config, agent, server, observer)
    async with opened as rollouts:
        yield rollouts


@asynccontextmanager
async def _open_policy_rollouts(config: RunConfig, observer: Observer) -> AsyncIterator[OpenRollouts]:
    async with PolicyRollouts.start(_policy_options(config)) as rollouts:
        report_problems(rollouts.ready.problems, observer)
        assignments = _select(config, rollouts.ready.environments)
        await rollouts.extend(len(assignments), config.episode_concurrency)
        yield OpenRollouts(rollouts, assignments, _digests(rollouts.ready.environments, assignments))


def _policy_options(config: RunConfig) -> PolicyWorkerOptions:
    return PolicyWorkerOptions(
        **worker_options(config).model_dump(),
        agent=config.agent,
        limits=config.episode_limits,
        seconds=config.seconds,
        seed=config.seed,
        count_oracle_calls=config.count_oracle_calls,
    )


@asynccontextmanager
async def _open_ray_rollouts(
    config: RunConfig, agent: Agent | None, address: str, observer: Observer
) -> AsyncIterator[OpenRollouts]:
    """Opens workers on a Ray cluster, which hold the agent and its episodes."""
    from codegym_harness.ray_cluster.ray_rollouts import RayRollouts
    from codegym_harness.runs.run_worker import RunWorker

    if config.target() is not None or config.server_url is not None or config.custom_agent:
        raise CodegymError(
            "The nodes of a Ray cluster open the agent and the episodes themselves. They cannot play another "
            "MCP server, episodes of a server, or with an agent that is an object of this process.",
            hint="Name the agent (a built-in one, a model, FILE.py:FUNCTION or a program), or leave Ray out.",
        )
    open_service, options = (
        (PolicyWorker.open, _policy_options(config)) if agent is None else (RunWorker.open, config)
    )
    async with RayRollouts.start(
        address,
        open_service,
        options,
        agent.info if agent is not None else AgentInfo(name=config.agent, version=VERSION),
        most=config.episode_concurrency,
        spending=agent.model.spending if isinstance(agent, LanguageModelAgent) else None,
        on_notice=observer.notice,
    ) as rollouts:
        report_problems(rollouts.ready.problems, observer)
        assignments = _select(config, rollouts.ready.environments)
        yield OpenRollouts(rollouts, assignments, _digests(rollouts.ready.environments, assignments))


@asynccontextmanager
async def open_worker_rollouts(
    config: RunConfig, agent: Agent | None, observer: Observer
) -> AsyncIterator[tuple[Rollouts, list[EnvironmentInfo]]]:
    """Opens rollouts of an agent for a worker, which is told what to play; yields the environments, too.

    Raises:
        CodegymError: the environments cannot be read, or not be confined here.
    """
    assert agent is not None
    async with (
        open_source(config, agent, None, observer) as source,
        _open_counter(config, agent, source.episodes) as counter,
    ):
        yield _rollouts(config, agent, source.episodes, counter), source.environments


@asynccontextmanager
async def _open_foreign_rollouts(config: RunConfig, agent: Agent) -> AsyncIterator[OpenRollouts]:
    """Opens connections to another MCP server."""
    from codegym_harness.episode_sources.mcp_episodes import ThirdPartyEpisodes

    target = config.target()
    assert target is not None
    epochs = range(1, config.selection.epochs + 1)
    yield OpenRollouts(
        _rollouts(config, agent, ThirdPartyEpisodes(target, config.limits, prompt=config.prompt)),
        [Assignment(environment=FOREIGN, epoch=epoch) for epoch in epochs],
        {},
    )


@asynccontextmanager
async def _open_agent_rollouts(
    config: RunConfig, agent: Agent, server: "RunningServer | None", observer: Observer
) -> AsyncIterator[OpenRollouts]:
    async with open_source(config, agent, server, observer) as source:
        assignments = _select(config, source.environments)
        generated = any(assignment.difficulty is not None for assignment in assignments)
        counting = _open_counter(config, agent, source.episodes) if generated else nullcontext()
        async with counting as counter:
            yield OpenRollouts(
                _rollouts(config, agent, source.episodes, counter),
                assignments,
                _digests(source.environments, assignments),
            )


def _rollouts(
    config: RunConfig, agent: Agent, source: EpisodeSource, counter: OracleCallCounter | None = None
) -> Rollouts:
    return AgentRollouts(agent, source, config.seconds, config.seed, counter)


def _select(config: RunConfig, environments: Sequence[EnvironmentInfo]) -> list[Assignment]:
    grades: Mapping[str, str] = {}
    if config.selection.grade is not None:
        grades = Catalog.load(config.paths).grades()
    return config.selection.assignments(environments, grades)


def _digests(environments: Sequence[EnvironmentInfo], assignments: Sequence[Assignment]) -> dict[str, str]:
    played = {assignment.environment for assignment in assignments}
    return {each.name: each.digest for each in environments if each.name in played}


def _plays_in_workers(config: RunConfig) -> bool:
    """Returns whether a built-in agent plays where the episodes are."""
    return config.target() is None and config.server_url is None and not config.over_mcp


@asynccontextmanager
async def _open_pool(config: RunConfig) -> AsyncIterator[SandboxPool]:
    async with SandboxPool.open(
        allow_unconfined=config.allow_unconfined, cpu_grace=SERVING_CPU_GRACE
    ) as pool:
        yield pool


@asynccontextmanager
async def _open_counter(
    config: RunConfig, agent: Agent, source: EpisodeSource
) -> AsyncIterator[OracleCallCounter | None]:
    """Opens a counter of the oracle's calls for generated tasks, or None if the run does not need one."""
    wanted = config.count_oracle_calls and config.server_url is None
    if not wanted or agent.info.name == ORACLE:
        yield None
        return
    async with _open_pool(config) as pool:
        yield OracleCallCounter(pool, Catalog.load(config.paths), source)
