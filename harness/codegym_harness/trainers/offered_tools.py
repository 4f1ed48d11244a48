"""What environments offer, in this process or on a server, before an episode is played."""

from collections.abc import Sequence
from typing import NamedTuple

from codegym_harness.trainers.trainer_episodes import EpisodeOptions
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.environment_definition.tools import tool_view
from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.runtime.blocking_runtime import Runtime
from codegym_mcp.task_reference import TaskReference


class OfferedTools(NamedTuple):
    """The tools of an environment."""

    tools: Sequence[ToolView]
    """The tools that can be called, without the submission."""
    submission: ToolView
    """The tool that submits the answer."""


def list_environments(options: EpisodeOptions) -> list[EnvironmentInfo]:
    """Returns the environments that can be played.

    Raises:
        SourceError: a path does not exist, or two environments share a name.
        ConnectionFailedError: the server cannot be reached, or refuses.
    """
    holder = options.holder()
    return list(holder.catalog.infos()) if isinstance(holder, Runtime) else holder.environments()


def read_tools(options: EpisodeOptions, task: TaskReference) -> OfferedTools:
    """Returns the tools of the environment of a task.

    Servers describe the tools of an episode alone, so one is opened there and abandoned.

    Raises:
        CodegymError: the environment cannot be used, or an episode cannot be opened.
    """
    holder = options.holder()
    if isinstance(holder, Runtime):
        environment = holder.catalog.get(task.environment)
        return OfferedTools([*map(tool_view, environment.tools)], tool_view(environment.submission))
    episode = options.open(task)
    episode.abandon("It was opened to read its tools.")
    return OfferedTools(episode.tools, episode.submission)
