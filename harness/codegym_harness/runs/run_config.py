"""A whole run from its configuration: agent, server, episodes, files."""

import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from mcp import StdioServerParameters
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from codegym_mcp import __version__
from codegym_mcp.spec.catalog import Catalog, bundled_path
from codegym_mcp.errors import CodegymError, RunError
from codegym_mcp.limits import Limits
from codegym_mcp.models.retries import PATIENCE_SECONDS
from codegym_mcp.sandbox.process.pool import BUSY_PATIENCE, SandboxPool
from codegym_mcp.server.control_plane import EnvironmentInfo
from codegym_mcp.verification.audit.audit_files import current_grades
from codegym_mcp.verification.verification_cache import cache_directory
from codegym_harness.agents.agent import Agent
from codegym_harness.agents.command_agent import CommandAgent
from codegym_harness.agents.model_agent import ModelAgent, ModelAgentOptions
from codegym_harness.agents.agent_registry import BASELINE_NAMES, NEEDS_SOURCES, AgentResources, make_agent
from codegym_harness.clients.mcp_client import Target
from codegym_harness.clients.control_client import ControlClient
from codegym_harness.runs.evaluation import DEFAULT_CONCURRENCY, Selection, Observer, evaluate
from codegym_harness.processes.garbage_collection import rare_collections
from codegym_harness.episode_sources.episode_worker import EpisodeWorkerOptions
from codegym_harness.episode_sources.worker_episodes import WorkerEpisodes
from codegym_harness.statistics.run_metrics import Summary
from codegym_harness.runs.resume_checks import check_configuration, check_environments, check_results
from codegym_harness.runs.rollout import DEFAULT_SECONDS
from codegym_harness.runs.run_directory import (
    BASELINES,
    CONFIGURATION,
    RUNS,
    TRAJECTORIES,
    Begun,
    RunDirectory,
    new_run_path,
    read_configuration,
)
from codegym_harness.processes.server_process import start_server
from codegym_harness.episode_sources.sources import Assignment, EpisodeSource, ForeignEpisodes, ServedEpisodes

FOREIGN = "mcp"
"""What a server that is not ours is called in the records of a run."""


class RunConfig(BaseModel):
    """What is to be run. It stands in the run directory as `run.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent: str = "model"
    """The agent's name, or `module:function`, or `file.py:function`; `model` for the language model below,
    `command` for the program."""
    model: ModelAgentOptions | None = None
    """The language model that plays, and how it is asked."""
    command: str | None = None
    """The program that plays, with its arguments; see `codegym_harness.agents.command_agent`."""
    paths: tuple[Path, ...] = ()
    """Where environments come from; the bundled ones without any."""
    selection: Selection = Selection()
    limits: Limits = Limits()
    """Of every episode."""
    concurrency: int = Field(default=DEFAULT_CONCURRENCY, ge=1)
    """Episodes at once."""
    seconds: float = Field(default=DEFAULT_SECONDS, gt=0)
    """How long the agent may take for an episode."""
    seed: int = 0
    """For agents that act at random."""
    mcp_url: str | None = None
    """Play the tools of the MCP server there, unscored, instead of environments of ours."""
    mcp_command: str | None = None
    """The same for a server that a command starts, one for each episode."""
    prompt: str = ""
    """The task text for such a server; its own instructions without one."""
    allow_unconfined: bool = False
    """Run environments also where the system cannot confine them."""
    version: str = __version__

    @model_validator(mode="after")
    def _has_one_player(self) -> Self:
        if (self.agent == "model") != (self.model is not None):
            raise ValueError("the agent `model` needs a model, and no other agent takes one")
        if (self.agent == "command") != (self.command is not None):
            raise ValueError("the agent `command` needs a command, and no other agent takes one")
        return self

    @property
    def player(self) -> str:
        """What to call whoever plays."""
        return self.model.name if self.model is not None else self.agent

    def target(self) -> Target | None:
        """The MCP server to play that is not ours, or None.

        Raises:
            CodegymError: there are two, or the agent can play only environments of ours.
        """
        if self.mcp_url is None and self.mcp_command is None:
            return None
        if self.mcp_url is not None and self.mcp_command is not None:
            raise CodegymError("An MCP server has a URL or a command, not both.")
        if self.agent in NEEDS_SOURCES:
            raise CodegymError(
                f"The agent {self.agent} needs the source of what it plays, and another MCP server has none.",
                hint="Use random, observe, or a function of your own.",
            )
        if self.command is not None:
            raise CodegymError("An agent program plays episodes of a server of ours, and no others.")
        if self.mcp_url is not None:
            return self.mcp_url
        command, *arguments = shlex.split(self.mcp_command or "")
        return StdioServerParameters(command=command, args=arguments)


def recorded_config(path: Path) -> RunConfig:
    """What the run in that directory was asked for.

    Raises:
        RunError: there is none, or this version cannot go on with it.
    """
    configuration, _ = read_configuration(path)
    version = configuration.get("version")
    if version != __version__:
        raise RunError(
            path, f"{path} was begun by version {version}; this is {__version__}.", hint="Begin another run."
        )
    try:
        return RunConfig.model_validate(configuration)
    except ValidationError as error:
        raise RunError(path, f"{path / CONFIGURATION} is no configuration of a run: {error}.") from None


async def run_evaluation(
    job: RunConfig, *, out: Path | None = None, resume: Path | None = None, watcher: Observer | None = None
) -> Summary:
    """Runs a job from beginning to end, or what is missing of it.

    Args:
        out: the run directory; a new one under `runs/` without it.
        resume: a run directory of this very job to go on with; what it lacks is played, and what failed there
            by our fault is played again.
        watcher: is told how it goes.

    Raises:
        CodegymError: the run cannot begin, and nothing was written; or it broke off, and can be resumed.
    """
    watcher = watcher or Observer()
    async with AsyncExitStack() as stack:
        directory = None
        if resume is not None:
            check_configuration(resume, recorded_config(resume), job)
            directory = stack.enter_context(RunDirectory.resume(resume))
            if directory.cut:
                damaged = f"The last line of {resume / TRAJECTORIES} was damaged"
                watcher.notice(
                    f"{damaged}: {directory.cut} bytes were cut off, and its episode is played again."
                )
        path = resume or out or new_run_path(job.player)
        agent = await stack.enter_async_context(_agent(job, path))
        source, assignments, environments = await stack.enter_async_context(_episodes(job, watcher))
        if directory is None:
            begun = Begun.now(len(assignments), environments)
            directory = stack.enter_context(RunDirectory.create(path, job, begun))
        else:
            check_environments(directory.path, read_configuration(directory.path)[1], environments)
            check_results(directory.path, directory.results, [each.key for each in assignments])
        if isinstance(agent, ModelAgent):
            used = [result.usage for result in directory.results.values() if result.usage is not None]
            agent.model.spending.count(
                sum(usage.tokens for usage in used), sum(usage.cost_usd or 0.0 for usage in used)
            )
        stack.enter_context(rare_collections())
        return await evaluate(
            agent,
            source,
            assignments,
            directory,
            concurrency=_concurrency(job),
            seconds=job.seconds,
            watcher=watcher,
        )


def baselines(job: RunConfig) -> list[RunConfig]:
    """The jobs that let each baseline play what a job plays.

    Raises:
        CodegymError: it plays a server that is not ours, which scores nothing.
    """
    if job.target() is not None:
        raise CodegymError("Baselines play environments of ours; another MCP server scores nothing.")
    return [
        RunConfig(
            agent=name,
            paths=job.paths,
            selection=job.selection,
            limits=job.limits,
            seconds=job.seconds,
            seed=job.seed,
        )
        for name in BASELINE_NAMES
    ]


async def run_baselines(jobs: Sequence[RunConfig], run: Path, *, watcher: Observer | None = None) -> list[Summary]:
    """Runs baselines, each in a directory under that of the run that they stand beside.

    Args:
        run: the directory of that run; baselines that are there already are gone on with.

    Raises:
        CodegymError: as `run_evaluation`.
    """
    summaries = []
    for job in jobs:
        path = run / BASELINES / job.agent
        begun = (path / CONFIGURATION).exists()
        summaries.append(
            await run_evaluation(job, out=None if begun else path, resume=path if begun else None, watcher=watcher)
        )
    return summaries


@asynccontextmanager
async def _agent(job: RunConfig, run: Path) -> AsyncIterator[Agent]:
    if job.model is not None:
        async with ModelAgent.open(job.model) as agent:
            yield agent
    elif job.command is not None:
        with TemporaryDirectory(prefix="codegym-mcp-") as workspaces:
            yield CommandAgent(job.command, workspaces=Path(workspaces), hidden=_answers(job.paths, run))
    else:
        # Oracles run in it.
        async with SandboxPool.open(allow_unconfined=job.allow_unconfined, patience=BUSY_PATIENCE) as pool:
            yield make_agent(job.agent, AgentResources(pool, Catalog.load(job.paths), job.seed))


def _answers(paths: Sequence[Path], run: Path) -> list[Path]:
    """Where right answers can be read: environments, tasks and audits beside them, kept verdicts, runs."""
    sources = list(paths) or [bundled_path()]
    files = [path for path in sources if path.suffix]
    beside = [path.with_suffix(suffix) for path in files for suffix in (".jsonl", ".audit.json", ".audits")]
    return [*sources, *beside, cache_directory(), RUNS, run]


def _limits(job: RunConfig) -> Limits:
    """The limits of the episodes; none expires while its model is waited for."""
    if job.model is None:
        return job.limits
    # One may wait for its place behind another, and each for a provider that fails before it answers.
    longest = 2 * (PATIENCE_SECONDS + job.model.request_seconds)
    return job.limits.model_copy(update={"idle_seconds": max(job.limits.idle_seconds, longest)})


def _concurrency(job: RunConfig) -> int:
    """Episodes at once; of those that wait for a place at the model, no more than one for each place."""
    places = job.model.concurrency if job.model is not None else None
    return min(job.concurrency, 2 * places) if places is not None else job.concurrency


@asynccontextmanager
async def _episodes(
    job: RunConfig, watcher: Observer
) -> AsyncIterator[tuple[EpisodeSource, list[Assignment], dict[str, str]]]:
    """Where the episodes come from, which are to be played, and the digests of their environments."""
    target = job.target()
    if target is not None:
        epochs = range(1, job.selection.epochs + 1)
        yield (
            ForeignEpisodes(target, prompt=job.prompt),
            [Assignment(environment=FOREIGN, epoch=epoch) for epoch in epochs],
            {},
        )
        return
    async with _hosted(job, watcher) if job.model is not None else _served(job) as (source, known):
        grades = current_grades(Catalog.load(job.paths)) if job.selection.grade is not None else {}
        assignments = job.selection.assignments(known, grades)
        played = {assignment.environment for assignment in assignments}
        yield source, assignments, {each.name: each.digest for each in known if each.name in played}


@asynccontextmanager
async def _served(job: RunConfig) -> AsyncIterator[tuple[EpisodeSource, list[EnvironmentInfo]]]:
    """Episodes of a server in a process of its own, played over MCP."""
    async with (
        start_server(job.paths, open_episodes=_open_limit(job), allow_unconfined=job.allow_unconfined) as server,
        ControlClient.connect(server.url, server.token) as control,
    ):
        yield ServedEpisodes(control, job.limits), await control.environments()


@asynccontextmanager
async def _hosted(job: RunConfig, watcher: Observer) -> AsyncIterator[tuple[EpisodeSource, list[EnvironmentInfo]]]:
    """Episodes of a process beside this one, for a language model that our own loop plays with."""
    options = EpisodeWorkerOptions(paths=job.paths, open_limit=_open_limit(job), allow_unconfined=job.allow_unconfined)
    async with WorkerEpisodes.start(options, _limits(job)) as episodes:
        for problem in episodes.ready.problems:
            watcher.notice(problem)
        yield episodes, episodes.ready.environments


def _open_limit(job: RunConfig) -> int:
    return max(1000, 2 * job.concurrency)
