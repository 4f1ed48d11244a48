"""The gateway: one address for an agent that chooses its environments itself.

The protocol has no sessions, so every call names its episode by a handle.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import anyio.to_thread
import mcp_types as types
from mcp.server.lowlevel.server import Server
from pydantic_core import from_json, to_json
from typing_extensions import TypedDict

from codegym_mcp.catalog.environment_query import EnvironmentQuery
from codegym_mcp.environment_definition.environment import DIFFICULTIES, Environment
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.environment_definition.tools import Parameter, Tool, tool_view
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.errors import (
    CodegymError,
    InvalidArgumentsError,
    JournalError,
    LimitError,
    NotFoundError,
    TaskError,
)
from codegym_mcp.policies.tool_schemas import answer_schema
from codegym_mcp.server.caller_episodes import CallerCounts, CallerEpisodes
from codegym_mcp.server.http_options import DEFAULT_GATEWAY_EPISODES
from codegym_mcp.server.mcp_instructions import gateway_instructions, instructions
from codegym_mcp.server.mcp_middleware import Context, check_requests
from codegym_mcp.server.mcp_tool_conversion import (
    data_result,
    error_result,
    mcp_tool,
    request_key,
    tool_result,
)
from codegym_mcp.version import VERSION

logger = logging.getLogger(__name__)

Json = str | int | float | bool | list[Any] | dict[str, Any] | None
"""Any JSON value, with its types named: clients send a value without a declared type as text."""


class ListedEnvironment(TypedDict):
    """An environment as the gateway lists it."""

    name: str
    title: str
    tags: list[str]
    tasks: list[str]
    generates: bool


class ListedEnvironments(TypedDict):
    """The result of `list_environments`: one page of the environments that match."""

    environments: list[ListedEnvironment]
    total: int
    next_offset: int | None


class ListedTool(TypedDict):
    """A tool of an episode, to be called through `call_tool`."""

    name: str
    description: str
    arguments: dict[str, Any]


class StartedEpisode(TypedDict):
    """The result of `start_episode`."""

    episode: str
    task: str
    tools: list[ListedTool]
    answer: dict[str, Any]


_MOST_LISTED = 200
_HANDLE = Parameter("episode", str, "the handle that start_episode returned.")

TOOLS = (
    Tool(
        "list_environments",
        "List environments",
        "List the environments, one page at a time. next_offset is the offset of the next page, or null.",
        (
            Parameter("search", str, "a text in the name, the title or a tag.", ""),
            Parameter("tag", str | None, "a tag that the environments have.", None),
            Parameter("limit", int, f"environments of a page, 1 to {_MOST_LISTED}.", 50),
            Parameter("offset", int, "environments to leave out.", 0),
        ),
        ListedEnvironments,
        True,
    ),
    Tool(
        "start_episode",
        "Start episode",
        "Start an episode: one attempt at one task. Returns its handle, the task and the tools.",
        (
            Parameter("environment", str, "the name of an environment, from list_environments."),
            Parameter("task", str | None, "the id of a task; the first task without it.", None),
            Parameter("difficulty", int | None, "generate a task of this difficulty, 1 to 5, instead.", None),
            Parameter("seed", int | None, "the seed of the generated task; 0 without it.", None),
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
            Parameter("arguments", dict[str, Any], "the tool's arguments, as an object.", {}),
        ),
        dict[str, Any],
    ),
    Tool(
        "submit_answer",
        "Submit answer",
        "Submit the final answer of an episode. The first valid submission ends it.",
        (
            _HANDLE,
            Parameter(
                "answer",
                Json,
                "the answer, as the episode's answer schema declares it; null if it declares null.",
                None,
            ),
        ),
        dict[str, Any],
    ),
)

_WITHIN_EPISODE = frozenset({"call_tool", "submit_answer"})
"""The tools that act within an episode, whose calls may have an idempotency key."""


class Gateway:
    """MCP handlers through which an agent opens and plays episodes."""

    def __init__(
        self,
        episodes: EpisodeManager,
        settings: EpisodeSettings,
        *,
        per_caller: int = DEFAULT_GATEWAY_EPISODES,
        caller_counts: CallerCounts | None = None,
    ) -> None:
        """
        Args:
            settings: the settings of the episodes that agents open.
            per_caller: episodes that one client address may have open.
            caller_counts: counts the episodes of several processes; without it, those of this process are
                counted.
        """
        self._episodes = episodes
        self._settings = settings
        self._callers = CallerEpisodes(per_caller, caller_counts)
        self._tools = {tool.name: tool for tool in TOOLS}
        self._actions: dict[str, Callable[..., Awaitable[types.CallToolResult]]] = {
            "list_environments": self._list_environments,
            "start_episode": self._start_episode,
            "call_tool": self._call,
            "submit_answer": self._submit,
        }
        self.server: Server[Any] = Server(
            "codegym-mcp",
            version=VERSION,
            title="codegym-mcp gateway",
            instructions=gateway_instructions(episodes),
            get_tool_input_schema=lambda _: None,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
        )
        self.server.middleware.append(check_requests)

    async def _list_tools(
        self, _c: Context, _p: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[mcp_tool(tool) for tool in TOOLS])

    async def _call_tool(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = self._tools.get(params.name)
        if tool is None:
            return error_result(f"There is no tool named {params.name!r}. Known: {', '.join(self._tools)}.")
        arguments = _read_json_texts(tool, params.arguments or {})
        try:
            tool.validate_arguments(arguments)
            action = self._actions[tool.name]
            if tool.name in _WITHIN_EPISODE:
                return await action(**arguments, key=request_key(params))
            if tool.name == "start_episode":
                return await action(**arguments, caller=_caller(context))
            return await action(**arguments)
        except (NotFoundError, TaskError, InvalidArgumentsError) as error:
            return error_result(str(error))
        except LimitError as error:
            if error.limit == "open_episodes":
                return error_result("The server has as many open episodes as it allows. Try again later.")
            return error_result(str(error))
        except JournalError:
            raise
        except CodegymError as error:
            logger.warning("An agent could not open an episode: %s", error)
            return error_result("This task cannot be opened here. Choose another.")

    async def _list_environments(
        self, search: str = "", tag: str | None = None, limit: int = 50, offset: int = 0
    ) -> types.CallToolResult:
        if not 1 <= limit <= _MOST_LISTED or offset < 0:
            raise InvalidArgumentsError(f"limit is 1 to {_MOST_LISTED}, and offset is not negative.")
        query = EnvironmentQuery(search=search, tag=() if tag is None else (tag,), limit=limit, offset=offset)
        page = await anyio.to_thread.run_sync(query.page, self._episodes.catalog)
        listed: ListedEnvironments = {
            "environments": [_listed(each) for each in page.environments],
            "total": page.total,
            "next_offset": page.next_offset,
        }
        return _result(self._tools["list_environments"], listed)

    async def _start_episode(
        self,
        environment: str,
        task: str | None = None,
        difficulty: int | None = None,
        seed: int | None = None,
        *,
        caller: str,
    ) -> types.CallToolResult:
        if difficulty is not None and difficulty not in DIFFICULTIES:
            raise InvalidArgumentsError("The difficulty is a number from 1 to 5.")
        episode = await self._callers.open(
            caller,
            lambda: self._episodes.open_task(
                environment, task=task, difficulty=difficulty, seed=seed, settings=self._settings
            ),
        )
        found = episode.environment
        started: StartedEpisode = {
            "episode": episode.token,
            "task": instructions(episode, submission="submit_answer"),
            "tools": _listed_tools(found.tools),
            "answer": answer_schema(episode.submission),
        }
        return _result(self._tools["start_episode"], started)

    async def _call(
        self, episode: str, name: str, arguments: dict[str, Any] | None = None, *, key: str | None
    ) -> types.CallToolResult:
        return tool_result(await self._find(episode).call(name, arguments or {}, key=key))

    async def _submit(self, episode: str, answer: Any = None, *, key: str | None) -> types.CallToolResult:
        found = self._find(episode)
        return tool_result(await found.submit(_read_answer(found.environment, answer), key=key))

    def _find(self, handle: str) -> Episode:
        try:
            return self._episodes.by_token(handle)
        except NotFoundError:
            hint = self._episodes.missing_hint or (
                "Send the handle that start_episode returned, or start a new episode."
            )
            raise InvalidArgumentsError(f"There is no episode with this handle. {hint}") from None


def _caller(context: Context) -> str:
    """Returns the address of the client; empty over stdio and Unix sockets."""
    client = context.request.client if context.request is not None else None
    return client.host if client is not None else ""


def _read_json_texts(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Reads arguments that a client sent as JSON text although their declared type is not a text."""
    properties = tool.input_schema["properties"]
    return {
        name: _read_json(value) if name in properties and not _admits_text(properties[name]) else value
        for name, value in arguments.items()
    }


def _admits_text(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "string" or any(_admits_text(each) for each in schema.get("anyOf", ()))


def _read_json(value: Any) -> Any:
    """Returns the value of a JSON text; other values, and texts that are not JSON, as they are."""
    if not isinstance(value, str):
        return value
    try:
        return from_json(value, allow_inf_nan=False)
    except ValueError:
        return value


def _read_answer(environment: Environment, answer: Any) -> Any:
    """Reads an answer that was sent as JSON text, if the text itself does not fit the answer's type."""
    submission = environment.submission
    for candidate in (answer, _read_json(answer)):
        try:
            submission.validate_arguments(environment.submission_arguments(candidate))
        except InvalidArgumentsError:
            continue
        return candidate
    return answer


def _result(tool: Tool, value: Any) -> types.CallToolResult:
    return data_result(tool.structure(value), to_json(value).decode())


def _listed(environment: EnvironmentInfo) -> ListedEnvironment:
    return {
        "name": environment.name,
        "title": environment.title,
        "tags": environment.tags,
        "tasks": environment.tasks,
        "generates": environment.generates,
    }


def _listed_tools(tools: Sequence[Tool]) -> list[ListedTool]:
    views = [tool_view(tool) for tool in tools]
    return [
        {"name": view.name, "description": view.description, "arguments": view.input_schema} for view in views
    ]
