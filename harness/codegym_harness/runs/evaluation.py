"""Many rollouts: which, how many at once, and what is kept of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

import anyio
from pydantic import BaseModel, ConfigDict, Field

from codegym_mcp.errors import NotFoundError, TaskError
from codegym_mcp.server.control_plane import EnvironmentInfo
from codegym_mcp.verification.audit.grades import Grade
from codegym_harness.agents.agent import Agent
from codegym_harness.statistics.run_metrics import Summary, summarize
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.runs.rollout import DEFAULT_SECONDS, roll_out
from codegym_harness.runs.run_directory import RunDirectory
from codegym_harness.episode_sources.sources import Assignment, EpisodeSource
from codegym_harness.records.trajectory import Trajectory

DEFAULT_CONCURRENCY = 8


class Selection(BaseModel):
    """Which tasks of which environments, and how often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environments: tuple[str, ...] = ("*",)
    """Globs over the environments' names."""
    grade: Grade | None = None
    """The worst grade that the audit of an environment may give it."""
    tasks: int | None = Field(default=None, ge=1)
    """At most so many tasks of each environment; all fixed tasks, or one generated task, without it."""
    difficulty: int | None = Field(default=None, ge=1, le=5)
    """Generate tasks of this difficulty instead of taking the fixed ones."""
    seed: int = 0
    """The seed of the first generated task; the next have the seeds that follow."""
    epochs: int = Field(default=1, ge=1)
    """How often each task is played."""

    def assignments(
        self, served: Sequence[EnvironmentInfo], grades: Mapping[str, Grade] | None = None
    ) -> list[Assignment]:
        """What is to be played, of what a server serves.

        Args:
            grades: of the environments that have a current audit, by name.

        Raises:
            NotFoundError: a glob matches nothing.
            TaskError: a chosen environment has no fixed tasks, or cannot generate any where that is asked; or
                none has the grade that is asked for.
        """
        chosen = _chosen(self.environments, served)
        if self.grade is not None:
            chosen = _worthy(self.grade, chosen, grades or {})
        return [
            task.model_copy(update={"epoch": epoch})
            for environment in chosen
            for task in self._tasks(environment)
            for epoch in range(1, self.epochs + 1)
        ]

    def _tasks(self, environment: EnvironmentInfo) -> Iterator[Assignment]:
        name = environment.name
        if self.difficulty is not None:
            if not environment.generates:
                raise TaskError(f"{name} generates no tasks.", hint="Leave it out, or give no difficulty.")
            for seed in range(self.seed, self.seed + (self.tasks or 1)):
                yield Assignment(environment=name, difficulty=self.difficulty, seed=seed)
            return
        if not environment.tasks:
            raise TaskError(f"{name} has no fixed tasks.", hint="Give a difficulty to generate some.")
        for task in environment.tasks[: self.tasks]:
            yield Assignment(environment=name, task=task)


def _chosen(globs: Iterable[str], served: Sequence[EnvironmentInfo]) -> list[EnvironmentInfo]:
    if not served:
        raise TaskError("There is no environment to play.", hint="What is broken is told above.")
    names: set[str] = set()
    for glob in globs:
        matching = {each.name for each in served if fnmatchcase(each.name, glob)}
        if not matching:
            raise NotFoundError("environment", glob, [each.name for each in served])
        names |= matching
    return [each for each in served if each.name in names]


def _worthy(
    grade: Grade, chosen: Sequence[EnvironmentInfo], grades: Mapping[str, Grade]
) -> list[EnvironmentInfo]:
    found = [each for each in chosen if each.name in grades and grades[each.name] <= grade]
    if not found:
        unaudited = sum(each.name not in grades for each in chosen)
        raise TaskError(
            f"None of {len(chosen)} environments has grade {grade} or better; "
            f"{unaudited} of them have no current audit.",
            hint="Run: codegym-mcp audit",
        )
    return found


class Observer:
    """Is told how an evaluation goes. This one does nothing with it."""

    def notice(self, message: str) -> None:
        """Something that whoever started the run should know."""

    def run_begins(self, agent: str, directory: RunDirectory, episodes: int) -> None:
        """Before the first episode.

        Args:
            directory: holds the results that are there already, of a run that is resumed.
            episodes: how many there will be in all.
        """

    def episode_begins(self, assignment: Assignment) -> None:
        """Before an episode is opened."""

    def episode_ends(self, trajectory: Trajectory, result: EpisodeResult) -> None:
        """When a trajectory is written."""


async def evaluate(
    agent: Agent,
    source: EpisodeSource,
    assignments: Sequence[Assignment],
    directory: RunDirectory,
    *,
    concurrency: int = DEFAULT_CONCURRENCY,
    seconds: float = DEFAULT_SECONDS,
    watcher: Observer | None = None,
) -> Summary:
    """Plays every assignment that the run directory does not hold, and those that failed there.

    Each trajectory is written when it is done; the summary at the end, also when the evaluation is cancelled
    or breaks off.

    Args:
        concurrency: how many episodes are open at once.
        seconds: how long the agent may take for one.

    Raises:
        RunError: the run directory cannot be written.
        RunHaltedError: no further episode could come to anything.
    """
    watcher = watcher or Observer()
    directory.remove_summary()
    directory.set_failures_aside()
    player = agent.info.model_name or agent.info.name
    watcher.run_begins(player, directory, len(assignments))
    missing = [assignment for assignment in assignments if assignment.key not in directory.results]
    waiting = iter(missing)

    async def work() -> None:
        for assignment in waiting:
            watcher.episode_begins(assignment)
            trajectory = await roll_out(agent, source, assignment, seconds=seconds)
            watcher.episode_ends(trajectory, directory.append(trajectory))

    try:
        async with anyio.create_task_group() as workers:
            for _ in range(min(concurrency, len(missing))):
                workers.start_soon(work)
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    finally:
        results = directory.results
        left = sum(assignment.key not in results for assignment in missing)
        summary = summarize(str(directory.path), player, results.values(), missing=left)
        directory.write_summary(summary)
    return summary
