"""An episode as an MCP server: its tools, its task, its submission.

The same handlers serve every transport and both protocol eras. They keep no state of their own: which
episode a request belongs to is decided by its address, since the protocol of 2026-07-28 has no sessions.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from pydantic_core import to_json

from codegym_mcp import __version__
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.server.mcp_conversion import Context, hide_faults, request_key, tool_list, tool_result
from codegym_mcp.server.mcp_instructions import instructions
from codegym_mcp.spec.environment import Environment

TASK_URI = "codegym://task"
TASK_PROMPT = "task"
_FOREVER = CacheHint(ttl_ms=3_600_000, scope="private")

FindEpisode = Callable[[Context], Episode]
"""Finds the episode that a request belongs to."""


class EpisodeMcpServer:
    """MCP handlers over the episode that `find` finds for each request."""

    def __init__(self, find: FindEpisode) -> None:
        self._find = find
        self._tools: WeakKeyDictionary[Environment, list[types.Tool]] = WeakKeyDictionary()

    @classmethod
    def of(cls, episode: Episode) -> "EpisodeMcpServer":
        """A server that is one episode, as over stdio."""
        return cls(lambda _: episode)

    @cached_property
    def server(self) -> Server[Any]:
        """The SDK's server with these handlers."""
        server: Server[Any] = Server(
            "codegym-mcp",
            version=__version__,
            title="codegym-mcp episode",
            lifespan=_nothing,
            # Tools of an episode never change, so a client need ask only once.
            cache_hints={
                "tools/list": _FOREVER,
                "prompts/list": _FOREVER,
                "resources/list": _FOREVER,
                "resources/templates/list": _FOREVER,
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
        server.middleware += [hide_faults, self._instruct]
        return server

    async def _instruct(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Puts the task into the instructions, which the SDK knows only for a server as a whole."""
        result = await call_next(ctx)
        if ctx.method in ("initialize", "server/discover") and isinstance(result, dict):
            result["instructions"] = instructions(self._find(ctx))
        return result

    async def _list_tools(
        self, context: Context, _: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        environment = self._find(context).environment
        if environment not in self._tools:
            self._tools[environment] = tool_list(environment)
        return types.ListToolsResult(tools=self._tools[environment])

    async def _call_tool(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        episode = self._find(context)
        key = request_key(params)
        return tool_result(await episode.call(params.name, params.arguments or {}, key=key))

    async def _list_prompts(
        self, _c: Context, _p: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        return types.ListPromptsResult(
            prompts=[types.Prompt(name=TASK_PROMPT, title="The task", description="What is to be done.")]
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
            description="What is to be done.",
            mime_type="application/json",
        )
        return types.ListResourcesResult(resources=[task])

    async def _list_resource_templates(
        self, _c: Context, _p: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        # There are none, but whoever offers resources has to answer.
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


@asynccontextmanager
async def _nothing(_: Server[Any]) -> AsyncIterator[None]:
    yield None
