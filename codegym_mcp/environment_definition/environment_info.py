"""What is told of an environment that is not played: its names, and the names of its tools and tasks."""

from collections.abc import Sequence

from pydantic import BaseModel

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.environment_definition.environment_digests import environment_digest
from codegym_mcp.environment_definition.native_outline import NativeOutline
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram


class EnvironmentInfo(BaseModel):
    """An environment, as `GET /environments` lists it."""

    name: str
    title: str
    tags: list[str]
    tools: list[str]
    """The names of the tools, without the submission."""
    tasks: list[str]
    """The ids of the fixed tasks."""
    generates: bool
    """Whether tasks can be generated from a difficulty and a seed."""
    license: str
    source: str
    digest: str
    """Changes when the environment's source or its fixed tasks change."""

    @classmethod
    def of(cls, environment: Environment) -> "EnvironmentInfo":
        """Returns the description of an environment."""
        return cls(
            name=environment.name,
            title=environment.title,
            tags=list(environment.tags),
            tools=[tool.name for tool in environment.tools],
            tasks=[task.id for task in environment.tasks],
            generates=environment.generates,
            license=environment.license,
            source=environment.origin,
            digest=environment.digest,
        )

    @classmethod
    def of_outline(
        cls, outline: NativeOutline, program: EnvironmentProgram, tasks: Sequence[Task]
    ) -> "EnvironmentInfo":
        """Returns the description of an environment of which the outline is known; it equals that of `of`."""
        meta = outline.meta
        return cls(
            name=outline.name,
            title=meta.title,
            tags=meta.tags,
            tools=[method.name for method in outline.tools],
            tasks=[task.id for task in tasks],
            generates=outline.generates,
            license=meta.license,
            source=meta.source,
            digest=environment_digest(program, tasks),
        )


def searched_text(info: EnvironmentInfo) -> str:
    """Returns the text in which a search for environments looks, in lower case."""
    return "\n".join((info.name, info.title, *info.tags)).lower()
