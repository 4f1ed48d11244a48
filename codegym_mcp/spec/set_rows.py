"""An environment as one row of a published set: its file, its tasks, its audit, where it comes from."""

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from codegym_mcp.errors import SourceError
from codegym_mcp.spec.environment import Environment, Task


class PublishedTask(BaseModel):
    """A task within a row. Its configuration is JSON text, since configurations have columns of their own."""

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
    """A row. `name` and `code` make the environment with `tasks`; the rest is for people and programs."""

    model_config = ConfigDict(extra="ignore")

    name: str
    code: str
    """The environment's file."""
    tasks: list[PublishedTask] = []
    """Its fixed tasks."""
    title: str = ""
    tags: list[str] = []
    task: str = ""
    """The task text, with public values in braces."""
    tools: list[str] = []
    license: str = ""
    origin: str = ""
    """Where the environment or its problem comes from."""
    model: str = ""
    """The model that wrote it; empty where people did."""
    grade: str = ""
    audit: str = ""
    """The audit, as JSON."""
    provenance: str = ""
    """What is known of how it came about, as JSON; empty where nothing is."""

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
        """Reads a row; what is null counts as left out.

        Raises:
            SourceError: it is none.
        """
        try:
            return cls.model_validate({key: value for key, value in data.items() if value is not None})
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            place = ".".join(map(str, detail["loc"]))
            raise SourceError(where, None, f"is no environment: {place}: {detail['msg']}") from None

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
        """The row of an environment.

        Args:
            audit: as JSON, and `provenance` too.
        """
        tasks = [
            PublishedTask(
                **task.model_dump(exclude={"config"}), config=json.dumps(task.config, ensure_ascii=False)
            )
            for task in environment.tasks
        ]
        return cls(
            name=environment.name,
            code=environment.program.source,
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

    def with_tasks(self, environment: Environment, where: str) -> Environment:
        """The environment that was read from `code`, with the row's tasks.

        Raises:
            SourceError: a task is none.
            TaskError: a task does not fit, or two have the same id.
        """
        try:
            tasks = tuple(
                Task.model_validate(
                    {**each.model_dump(exclude={"config"}), "config": json.loads(each.config)}
                )
                for each in self.tasks
            )
        except (ValueError, RecursionError) as error:
            raise SourceError(where, None, f"has a task that is none: {error}") from None
        return environment.with_tasks(tasks)
