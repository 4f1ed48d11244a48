"""An episode as an MCP server: its tools, its task, its submission.

The same handlers serve every transport and both protocol eras. They keep no state of their own: the address
of a request decides to which episode it belongs, since the protocol of 2026-07-28 has no sessions.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cached_property
from itertools import chain, count
from typing import Any
from weakref import WeakKeyDictionary

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from pydantic_core import to_json

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.tools import Tool, reveal_verdict
from codegym_mcp.episode_protocol import TASK_TOOL_META
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.errors import InvalidArgumentsError
from codegym_mcp.server.mcp_instructions import instructions
from codegym_mcp.server.mcp_middleware import Context, check_requests
from codegym_mcp.server.mcp_tool_conversion import (
    data_result,
    error_result,
    mcp_tool,
    request_key,
    tool_result,
)
from codegym_mcp.version import VERSION

TASK_URI = "codegym://task"
TASK_PROMPT = "task"
_TASK_DESCRIPTION = "The task of this episode and how to answer it."
TASK_TOOL = Tool(
    "read_task",
    "Read the task",
    "Return the task of this episode and how to answer it. Reading the task does not count as a call.",
    (),
    str,
    True,
)
"""Many clients show a model neither instructions nor prompts nor resources, but all show it tools."""

_ONE_HOUR = CacheHint(ttl_ms=3_600_000, scope="private")

FindEpisode = Callable[[Context], Episode]
"""Finds the episode that a request belongs to."""


class EpisodeMcpServer:
    """MCP handlers for the episode that `find` returns for each request."""

    def __init__(self, find: FindEpisode) -> None:
        self._find = find
        self._tools: dict[bool, WeakKeyDictionary[Environment, list[types.Tool]]] = {
            reveal: WeakKeyDictionary() for reveal in (False, True)
        }

    @classmethod
    def of(cls, episode: Episode) -> "EpisodeMcpServer":
        """Returns the server of one episode, as over stdio."""
        return cls(lambda _: episode)

    @cached_property
    def server(self) -> Server[Any]:
        """The SDK's server with these handlers."""
        server: Server[Any] = Server(
            "codegym-mcp",
            version=VERSION,
            title="codegym-mcp episode",
            lifespan=_no_lifespan,
            # The lists of an episode never change.
            cache_hints={
                "tools/list": _ONE_HOUR,
                "prompts/list": _ONE_HOUR,
                "resources/list": _ONE_HOUR,
                "resources/templates/list": _ONE_HOUR,
            },
            # Without this the SDK would list the tools before every call, to check headers we do not use.
            get_tool_input_schema=lambda _: None,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_prompts=self._list_prompts,
            on_get_prompt=self._get_prompt,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_resource_templates,
            on_read_resource=self._read_resource,
        )
        server.middleware += [check_requests, self._add_instructions]
        return server

    async def _add_instructions(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Puts the task into the instructions, which the SDK knows only for a whole server. Middleware."""
        result = await call_next(ctx)
        if ctx.method in ("initialize", "server/discover") and isinstance(result, dict):
            result["instructions"] = instructions(self._find(ctx))
        return result

    async def _list_tools(
        self, context: Context, _: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        episode = self._find(context)
        known = self._tools[episode.settings.reveal]
        if episode.environment not in known:
            known[episode.environment] = _list_tools(episode)
        return types.ListToolsResult(tools=known[episode.environment])

    async def _call_tool(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        return await call_episode(self._find(context), params)

    async def _list_prompts(
        self, _c: Context, _p: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        return types.ListPromptsResult(
            prompts=[
                types.Prompt(
                    name=TASK_PROMPT,
                    title="The task",
                    description=_TASK_DESCRIPTION,
                )
            ]
        )

    async def _get_prompt(
        self, context: Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        if params.name != TASK_PROMPT:
            raise MCPError(
                types.INVALID_PARAMS, f"There is no prompt named {params.name!r}. Known: {TASK_PROMPT}."
            )
        content = types.TextContent(text=instructions(self._find(context)))
        return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=content)])

    async def _list_resources(
        self, _c: Context, _p: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        task = types.Resource(
            uri=TASK_URI,
            name="task",
            title="The task",
            description=_TASK_DESCRIPTION,
            mime_type="application/json",
        )
        return types.ListResourcesResult(resources=[task])

    async def _list_resource_templates(
        self, _c: Context, _p: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        # The list is empty, but a server that offers resources must answer.
        return types.ListResourceTemplatesResult(resource_templates=[])

    async def _read_resource(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        if str(params.uri) != TASK_URI:
            raise MCPError(
                types.INVALID_PARAMS,
                f"There is no resource {params.uri}. Known: {TASK_URI}.",
                {"uri": str(params.uri)},
            )
        episode = self._find(context)
        task = {
            **episode.task.model_dump(mode="json"),
            "submission": episode.submission.name,
            "calls_allowed": episode.settings.limits.calls,
        }
        text = types.TextResourceContents(
            uri=TASK_URI, mime_type="application/json", text=to_json(task).decode()
        )
        return types.ReadResourceResult(contents=[text])


async def call_episode(episode: Episode, params: types.CallToolRequestParams) -> types.CallToolResult:
    """Makes a tool call of an episode.

    Raises:
        MCPError: the idempotency key is not valid; nothing was done.
        JournalError: the call could not be recorded and counts as not made.
    """
    if params.name.startswith(TASK_TOOL.name):
        task_tool = _task_tool(episode.environment)
        if params.name == task_tool.name:
            return _read_task(task_tool, episode, params.arguments or {})
    key = request_key(params)
    return tool_result(await episode.call(params.name, params.arguments or {}, key=key))


def _task_tool(environment: Environment) -> Tool:
    """Returns the task tool, under a name that no tool of the environment has."""
    taken = {environment.submission.name, *(tool.name for tool in environment.tools)}
    numbered = (f"{TASK_TOOL.name}_{number}" for number in count(2))
    return replace(
        TASK_TOOL, name=next(name for name in chain([TASK_TOOL.name], numbered) if name not in taken)
    )


def _list_tools(episode: Episode) -> list[types.Tool]:
    """Returns the tools of an episode: the task tool, those of the environment, the submission."""
    environment = episode.environment
    tools = [mcp_tool(_task_tool(environment), meta={TASK_TOOL_META: True})]
    tools += [mcp_tool(tool) for tool in environment.tools]
    submission = environment.submission
    tools.append(mcp_tool(reveal_verdict(submission) if episode.settings.reveal else submission))
    return tools


def _read_task(tool: Tool, episode: Episode, arguments: dict[str, Any]) -> types.CallToolResult:
    try:
        tool.validate_arguments(arguments)
    except InvalidArgumentsError as error:
        return error_result(str(error))
    text = instructions(episode)
    return data_result(tool.structure(text), text)


@asynccontextmanager
async def _no_lifespan(_: Server[Any]) -> AsyncIterator[None]:
    yield None
