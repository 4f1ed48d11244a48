"""Executes a run from its configuration: starts the agent and the episodes, plays, and writes the results."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from codegym_harness.agent_enclosure.enclosure_probe import check_enclosure
from codegym_harness.agents.agent import Agent
from codegym_harness.agents.command_agent import ProgramAgent
from codegym_harness.agents.model_agent import LanguageModelAgent
from codegym_harness.runs.concurrent_rollouts import play_assignments
from codegym_harness.runs.paths_with_answers import answer_paths
from codegym_harness.runs.resume_compatibility import check_configuration, check_environments, check_results
from codegym_harness.runs.run_config import RunConfig, recorded_config
from codegym_harness.runs.run_directory_reader import (
    BASELINES,
    CONFIGURATION,
    TRAJECTORIES,
    RunStart,
    check_new_run,
    new_run_path,
    read_configuration,
)
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_harness.runs.run_observer import Observer
from codegym_harness.runs.run_opening import open_agent, open_rollouts
from codegym_harness.statistics.run_metrics import Summary
from codegym_mcp.runtime.garbage_collector_settings import rare_collections

if TYPE_CHECKING:
    from codegym_harness.clients.control_client import RunningServer


async def run_evaluation(
    config: RunConfig,
    *,
    agent: Agent | None = None,
    out: Path | None = None,
    resume: Path | None = None,
    server: "RunningServer | None" = None,
    ray_address: str | None = None,
    observer: Observer | None = None,
) -> Summary:
    """Executes a run, or what is missing of it.

    Args:
        agent: the agent, in place of the one that the configuration names.
        out: the run directory, which must not exist or be empty; a new one under `runs/` without it.
        resume: the directory of a run with this configuration. What it lacks is played, and so is what failed
            there without the agent's fault.
        server: the server that holds the episodes, if the configuration has a `server_url`.
        ray_address: the Ray cluster whose nodes play the episodes; see `connect_to_cluster`. It is not
            recorded: the run can be resumed without a cluster, or on another one.
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
        player = agent if agent is not None else await stack.enter_async_context(open_agent(config))
        if isinstance(player, ProgramAgent):
            await check_enclosure(player.options)
            player.conceal([*answer_paths(config.paths), path])
        opened = await stack.enter_async_context(open_rollouts(config, player, server, ray_address, observer))
        if directory is None:
            start = RunStart.now(opened.assignments, opened.digests)
            directory = stack.enter_context(RunDirectory.create(path, config, start))
        else:
            check_environments(directory.path, read_configuration(directory.path)[1], opened.digests)
            keys = [each.key for each in opened.assignments]
            check_results(directory.path, directory.results, keys)
        if isinstance(player, LanguageModelAgent):
            player.model.on_retry = observer.request_retried
            usages = [result.usage for result in directory.results.values() if result.usage is not None]
            player.model.spending.count(
                sum(usage.tokens for usage in usages), sum(usage.cost_usd or 0.0 for usage in usages)
            )
        stack.enter_context(rare_collections())
        return await play_assignments(
            opened.rollouts,
            opened.assignments,
            directory,
            concurrency=config.episode_concurrency,
            observer=observer,
        )


async def run_baselines(
    configs: Sequence[RunConfig],
    run: Path,
    *,
    ray_address: str | None = None,
    observer: Observer | None = None,
) -> list[Summary]:
    """Executes the runs of baselines, each in a directory below that of a run.

    Args:
        run: the directory of the run; baselines that exist there already are resumed.
        ray_address: see `run_evaluation`.

    Raises:
        CodegymError: see `run_evaluation`.
    """
    summaries = []
    for config in configs:
        path = run / BASELINES / config.agent
        exists = (path / CONFIGURATION).exists()
        summaries.append(
            await run_evaluation(
                config,
                out=None if exists else path,
                resume=path if exists else None,
                ray_address=ray_address,
                observer=observer,
            )
        )
    return summaries
