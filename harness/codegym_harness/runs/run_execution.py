"""Executes a run from its configuration: starts the agent and the episodes, plays, and writes the results."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from codegym_harness.agent_enclosure.enclosure_probe import check_enclosure
from codegym_harness.agents.agent import Agent
from codegym_harness.agents.agent_registry import AgentResources, make_agent
from codegym_harness.agents.command_agent import ProgramAgent
from codegym_harness.agents.model_agent import LanguageModelAgent
from codegym_harness.agents.policy_agents import ORACLE
from codegym_harness.clients.control_client import ControlClient, RunningServer
from codegym_harness.episode_sources.episode_source import (
    Assignment,
    EpisodeSource,
    ForeignEpisodes,
    ServedEpisodes,
)
from codegym_harness.episode_sources.episode_worker import EpisodeWorkerOptions
from codegym_harness.episode_sources.worker_episodes import WorkerEpisodes
from codegym_harness.processes.python_garbage_collector import rare_collections
from codegym_harness.processes.server_process import start_server
from codegym_harness.runs.concurrent_rollouts import play_assignments
from codegym_harness.runs.oracle_call_counts import OracleCallCounter
from codegym_harness.runs.resume_compatibility import check_configuration, check_environments, check_results
from codegym_harness.runs.run_config import RunConfig, recorded_config
from codegym_harness.runs.run_directory_reader import (
    BASELINES,
    CONFIGURATION,
    RUNS,
    TRAJECTORIES,
    RunStart,
    check_new_run,
    new_run_path,
    read_configuration,
)
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_harness.runs.run_observer import Observer
from codegym_harness.statistics.run_metrics import Summary
from codegym_mcp.errors import CodegymError
from codegym_mcp.sandbox.process.pool import SERVING_CPU_GRACE, SandboxPool
from codegym_mcp.spec.catalog import Catalog
from codegym_mcp.spec.catalog_entries import source_paths
from codegym_mcp.spec.environment_info import EnvironmentInfo
from codegym_mcp.storage.cache_directory import cache_directory

FOREIGN = "mcp"
"""The name of another MCP server in the records of a run."""


@dataclass(frozen=True)
class _Episodes:
    """The episodes of a run.

    Attributes:
        digests: the digest of each environment that is played, by name.
        scored: whether the episodes are of this project's environments.
    """

    source: EpisodeSource
    assignments: list[Assignment]
    digests: dict[str, str]
    scored: bool


async def run_evaluation(
    config: RunConfig,
    *,
    agent: Agent | None = None,
    out: Path | None = None,
    resume: Path | None = None,
    server: RunningServer | None = None,
    observer: Observer | None = None,
) -> Summary:
    """Executes a run, or what is missing of it.

    Args:
        agent: the agent, in place of the one that the configuration names.
        out: the run directory, which must not exist or be empty; a new one under `runs/` without it.
        resume: the directory of a run with this configuration. What it lacks is played, and so is what failed
            there without the agent's fault.
        server: the server that holds the episodes, if the configuration has a `server_url`.
        observer: receives the events of the run.

    Raises:
        CodegymError: the run cannot start, and nothing was written; or it was halted, and can be resumed.
    """
    observer = observer or Observer()
    async with AsyncExitStack() as stack:
        directory = None
        if resume is not None:
            check_configuration(resume, recorded_config(resume), config)
            directory = stack.enter_context(RunDirectory.resume(resume))
            if directory.cut:
                observer.notice(
                    f"The last line of {resume / TRAJECTORIES} was damaged: {directory.cut} bytes were "
                    "removed, and its episode is played again."
                )
        elif out is not None:
            check_new_run(out)
        path = resume or out or new_run_path(config.agent_name)
        player = agent if agent is not None else await stack.enter_async_context(_open_agent(config))
        if isinstance(player, ProgramAgent):
            await check_enclosure(player.options)
            player.conceal(_answer_paths(config.paths, path))
        episodes = await stack.enter_async_context(_open_episodes(config, player, server, observer))
        if directory is None:
            start = RunStart.now(episodes.assignments, episodes.digests)
            directory = stack.enter_context(RunDirectory.create(path, config, start))
        else:
            check_environments(directory.path, read_configuration(directory.path)[1], episodes.digests)
            keys = [each.key for each in episodes.assignments]
            check_results(directory.path, directory.results, keys)
        if isinstance(player, LanguageModelAgent):
            player.model.on_retry = observer.request_retried
            usages = [result.usage for result in directory.results.values() if result.usage is not None]
            player.model.spending.count(
                sum(usage.tokens for usage in usages), sum(usage.cost_usd or 0.0 for usage in usages)
            )
        counter = await stack.enter_async_context(_open_counter(config, player, episodes))
        stack.enter_context(rare_collections())
        return await play_assignments(
            player,
            episodes.source,
            episodes.assignments,
            directory,
            concurrency=config.episode_concurrency,
            seconds=config.seconds,
            seed=config.seed,
            counter=counter,
            observer=observer,
        )


async def run_baselines(
    configs: Sequence[RunConfig], run: Path, *, observer: Observer | None = None
) -> list[Summary]:
    """Executes the runs of baselines, each in a directory below that of a run.

    Args:
        run: the directory of the run; baselines that exist there already are resumed.

    Raises:
        CodegymError: see `run_evaluation`.
    """
    summaries = []
    for config in configs:
        path = run / BASELINES / config.agent
        exists = (path / CONFIGURATION).exists()
        summaries.append(
            await run_evaluation(
                config, out=None if exists else path, resume=path if exists else None, observer=observer
            )
        )
    return summaries


@asynccontextmanager
async def _open_agent(config: RunConfig) -> AsyncIterator[Agent]:
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
    else:
        # The policies run code of environments in the pool.
        async with _open_pool(config) as pool:
            yield make_agent(config.agent, AgentResources(pool, Catalog.load(config.paths), config.seed))


@asynccontextmanager
async def _open_pool(config: RunConfig) -> AsyncIterator[SandboxPool]:
    async with SandboxPool.open(
        allow_unconfined=config.allow_unconfined, cpu_grace=SERVING_CPU_GRACE
    ) as pool:
        yield pool


def _answer_paths(paths: Sequence[Path], run: Path) -> list[Path]:
    """Returns the paths that hold answers: environments, tasks, audits, cached results, and runs."""
    sources = source_paths(paths)
    files = [path for path in sources if path.suffix]
    beside = [path.with_suffix(suffix) for path in files for suffix in (".jsonl", ".audit.json", ".audits")]
    return [*sources, *beside, cache_directory(), RUNS, run]


@asynccontextmanager
async def _open_episodes(
    config: RunConfig, agent: Agent, server: RunningServer | None, observer: Observer
) -> AsyncIterator[_Episodes]:
    target = config.target()
    if target is not None:
        epochs = range(1, config.selection.epochs + 1)
        assignments = [Assignment(environment=FOREIGN, epoch=epoch) for epoch in epochs]
        yield _Episodes(ForeignEpisodes(target, prompt=config.prompt), assignments, {}, scored=False)
        return
    # Only a program needs an address to connect to; everything else is played without a protocol.
    if config.server_url is not None:
        opened = _connect(config, server)
    else:
        opened = _serve(config) if _plays_over_mcp(config, agent) else _start_worker(config, observer)
    async with opened as (source, environments):
        grades = Catalog.load(config.paths).grades() if config.selection.grade is not None else {}
        assignments = config.selection.assignments(environments, grades)
        played = {assignment.environment for assignment in assignments}
        digests = {each.name: each.digest for each in environments if each.name in played}
        yield _Episodes(source, assignments, digests, scored=True)


def _plays_over_mcp(config: RunConfig, agent: Agent) -> bool:
    return (config.model is None and not config.custom_agent) or isinstance(agent, ProgramAgent)


@asynccontextmanager
async def _serve(config: RunConfig) -> AsyncIterator[tuple[EpisodeSource, list[EnvironmentInfo]]]:
    """Opens episodes of a server process, which are played over MCP."""
    async with (
        start_server(
            config.paths, open_episodes=config.open_limit, allow_unconfined=config.allow_unconfined
        ) as server,
        ControlClient.connect(server.url, server.token, socket_path=server.socket_path) as control,
    ):
        yield ServedEpisodes(control, config.episode_limits), await _environments(control, config)


@asynccontextmanager
async def _connect(
    config: RunConfig, server: RunningServer | None
) -> AsyncIterator[tuple[EpisodeSource, list[EnvironmentInfo]]]:
    """Opens episodes of a server that runs already."""
    if server is None or server.url != config.server_url:
        raise CodegymError(
            f"The run plays episodes of the server {config.server_url}, whose token it does not record.",
            hint="Give the server again: server=…",
        )
    async with ControlClient.connect(server.url, server.token) as control:
        yield ServedEpisodes(control, config.episode_limits), await _environments(control, config)


async def _environments(control: ControlClient, config: RunConfig) -> list[EnvironmentInfo]:
    """Returns the environments that the run may play, or all if none of that name exists."""
    globs = config.selection.environments
    return await control.environments(*globs) or await control.environments()


@asynccontextmanager
async def _start_worker(
    config: RunConfig, observer: Observer
) -> AsyncIterator[tuple[EpisodeSource, list[EnvironmentInfo]]]:
    """Opens episodes of a worker process, for agents whose calls this process makes itself."""
    options = EpisodeWorkerOptions(
        paths=config.paths,
        globs=config.selection.environments,
        open_limit=config.open_limit,
        allow_unconfined=config.allow_unconfined,
    )
    async with WorkerEpisodes.start(options, config.episode_limits) as episodes:
        for problem in episodes.ready.problems:
            observer.notice(problem)
        yield episodes, episodes.ready.environments


@asynccontextmanager
async def _open_counter(
    config: RunConfig, agent: Agent, episodes: _Episodes
) -> AsyncIterator[OracleCallCounter | None]:
    """Opens a counter of the oracle's calls, or None if the run does not need one."""
    generated = any(assignment.difficulty is not None for assignment in episodes.assignments)
    wanted = config.count_oracle_calls and generated and episodes.scored and config.server_url is None
    if not wanted or agent.info.name == ORACLE:
        yield None
        return
    async with _open_pool(config) as pool:
        yield OracleCallCounter(pool, Catalog.load(config.paths), episodes.source)
