"""An environment as one row of a published set: its source, tasks, audit and origin."""

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.errors import SourceError
from codegym_mcp.validation_messages import first_fault


class PublishedTask(BaseModel):
    """A task in a row. Its configuration is JSON text, because each environment has other fields."""

    id: str
    config: str
    difficulty: int | None = None
    oracle_calls: int | None = None
    text: str | None = None

    @field_validator("config", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return json.dumps(value) if isinstance(value, dict) else value


class PublishedEnvironment(BaseModel):
    """A row. `name`, `code` and `tasks` define the environment; the other columns describe it."""

    model_config = ConfigDict(extra="ignore")

    name: str
    code: str
    """The source text."""
    tasks: list[PublishedTask] = []
    """The fixed tasks."""
    title: str = ""
    tags: list[str] = []
    task: str = ""
    """The task text, with public values in braces."""
    tools: list[str] = []
    license: str = ""
    origin: str = ""
    """Where the environment or its problem comes from."""
    model: str = ""
    """The model that wrote the environment; empty if people did."""
    grade: str = ""
    audit: str = ""
    """The audit, as JSON."""
    provenance: str = ""
    """How the environment was created, as JSON; empty if that is not known."""

    @field_validator("audit", "provenance", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return json.dumps(value) if isinstance(value, dict) else value

    @field_validator("tasks", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    @classmethod
    def read(cls, data: dict[str, Any], where: str) -> Self:
        """Reads a row. Columns that are null count as missing.

        Raises:
            SourceError: the row is not an environment.
        """
        try:
            return cls.model_validate({key: value for key, value in data.items() if value is not None})
        except ValidationError as error:
            raise SourceError(where, None, f"the row is not an environment: {first_fault(error)}") from None

    @classmethod
    def of(
        cls,
        environment: Environment,
        *,
        license: str,
        audit: str,
        grade: str,
        provenance: str = "",
        model: str = "",
    ) -> Self:
        """Creates the row of an environment.

        Args:
            environment: the environment.
            license: its license.
            audit: its audit, as JSON.
            grade: the grade in the audit.
            provenance: how the environment was created, as JSON.
            model: the model that wrote it.
        """
        tasks = [
            PublishedTask(
                **task.model_dump(exclude={"config"}), config=json.dumps(task.config, ensure_ascii=False)
            )
            for task in environment.tasks
        ]
        return cls(
            name=environment.name,
            code=environment.source,
            tasks=tasks,
            title=environment.title,
            tags=list(environment.tags),
            task=environment.template,
            tools=[tool.name for tool in environment.tools],
            license=license,
            origin=environment.origin,
            model=model,
            grade=grade,
            audit=audit,
            provenance=provenance,
        )

    def read_tasks(self, where: str) -> tuple[Task, ...]:
        """Reads the row's tasks; whether their configurations suit the environment is not checked.

        Raises:
            SourceError: a task is not valid.
        """
        try:
            return tuple(
                Task.model_validate(
                    {**each.model_dump(exclude={"config"}), "config": json.loads(each.config)}
                )
                for each in self.tasks
            )
        except ValidationError as error:
            raise SourceError(where, None, f"a task of the row is not valid: {first_fault(error)}") from None
        except (ValueError, RecursionError) as error:
            problem = f"the configuration of a task is not JSON: {error}"
            raise SourceError(where, None, problem) from None
