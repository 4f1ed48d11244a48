"""An MCP client, for a server of this project or any other, as an episode that an agent can play."""

import logging
import secrets
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import httpx2
import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.lowlevel.server import Server
from pydantic import ValidationError

from codegym_harness.clients.lost_connection_retries import retry_lost_connection
from codegym_harness.clients.mcp_results import call_result
from codegym_harness.clients.server_output import logged_output
from codegym_harness.clients.third_party_http_client import ThirdPartyHttpClient
from codegym_harness.clients.third_party_message_repair import repair_messages
from codegym_harness.clients.third_party_results import OUTPUT_SCHEMA_META, Warn
from codegym_mcp.episode_protocol import (
    REQUEST_KEY_META,
    TASK_TOOL_META,
    CallResult,
    CallStatus,
    TaskView,
    ToolView,
)
from codegym_mcp.errors import ConnectionFailedError
from codegym_mcp.policies.tool_schemas import submission_arguments
from codegym_mcp.unicode_text import replace_lone_surrogates

logger = logging.getLogger(__name__)

Target = str | StdioServerParameters | Server[Any]
"""A server: its URL, the command that starts it, or a server in this process."""

TASK_URI = "codegym://task"
_NO_SUBMISSION = ToolView(
    name="submit_answer",
    description="This server takes no answer; nothing is scored.",
    input_schema={"type": "object", "properties": {"answer": {}}, "required": ["answer"]},
)
_ANSWER_SECONDS = 30.0
_CALL_SECONDS = 660.0
"""Longest duration of a call in seconds; `call_seconds` is always smaller."""
_MAX_TOOLS = 2000
"""Maximum number of tools that are read from a server."""
_LOST_CODES = {types.CONNECTION_CLOSED, types.REQUEST_TIMEOUT, types.METHOD_NOT_FOUND}
"""Error codes of a tool call that mean that the server, or the episode, does not exist any more."""
_LOST_TEXTS = ("Connection closed", "SSE stream ended", "Not Found")
"""Beginnings of the texts that the client library gives to these errors itself."""
_LOST_ERRORS = (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream)


class _TaskResource(TaskView):
    """The content of the resource `codegym://task`."""

    submission: str


class McpConnection:
    """A connection to an MCP server. It is an `EpisodeProtocol`.

    Attributes:
        scored: whether the server accepts an answer, as servers of this project do.
        instructions: the instructions of the server; the task and the rules of the episode if the server is
            of this project.
    """

    def __init__(
        self,
        client: Client,
        task: TaskView,
        tools: Sequence[ToolView],
        submission: str | None,
        *,
        patience: float = 0.0,
    ) -> None:
        self._client = client
        self._patience = patience
        self._task = task
        self._tools = [tool for tool in tools if tool.name != submission]
        self._submission = next((tool for tool in tools if tool.name == submission), _NO_SUBMISSION)
        self.scored = submission is not None
        self.instructions = client.instructions or ""

    @property
    def task(self) -> TaskView:
        return self._task

    @property
    def tools(self) -> Sequence[ToolView]:
        return self._tools

    @property
    def submission(self) -> ToolView:
        return self._submission

    async def call(self, name: str, arguments: dict[str, Any]) -> CallResult:
        """Calls a tool; see `EpisodeProtocol.call`. The call is executed once, even if it is sent again.

        Raises:
            ConnectionFailedError: the server cannot be reached any more.
        """
        key: Any = {REQUEST_KEY_META: secrets.token_hex(8)} if self.scored else None

        async def send() -> types.CallToolResult:
            return await self._client.call_tool(name, arguments, read_timeout_seconds=_CALL_SECONDS, meta=key)

        try:
            return call_result(await retry_lost_connection(send, _closed, self._patience))
        except MCPError as error:
            if self._is_lost(error):
                raise ConnectionFailedError(f"The MCP server does not respond any more: {error}.") from error
            return CallResult(text=replace_lone_surrogates(str(error)), status=CallStatus.REFUSED)
        except _LOST_ERRORS as error:
            raise ConnectionFailedError(f"The connection to the MCP server is lost: {error!r}.") from error
        except Exception as error:
            # The SDK raises various errors for a result that breaks the tool's schema or the protocol's.
            text = replace_lone_surrogates(f"The server's result cannot be used: {error}")
            return CallResult(text=text, status=CallStatus.REFUSED)

    async def submit(self, answer: Any = None) -> CallResult:
        """Submits the answer; see `EpisodeProtocol.submit`. A server without a submission refuses."""
        if not self.scored:
            return CallResult(text="This server takes no answer.", status=CallStatus.REFUSED)
        result = await self.call(self._submission.name, submission_arguments(self._submission, answer))
        return result if result.is_error else result.model_copy(update={"over": True})

    def _is_lost(self, error: MCPError) -> bool:
        """Returns whether the server, or the episode, does not exist any more.

        Other servers send the same codes for refusals, for example of a tool that does not exist, so that the
        text of the client library counts too.
        """
        if error.code not in _LOST_CODES:
            return False
        return self.scored or error.code == types.REQUEST_TIMEOUT or str(error).startswith(_LOST_TEXTS)


@asynccontextmanager
async def connect(
    target: Target,
    *,
    mode: str = "auto",
    prompt: str = "",
    patience: float = 0.0,
    socket_path: Path | None = None,
) -> AsyncIterator[McpConnection]:
    """Connects to an MCP server until the block is left. The task that entered the block must leave it.

    Args:
        target: the server.
        mode: the protocol: "auto", "legacy" for the handshake era, or a version without a handshake.
        prompt: the task text for a server that provides none; its instructions without one.
        patience: the time in seconds to wait for a server of this project that was lost, by URL; requests
            are sent again.
        socket_path: the Unix socket to connect to, in place of the URL's host and port.

    Raises:
        ConnectionFailedError: the server cannot be reached, or was lost while the block ran.
    """
    failure: Exception | None = None
    try:
        async with _http_client(target, patience, socket_path) as http:
            transport = _transport(target, http, lambda text: _warn(_describe(target), text))
            client = Client(transport, mode=mode, read_timeout_seconds=_ANSWER_SECONDS)
            async with client:
                connection = await retry_lost_connection(
                    lambda: _open(client, prompt, patience), _closed, patience
                )
                # Raised outside of the transport, which would wrap it in exception groups.
                try:
                    yield connection
                except Exception as error:
                    failure = error
    except Exception as error:
        raise ConnectionFailedError(
            f"The MCP server {_describe(target)} failed: {_cause(error)}.",
            hint="Check that it is running, and its address.",
        ) from error
    if failure is not None:
        raise failure


async def _open(client: Client, prompt: str, patience: float) -> McpConnection:
    tools = await _list_tools(client)
    task = await _read_task(client)
    if task is not None:
        view = TaskView(**task.model_dump(exclude={"submission"}))
        return McpConnection(client, view, tools, task.submission, patience=patience)
    name = client.server_info.name if client.server_info is not None else "mcp"
    text = prompt or client.instructions or "Try the tools of this server."
    return McpConnection(client, TaskView(environment=name, id="-", text=text), tools, None)


async def _list_tools(client: Client) -> list[ToolView]:
    """Returns the tools of a server, each name once, up to `_MAX_TOOLS`."""
    views: dict[str, ToolView] = {}
    cursors: set[str] = set()
    cursor: str | None = None
    while True:
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            if TASK_TOOL_META not in (tool.meta or {}):
                view = ToolView(
                    name=tool.name,
                    description=tool.description or "",
                    input_schema=tool.input_schema,
                    output_schema=(tool.meta or {}).get(OUTPUT_SCHEMA_META, tool.output_schema),
                )
                views.setdefault(tool.name, view)
        cursor = page.next_cursor
        # A server may send the same cursor, or a new one, for ever.
        if cursor is None or cursor in cursors or len(views) >= _MAX_TOOLS or not page.tools:
            return list(views.values())
        cursors.add(cursor)


async def _read_task(client: Client) -> _TaskResource | None:
    """Returns the task of a server of this project, or None for any other server."""
    if client.server_capabilities.resources is None:
        return None
    try:
        read = await client.read_resource(TASK_URI)
        return _TaskResource.model_validate_json(getattr(read.contents[0], "text", ""))
    except MCPError as error:
        if _closed(error):
            raise
        return None
    except (ValidationError, IndexError, ValueError):
        return None


def _closed(error: Exception) -> bool:
    """Returns whether the server was lost before it responded."""
    return isinstance(error, MCPError) and error.code == types.CONNECTION_CLOSED


def _http_client(target: Target, patience: float, socket_path: Path | None) -> httpx2.AsyncClient:
    # The MCP client bounds the time of a response.
    timeout = httpx2.Timeout(_ANSWER_SECONDS, read=None)
    return ThirdPartyHttpClient(
        url=target if isinstance(target, str) else "",
        patience=patience,
        socket_path=socket_path,
        verify=ssl_context(),
        timeout=timeout,
    )


@cache
def ssl_context() -> ssl.SSLContext:
    """Returns the SSL context of all connections; creating one takes 20 ms."""
    return httpx2.create_ssl_context()


def _transport(target: Target, http: httpx2.AsyncClient, warn: Warn) -> Any:
    match target:
        case str():
            return repair_messages(streamable_http_client(target, http_client=http), warn)
        case StdioServerParameters():
            return repair_messages(_start_server(target), warn)
    return target


@asynccontextmanager
async def _start_server(command: StdioServerParameters) -> AsyncIterator[Any]:
    with logged_output() as errors:
        async with stdio_client(command, errlog=errors) as streams:
            yield streams


@cache
def _warn(server: str, text: str) -> None:
    """Logs a warning of a server once, however often its tools are listed."""
    logger.warning("%s: %s", server, text)


def _describe(target: Target) -> str:
    if isinstance(target, StdioServerParameters):
        return " ".join([target.command, *target.args])
    return target if isinstance(target, str) else target.name


def _cause(error: BaseException) -> str:
    """Returns the cause of an error that task groups wrapped."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}".rstrip(": ")
