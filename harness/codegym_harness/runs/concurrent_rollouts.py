"""Plays the episodes of a run concurrently and writes their trajectories."""

from collections.abc import Sequence

import anyio

from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.rollouts.agent_rollouts import Rollouts
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_harness.runs.run_observer import Observer
from codegym_harness.statistics.run_metrics import Summary, summarize

DEFAULT_CONCURRENCY = 8


async def play_assignments(
    rollouts: Rollouts,
    assignments: Sequence[Assignment],
    directory: RunDirectory,
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    observer: Observer | None = None,
) -> Summary:
    """Plays every assignment that the run directory does not hold, and those that failed there.

    Each trajectory is written when its episode ends; the summary at the end, also when the evaluation is
    cancelled or halted.

    Args:
        concurrency: the maximum number of open episodes.

    Raises:
        RunError: the run directory cannot be written.
        RunHaltedError: no further episode could succeed.
    """
    observer = observer or Observer()
    directory.remove_summary()
    directory.set_failures_aside()
    agent_name = rollouts.agent.model_name or rollouts.agent.name
    observer.run_begins(agent_name, directory, len(assignments))
    missing = [assignment for assignment in assignments if assignment.key not in directory.results]
    waiting = iter(missing)

    async def play_waiting() -> None:
        for assignment in waiting:
            observer.episode_begins(assignment)
            trajectory = await rollouts.play(assignment)
            observer.episode_ends(trajectory, directory.append(trajectory))

    try:
        async with anyio.create_task_group() as tasks:
            for _ in range(min(concurrency, len(missing))):
                tasks.start_soon(play_waiting)
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    finally:
        results = directory.results
        left = sum(assignment.key not in results for assignment in missing)
        summary = summarize(str(directory.path), agent_name, results.values(), missing=left)
        directory.write_summary(summary)
    return summary
