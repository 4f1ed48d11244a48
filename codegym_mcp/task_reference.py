"""The reference to a task in a request or in a row of a data set: an environment, and which of its tasks."""

import math
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from codegym_mcp.errors import TaskError
from codegym_mcp.validation_messages import first_fault

FIRST_HELD_OUT_SEED = 1_000_000
"""Generated tasks with this seed or a larger one are for evaluation; no training set contains them."""


class TaskReference(BaseModel):
    """Names a fixed task by its id, or a generated task by its difficulty and seed.

    It holds nothing of the task itself, so that a data set of references reveals no hidden configuration and
    no reference answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: str = Field(min_length=1)
    task: str | None = None
    """The id of a fixed task; without it and without a difficulty, the first task."""
    difficulty: int | None = Field(default=None, ge=1, le=5)
    seed: int | None = None
    """Chooses among the generated tasks of the difficulty; 0 if it is None."""

    @model_validator(mode="after")
    def _names_one_task(self) -> Self:
        if self.task is not None and (self.difficulty is not None or self.seed is not None):
            raise ValueError("a task is chosen by its id, or by a difficulty and a seed, not both")
        if self.seed is not None and self.difficulty is None:
            raise ValueError("a seed needs a difficulty: a task is generated from both")
        return self

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "TaskReference":
        """Reads the reference from a row of a data set.

        Args:
            row: the columns by name. Columns that are no part of a reference are ignored; None and NaN, with
                which readers of tables fill missing values, count as absent.

        Raises:
            TaskError: the row names no environment, or both a task and a difficulty, or a value is invalid.
        """
        found = {name: _plain(row.get(name)) for name in TaskReference.model_fields}
        try:
            return TaskReference.model_validate(
                {name: value for name, value in found.items() if value is not None}
            )
        except ValidationError as error:
            raise TaskError(
                f"A row of the data set names no task: {first_fault(error)}.",
                hint="A row has the columns environment, and task or difficulty and seed.",
            ) from None


def _plain(value: Any) -> Any:
    """Returns a value of a table as a plain Python value; NaN as None."""
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value
