"""The gateway: one address for an agent that chooses its environments itself.

It keeps no state between requests either; the episode is an explicit handle in every call.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import mcp_types as types
from mcp.server.lowlevel.server import Server
from pydantic_core import to_json
from typing_extensions import TypedDict

from codegym_mcp import __version__
from codegym_mcp.episodes.episode import EpisodeSettings
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.errors import (
    CodegymError,
    InvalidArgumentsError,
    JournalError,
    LimitError,
    NotFoundError,
    TaskError,
)
from codegym_mcp.server.mcp_conversion import (
    Context,
    data_result,
    error_result,
    hide_faults,
    request_key,
    tool_result,
)
from codegym_mcp.server.mcp_instructions import gateway_instructions, instructions
from codegym_mcp.spec.environment import DIFFICULTIES, Environment
from codegym_mcp.spec.tools import Parameter, Tool, tool_view

logger = logging.getLogger(__name__)


class ListedEnvironment(TypedDict):
    """An environment as the gateway lists it."""

    name: str
    title: str
    tags: list[str]
    tasks: list[str]
    generates: bool


class ListedTool(TypedDict):
    """A tool of an episode, to be called through `call_tool`."""

    name: str
    description: str
    arguments: dict[str, Any]


class StartedEpisode(TypedDict):
    """What `start_episode` returns."""

    episode: str
    task: str
    tools: list[ListedTool]
    answer: dict[str, Any]


_HANDLE = Parameter("episode", str, "the handle that start_episode returned.")

TOOLS = (
    Tool(
        "list_environments", "List environments", "List the environments.", (), list[ListedEnvironment], True
    ),
    Tool(
        "start_episode",
        "Start episode",
        "Start an episode: one attempt at one task. Returns its handle, the task and the tools.",
        (
            Parameter("environment", str, "an environment's name, from list_environments."),
            Parameter("task", str | None, "a task's id; without it, the first task.", None),
            Parameter("difficulty", int | None, "make a task of this difficulty, 1 to 5, instead.", None),
            Parameter("seed", int | None, "which of those tasks; 0 without it.", None),
        ),
        StartedEpisode,
    ),
    Tool(
        "call_tool",
        "Call tool",
        "Call a tool of an episode.",
        (
            _HANDLE,
            Parameter("name", str, "the tool's name."),
            Parameter("arguments", dict[str, Any], "the tool's arguments.", {}),
        ),
        dict[str, Any],
    ),
    Tool(
        "submit_answer",
        "Submit answer",
        "Submit the final answer of an episode. The first valid submission ends it.",
        (_HANDLE, Parameter("answer", Any, "the answer, as the episode's answer schema asks for it.")),
        dict[str, Any],
    ),
)

_WITHIN_EPISODE = frozenset({"call_tool", "submit_answer"})
"""The tools that act within an episode, where a client may name its request."""


class Gateway:
    """MCP handlers through which an agent opens and plays episodes."""

    def __init__(self, episodes: EpisodeManager, settings: EpisodeSettings) -> None:
        self._episodes = episodes
        self._settings = settings
        self._tools = {tool.name: tool for tool in TOOLS}
        self._actions: dict[str, Callable[..., Awaitable[types.CallToolResult]]] = {
            "list_environments": self._list_environments,
            "start_episode": self._start_episode,
            "call_tool": self._call,
            "submit_answer": self._submit,
        }
        self.server: Server[Any] = Server(
            "codegym-mcp",
            version=__version__,
            title="codegym-mcp gateway",
            instructions=gateway_instructions(episodes),
            get_tool_input_schema=lambda _: None,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
        )
        self.server.middleware.append(hide_faults)

    async def _list_tools(
        self, _c: Context, _p: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_gateway_tool(tool) for tool in TOOLS])

    async def _call_tool(self, _: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = self._tools.get(params.name)
        if tool is None:
            return error_result(f"There is no tool named {params.name!r}. Known: {', '.join(self._tools)}.")
        arguments = params.arguments or {}
        try:
            tool.validate_arguments(arguments)
            action = self._actions[tool.name]
            if tool.name in _WITHIN_EPISODE:
                return await action(**arguments, key=request_key(params))
            return await action(**arguments)
        except (NotFoundError, TaskError, InvalidArgumentsError, LimitError) as error:
            return error_result(str(error))
        except JournalError:
            raise
        except CodegymError as error:
            logger.warning("An agent could not open an episode: %s", error)
            return error_result("This task cannot be opened here. Choose another.")

    async def _list_environments(self) -> types.CallToolResult:
        listed = [_listed(environment) for environment in self._episodes.catalog.usable()]
        return _result(self._tools["list_environments"], listed)

    async def _start_episode(
        self,
        environment: str,
        task: str | None = None,
        difficulty: int | None = None,
        seed: int | None = None,
    ) -> types.CallToolResult:
        if difficulty is not None and difficulty not in DIFFICULTIES:
            raise InvalidArgumentsError("The difficulty is a number from 1 to 5.")
        found = self._episodes.catalog.get(environment)
        chosen = await self._episodes.find_task(found, task, difficulty, seed)
        episode = await self._episodes.open(found, chosen, self._settings)
        started: StartedEpisode = {
            "episode": episode.token,
            "task": instructions(episode, submission="submit_answer"),
            "tools": _listed_tools(found.tools),
            "answer": found.submission.input_schema["properties"][found.submission.parameters[0].name],
        }
        return _result(self._tools["start_episode"], started)

    async def _call(
        self, episode: str, name: str, arguments: dict[str, Any] | None = None, *, key: str | None
    ) -> types.CallToolResult:
        return tool_result(await self._episodes.by_token(episode).call(name, arguments or {}, key=key))

    async def _submit(self, episode: str, answer: Any, *, key: str | None) -> types.CallToolResult:
        return tool_result(await self._episodes.by_token(episode).submit(answer, key=key))


def _result(tool: Tool, value: Any) -> types.CallToolResult:
    return data_result(tool.structure(value), to_json(value).decode())


def _listed(environment: Environment) -> ListedEnvironment:
    return {
        "name": environment.name,
        "title": environment.title,
        "tags": list(environment.tags),
        "tasks": [task.id for task in environment.tasks],
        "generates": environment.generates,
    }


def _listed_tools(tools: Sequence[Tool]) -> list[ListedTool]:
    views = [tool_view(tool) for tool in tools]
    return [
        {"name": view.name, "description": view.description, "arguments": view.input_schema} for view in views
    ]


def _gateway_tool(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=types.ToolAnnotations(read_only_hint=tool.read_only, open_world_hint=False),
    )
