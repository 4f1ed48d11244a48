"""Selects the tasks of a task set, and divides them into training tasks and held-out tasks.

The seed decides: generated tasks from `FIRST_HELD_OUT_SEED` on are held out. So the training tasks of one set
are never the held-out tasks of another, whenever and with whatever options they were written.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from codegym_harness.runs.task_selection import SeedRange, Selection
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.task_reference import FIRST_HELD_OUT_SEED, TaskReference


class Part(StrEnum):
    """A part of a task set."""

    TRAIN = "train"
    HELD_OUT = "held_out"
    FIXED = "fixed"
    """Fixed tasks, which have no seed that would divide them."""


class TaskSelection(BaseModel):
    """The tasks of a task set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environments: tuple[str, ...] = ()
    """Globs over the names of environments; all without one."""
    tags: tuple[str, ...] = ()
    """The tags that every environment must have."""
    grade: str | None = Field(default=None, pattern="^[A-D]$")
    """The worst grade that an environment's audit may give it."""
    difficulties: tuple[int, ...] = ()
    """Difficulties, 1 to 5, for which tasks are generated. Without one, the fixed tasks are selected."""
    seeds: SeedRange = SeedRange(first=0, last=999)
    """The seeds of the generated tasks: all of them for training, or all of them held out."""
    held_out: int = Field(default=0, ge=0)
    """Held-out tasks to add for each environment and difficulty."""

    @model_validator(mode="after")
    def _divides_by_seed(self) -> Self:
        if not self.difficulties and self.held_out:
            raise ValueError("fixed tasks have no seeds that divide them; select a difficulty")
        if self._part is Part.HELD_OUT and self.held_out:
            raise ValueError("the selected seeds are held out already; leave the held-out tasks out")
        last = self.seeds.last if self.seeds.last is not None else self.seeds.first
        if self.seeds.first < FIRST_HELD_OUT_SEED <= last:
            raise ValueError(
                f"the seeds {self.seeds.first} to {last} are partly held out: seeds from "
                f"{FIRST_HELD_OUT_SEED} on are for evaluation"
            )
        return self

    @property
    def _part(self) -> Part:
        if not self.difficulties:
            return Part.FIXED
        return Part.HELD_OUT if self.seeds.first >= FIRST_HELD_OUT_SEED else Part.TRAIN

    @property
    def seeds_by_part(self) -> Mapping[Part, range]:
        """The seeds of each part; empty for fixed tasks."""
        if not self.difficulties:
            return {}
        held_out = range(FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + self.held_out)
        return {self._part: self.seeds.choose(None)} | ({Part.HELD_OUT: held_out} if held_out else {})

    def tasks(self, catalog: Catalog) -> dict[Part, Sequence[TaskReference]]:
        """Returns the selected tasks of each part, the training tasks first.

        Raises:
            NotFoundError: no environment matches.
            TaskError: an environment has no fixed tasks, or cannot generate tasks.
        """
        chosen = catalog.select(*self.environments, tags=self.tags, grade=self.grade)
        return self.divide(list(chosen.infos()))

    def divide(self, served: Sequence[EnvironmentInfo]) -> dict[Part, Sequence[TaskReference]]:
        """Returns the tasks of environments that were selected already, for each part; see `tasks`.

        Raises:
            TaskError: an environment has no fixed tasks, or cannot generate tasks.
        """
        if not self.difficulties:
            return {Part.FIXED: Selection().assignments(served)}
        return {
            part: Selection(
                difficulties=self.difficulties, seeds=SeedRange(first=seeds[0], last=seeds[-1])
            ).assignments(served)
            for part, seeds in self.seeds_by_part.items()
        }
