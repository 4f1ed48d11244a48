"""What is told of an environment that is not played: its names, and the names of its tools and tasks."""

from pydantic import BaseModel

from codegym_mcp.spec.environment import Environment


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


def searched_text(info: EnvironmentInfo) -> str:
    """Returns the text in which a search for environments looks, in lower case."""
    return "\n".join((info.name, info.title, *info.tags)).lower()
