"""Selects the tasks of a run: environments by name, tasks by id, difficulty and seed."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from codegym_harness.episode_sources.episode_source import Assignment
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.errors import NotFoundError, TaskError
from codegym_mcp.verification.audit.grading_rules import Grade

_GENERATED_ID = re.compile(r"d([1-5])-s(-?\d+)")
"""The id of a generated task: its difficulty and its seed."""

MAX_EPISODES = 1_000_000
"""Maximum number of episodes in a run."""


class SeedRange(BaseModel):
    """A range of seeds of generated tasks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: int = 0
    last: int | None = None
    """The last seed, inclusive; None without an end."""

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.last is not None and self.last < self.first:
            raise ValueError(f"the last seed, {self.last}, is smaller than the first, {self.first}")
        return self

    def __str__(self) -> str:
        return str(self.first) if self.last is None else f"{self.first}-{self.last}"

    def contains(self, seed: int) -> bool:
        """Returns whether a seed is in the range."""
        return self.first <= seed and (self.last is None or seed <= self.last)

    def choose(self, count: int | None) -> range:
        """Returns at most `count` seeds; without a count the whole range, or one seed if it has no end."""
        if self.last is None:
            return range(self.first, self.first + (count or 1))
        end = self.last + 1
        return range(self.first, end if count is None else min(end, self.first + count))


class Selection(BaseModel):
    """The tasks of a run, and how often each is played."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environments: tuple[str, ...] = ("*",)
    """Globs over the names of environments."""
    grade: Grade | None = None
    """The worst grade that an environment's audit may give it."""
    tasks: int | None = Field(default=None, ge=1)
    """The maximum number of tasks per environment, and of generated tasks per difficulty. Without it: all
    fixed tasks; all seeds of the range, or one seed if the range has no end."""
    task_ids: tuple[str, ...] = ()
    """Single tasks: `task` or `environment/task`. The task may also be a generated one, such as `d2-s7`."""
    difficulties: tuple[int, ...] = ()
    """Difficulties, 1 to 5, for which tasks are generated. Without them and without `task_ids`, the fixed
    tasks are played."""
    seeds: SeedRange = SeedRange()
    """The seeds of generated tasks."""
    epochs: int = Field(default=1, ge=1)
    """How often each task is played."""

    @model_validator(mode="after")
    def _has_possible_difficulties(self) -> Self:
        for difficulty in self.difficulties:
            if not 1 <= difficulty <= 5:
                raise ValueError(f"the difficulty {difficulty} is not between 1 and 5")
        return self

    def assignments(
        self, served: Sequence[EnvironmentInfo], grades: Mapping[str, str] | None = None
    ) -> list[Assignment]:
        """Returns the episodes to play, of the environments that a server offers.

        Args:
            grades: the grades of environments that have a current audit, by name.

        Raises:
            NotFoundError: a glob or a task id matches nothing.
            TaskError: a chosen environment has no fixed tasks, or cannot generate tasks; none has the
                required grade; or there are more than `MAX_EPISODES`.
        """
        chosen = matching_environments(self.environments, served)
        if self.grade is not None:
            chosen = _with_grade(self.grade, chosen, grades or {})
        self._check_size(chosen)
        tasks = [task for environment in chosen for task in self._tasks(environment)]
        self._check_task_ids(chosen, tasks)
        return [
            task.model_copy(update={"epoch": epoch}) for task in tasks for epoch in range(1, self.epochs + 1)
        ]

    def _check_size(self, chosen: Sequence[EnvironmentInfo]) -> None:
        seeds = self.seeds.choose(self.tasks)
        generated = len(self.difficulties) * (seeds.stop - seeds.start)
        episodes = sum(generated or len(environment.tasks) for environment in chosen) * self.epochs
        if episodes > MAX_EPISODES:
            raise TaskError(
                f"The selection has {episodes:,} episodes; a run has at most {MAX_EPISODES:,}.",
                hint="Choose fewer seeds, tasks or epochs.",
            )

    def _tasks(self, environment: EnvironmentInfo) -> list[Assignment]:
        tasks = [*self._single(environment), *self._generated(environment)]
        if not self.task_ids and not self.difficulties:
            tasks = self._fixed(environment)
        return list({task.key: task for task in tasks}.values())

    def _fixed(self, environment: EnvironmentInfo) -> list[Assignment]:
        if not environment.tasks:
            raise TaskError(
                f"{environment.name} has no fixed tasks.", hint="Give a difficulty to generate some."
            )
        return [
            Assignment(environment=environment.name, task=task) for task in environment.tasks[: self.tasks]
        ]

    def _generated(self, environment: EnvironmentInfo) -> Iterator[Assignment]:
        if self.difficulties and not environment.generates:
            raise TaskError(
                f"{environment.name} generates no tasks.",
                hint="Leave the environment out, or give no difficulty.",
            )
        for difficulty in self.difficulties:
            for seed in self.seeds.choose(self.tasks):
                yield Assignment(environment=environment.name, difficulty=difficulty, seed=seed)

    def _single(self, environment: EnvironmentInfo) -> Iterator[Assignment]:
        for task_id in self.task_ids:
            name = task_id.removeprefix(f"{environment.name}/")
            generated = _GENERATED_ID.fullmatch(name)
            if name in environment.tasks:
                yield Assignment(environment=environment.name, task=name)
            elif generated is not None and environment.generates:
                yield Assignment(
                    environment=environment.name, difficulty=int(generated[1]), seed=int(generated[2])
                )

    def _check_task_ids(self, chosen: Sequence[EnvironmentInfo], tasks: Sequence[Assignment]) -> None:
        known = {task.task_id for task in tasks} | {f"{task.environment}/{task.task_id}" for task in tasks}
        for task_id in self.task_ids:
            if task_id not in known:
                raise NotFoundError("task", task_id, [task for each in chosen for task in each.tasks])


def matching_environments(globs: Iterable[str], served: Sequence[EnvironmentInfo]) -> list[EnvironmentInfo]:
    """Returns the environments whose names match one of the globs.

    Raises:
        NotFoundError: a glob matches nothing.
        TaskError: there are no environments.
    """
    if not served:
        raise TaskError(
            "There is no environment to play.", hint="The messages above say why environments cannot be used."
        )
    names: set[str] = set()
    for glob in globs:
        matching = {each.name for each in served if fnmatchcase(each.name, glob)}
        if not matching:
            raise NotFoundError("environment", glob, [each.name for each in served])
        names |= matching
    return [each for each in served if each.name in names]


def _with_grade(
    grade: Grade, chosen: Sequence[EnvironmentInfo], grades: Mapping[str, str]
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
