"""Evaluates an agent from Python: chooses agent and environments, executes the run, and returns it."""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from codegym_harness.agents.agent import Agent
from codegym_harness.agents.agent_registry import AGENT_NAMES
from codegym_harness.agents.configured_agents import CommandAgent, ModelAgent
from codegym_harness.agents.function_agent import AgentFunction, FunctionAgent
from codegym_harness.rollouts.rollout import DEFAULT_SECONDS
from codegym_harness.runs.concurrent_rollouts import DEFAULT_CONCURRENCY
from codegym_harness.runs.recorded_run import Run
from codegym_harness.runs.run_config import COMMAND, MODEL, RunConfig, recorded_config
from codegym_harness.runs.run_directory_reader import ENVIRONMENTS, check_new_run, new_run_path
from codegym_harness.runs.run_execution import run_evaluation
from codegym_harness.runs.run_index import is_run
from codegym_harness.runs.run_observer import Observer
from codegym_harness.runs.task_selection import SeedRange, Selection
from codegym_mcp.bundled_environments import INSTALLED_SETS
from codegym_mcp.catalog.catalog import Catalog, Source
from codegym_mcp.catalog.catalog_entries import source_path
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import CodegymError, NotFoundError, RunError, SourceError
from codegym_mcp.verification.audit.grading_rules import Grade

if TYPE_CHECKING:
    from codegym_harness.clients.control_client import RunningServer

AgentLike = str | ModelAgent | CommandAgent | AgentFunction | Agent
"""What can be evaluated: the name of a built-in agent, `module:function` or `file.py:function`, a configured
model or command, a function, or an object that implements `Agent`."""

_SOURCE_SUFFIXES = (".py", ".jsonl", ".parquet")


async def evaluate(
    agent: AgentLike,
    environments: str | Source | Sequence[str | Source] = "*",
    *,
    tasks: int | Sequence[str] | None = None,
    difficulty: int | Sequence[int] | None = None,
    seed: int | range = 0,
    epochs: int = 1,
    grade: Grade | str | None = None,
    limits: Limits | None = None,
    concurrency: int = DEFAULT_CONCURRENCY,
    seconds: float = DEFAULT_SECONDS,
    out: str | os.PathLike[str] | None = None,
    server: "RunningServer | None" = None,
    observer: Observer | None = None,
    allow_unconfined: bool = False,
) -> Run:
    """Lets an agent play episodes, records every trajectory, and scores the answers.

    Args:
        agent: the agent; see `AgentLike`.
        environments: globs over the names of environments, and sources: paths of files, folders and sets,
            "bundled", "synthesized", environments, and catalogs. Without a source, the globs select bundled
            environments.
        tasks: the maximum number of tasks per environment (and difficulty), or the ids of single tasks.
        difficulty: one or several difficulties, 1 to 5, for which tasks are generated. Without it, the fixed
            tasks are played.
        seed: the first seed of generated tasks, or the range of their seeds; it also seeds the agent.
        epochs: how often each task is played.
        grade: the worst grade that an environment's audit may give it.
        limits: the limits of every episode.
        concurrency: the maximum number of open episodes.
        seconds: the agent's time for one episode in seconds.
        out: the run directory, which must not exist or be empty; a new one under `runs/` without it.
        server: a server that runs already and holds the episodes; its environments are played.
        observer: receives the events of the run.
        allow_unconfined: run environments also on a system that cannot confine them.

    Raises:
        NotFoundError, TaskError, SourceError: an agent, an environment or a task does not exist.
        RunError: the run directory cannot be used.
        RunHaltedError: no further episode could succeed; what was played is recorded, and the run can be
            resumed.
        CodegymError: the run cannot start.
    """
    player, config = _configure_agent(agent)
    sources, globs = split_sources(environments)
    path = Path(out) if out is not None else new_run_path(config.agent_name)
    check_new_run(path)
    if server is not None and sources:
        raise CodegymError(
            "Environments of a server are selected by name; the evaluation cannot bring its own.",
            hint="Start the server with these environments, or leave `server` out.",
        )
    paths = _source_paths(sources, path)
    by_count = tasks is None or isinstance(tasks, int)
    config = config.model_copy(
        update={
            "paths": tuple(paths),
            "server_url": server.url if server is not None else None,
            "selection": Selection(
                environments=tuple(globs) or ("*",),
                grade=Grade(grade) if grade is not None else None,
                tasks=cast(int | None, tasks) if by_count else None,
                task_ids=() if by_count else _texts(tasks),
                difficulties=_numbers(difficulty),
                seeds=_seed_range(seed),
                epochs=epochs,
            ),
            "limits": limits or Limits(),
            "concurrency": concurrency,
            "seconds": seconds,
            "seed": seed.start if isinstance(seed, range) else seed,
            "allow_unconfined": allow_unconfined,
        }
    )
    try:
        await run_evaluation(
            RunConfig.model_validate(config.model_dump()),
            agent=player,
            out=path,
            server=server,
            observer=observer,
        )
    finally:
        _remove_unstarted(path)
    return Run(path)


async def resume(
    run: Run,
    agent: AgentLike | None = None,
    *,
    server: "RunningServer | None" = None,
    observer: Observer | None = None,
) -> Run:
    """Resumes a run; see `Run.resume`."""
    recorded = recorded_config(run.path)
    player = None
    if agent is not None:
        player, config = _configure_agent(agent)
        same = (config.agent, config.command, config.model and config.model.name) == (
            recorded.agent,
            recorded.command,
            recorded.model and recorded.model.name,
        )
        if not same:
            raise RunError(
                run.path,
                f"{run.path} is a run of {recorded.agent_name}, not of {config.agent_name}.",
                hint="Resume with the same agent, or start another run.",
            )
        if config.model is not None:
            recorded = recorded.model_copy(update={"model": config.model})
    await run_evaluation(recorded, agent=player, resume=run.path, server=server, observer=observer)
    return Run(run.path)


def _configure_agent(agent: AgentLike) -> tuple[Agent | None, RunConfig]:
    """Returns the agent if it is an object, and a configuration that names it."""
    if isinstance(agent, str):
        if ":" not in agent and agent not in AGENT_NAMES:
            hint = "Use ModelAgent or CommandAgent." if agent in (MODEL, COMMAND) else ""
            raise NotFoundError("agent", agent, [*AGENT_NAMES, "module:function"], hint=hint)
        return None, RunConfig(agent=agent)
    if isinstance(agent, ModelAgent):
        return None, RunConfig(agent=MODEL, model=agent.options)
    if isinstance(agent, CommandAgent):
        return None, RunConfig(agent=COMMAND, command=agent.command, enclosure=agent.enclosure)
    is_agent = hasattr(agent, "play") and hasattr(agent, "info")
    player = cast(Agent, agent) if is_agent else FunctionAgent(cast(AgentFunction, agent))
    return player, RunConfig(agent=player.info.name, custom_agent=True)


def split_sources(
    environments: str | Source | Sequence[str | Source],
) -> tuple[list[Source], list[str]]:
    """Splits what a caller names into sources and globs."""
    if isinstance(environments, str | os.PathLike | Environment | Catalog):
        environments = [environments]
    sources: list[Source] = []
    globs: list[str] = []
    for item in environments:
        if isinstance(item, str) and not _is_source(item):
            globs.append(item)
        else:
            sources.append(item)
    return sources, globs


def _is_source(text: str) -> bool:
    return text in INSTALLED_SETS or os.sep in text or text.endswith(_SOURCE_SUFFIXES)


def _source_paths(sources: Sequence[Source], run: Path) -> list[Path]:
    """Returns the paths of sources. Environments in memory are written into the run directory."""
    paths: list[Path] = []
    folder = run / ENVIRONMENTS
    for source in sources:
        match source:
            case Environment():
                _save(source, folder)
            case Catalog():
                for entry in source.entries:
                    _save(entry.read(), folder)
            case _:
                paths.append(source_path(source))
    return [*paths, folder] if folder.is_dir() else paths


def _remove_unstarted(run: Path) -> None:
    """Removes the environments of a run that could not start, and its directory."""
    if not is_run(run) and (run / ENVIRONMENTS).is_dir():
        shutil.rmtree(run / ENVIRONMENTS, ignore_errors=True)
        with suppress(OSError):
            run.rmdir()


def _save(environment: Environment, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            folder.parent, f"The run directory {folder.parent} cannot be created: {error}."
        ) from None
    file = environment.save(folder)
    if Catalog.load([file]).get(environment.name).digest != environment.digest:
        raise SourceError(
            str(file),
            None,
            f"{environment.name} cannot be written to a file without changing its tasks",
            hint="Evaluate it from the file or set that it was loaded from.",
        )


def _numbers(values: int | Sequence[int] | None) -> tuple[int, ...]:
    if values is None:
        return ()
    return (values,) if isinstance(values, int) else tuple(values)


def _texts(values: object) -> tuple[str, ...]:
    if isinstance(values, str):
        return (values,)
    return tuple(cast(Sequence[str], values))


def _seed_range(seed: int | range) -> SeedRange:
    if isinstance(seed, int):
        return SeedRange(first=seed)
    if seed.step != 1 or not seed:
        raise CodegymError(
            f"{seed} is not a range of seeds.", hint="Give range(first, end) with first < end."
        )
    return SeedRange(first=seed.start, last=seed.stop - 1)
