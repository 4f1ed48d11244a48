"""An MCP client for a server of ours or any other, seen as something to play."""

import secrets
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.server.lowlevel.server import Server
from pydantic import ValidationError

from codegym_harness.clients.retrying_client import RetryingClient, retry_lost_connection
from codegym_mcp.episode_interface import (
    OVER_META,
    REQUEST_KEY_META,
    STATUS_META,
    TASK_TOOL_META,
    CallResult,
    CallStatus,
    TaskView,
    ToolView,
)
from codegym_mcp.errors import ConnectionFailedError
from codegym_mcp.json_schema import inline_foreign_references
from codegym_mcp.policies.tool_schemas import answer_parameter

Target = str | StdioServerParameters | Server[Any]
"""What to connect to: a URL, a command, or a server in this process."""

TASK_URI = "codegym://task"
_NO_SUBMISSION = ToolView(
    name="submit_answer",
    description="This server takes no answer; nothing is scored.",
    input_schema={"type": "object", "properties": {"answer": {}}, "required": ["answer"]},
)
_ANSWER_SECONDS = 30.0
_CALL_SECONDS = 660.0
"""A tool may take its time: longer than any `call_seconds` allows."""
_LOST = {types.CONNECTION_CLOSED, types.REQUEST_TIMEOUT, types.METHOD_NOT_FOUND}
"""Errors of a tool call that say that the server, or the episode, is no longer there."""
_ERRORS = frozenset(CallStatus) - {CallStatus.OK}


class _TaskResource(TaskView):
    """What the resource `codegym://task` holds."""

    submission: str


class Connection:
    """A connection to an MCP server. It is a `Playable`.

    Attributes:
        scored: whether the server has a submission, as ours have.
        instructions: the server's own words on how it is to be used; of a server of ours, the task and the
            rules of the episode.
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
        """Calls a tool; see `Playable.call`. It is made once, however often it has to be sent.

        Raises:
            ConnectionFailedError: the server is no longer there.
        """
        key: Any = {REQUEST_KEY_META: secrets.token_hex(8)} if self.scored else None

        async def send() -> types.CallToolResult:
            return await self._client.call_tool(name, arguments, read_timeout_seconds=_CALL_SECONDS, meta=key)

        try:
            return _call_result(await retry_lost_connection(send, _closed, self._patience))
        except MCPError as error:
            if error.code in _LOST:
                raise ConnectionFailedError(f"The MCP server does not answer any more: {error}.") from error
            return CallResult(text=str(error), status=CallStatus.REFUSED)
        except (RuntimeError, ValidationError) as error:
            # So the SDK reports a result that breaks the tool's own schema, or the protocol's.
            return CallResult(
                text=f"The server's result cannot be used: {error}", status=CallStatus.REFUSED
            )

    async def submit(self, answer: Any) -> CallResult:
        """Submits the answer; see `Playable.submit`. A server without a submission refuses."""
        if not self.scored:
            return CallResult(text="This server takes no answer.", status=CallStatus.REFUSED)
        result = await self.call(self._submission.name, {answer_parameter(self._submission): answer})
        return result if result.is_error else result.model_copy(update={"over": True})


@asynccontextmanager
async def connect(
    target: Target,
    *,
    mode: str = "auto",
    prompt: str = "",
    patience: float = 0.0,
    socket_path: Path | None = None,
) -> AsyncIterator[Connection]:
    """Connects to an MCP server until the block is left. Leave it in the task that entered it.

    Args:
        target: where the server is.
        mode: the protocol: "auto", "legacy" for the handshake era, or a version without a handshake.
        prompt: the task text for a server that has none of ours; its instructions without one.
        patience: how many seconds a server of ours, by URL, is awaited when it is lost; what was asked of it
            is asked again.
        socket_path: the Unix socket to connect to, in place of the URL's host and port.

    Raises:
        ConnectionFailedError: the server cannot be reached, or was lost while the block ran.
    """
    failure: Exception | None = None
    try:
        async with _http_client(patience, socket_path) as http:
            client = Client(_transport(target, http), mode=mode, read_timeout_seconds=_ANSWER_SECONDS)
            async with client:
                connection = await retry_lost_connection(
                    lambda: _open(client, prompt, patience), _closed, patience
                )
                # What the block raises is not the transport's business, which would wrap it in groups.
                try:
                    yield connection
                except Exception as error:
                    failure = error
    except Exception as error:
        raise ConnectionFailedError(
            f"The MCP server {_describe(target)} failed: {_cause(error)}.",
            hint="Is it running, and is the address right?",
        ) from error
    if failure is not None:
        raise failure


async def _open(client: Client, prompt: str, patience: float) -> Connection:
    tools = await _list_tools(client)
    task = await _read_task(client)
    if task is not None:
        view = TaskView(**task.model_dump(exclude={"submission"}))
        return Connection(client, view, tools, task.submission, patience=patience)
    name = client.server_info.name if client.server_info is not None else "mcp"
    text = prompt or client.instructions or "Try the tools of this server."
    return Connection(client, TaskView(environment=name, id="-", text=text), tools, None)


async def _list_tools(client: Client) -> list[ToolView]:
    views: list[ToolView] = []
    cursor: str | None = None
    while True:
        page = await client.list_tools(cursor=cursor)
        views += [
            ToolView(
                name=tool.name,
                description=tool.description or "",
                input_schema=inline_foreign_references(tool.input_schema),
                output_schema=tool.output_schema,
            )
            for tool in page.tools
            if TASK_TOOL_META not in (tool.meta or {})
        ]
        cursor = page.next_cursor
        if cursor is None:
            return views


async def _read_task(client: Client) -> _TaskResource | None:
    """The task of a server of ours; None where the server is another."""
    if client.server_capabilities.resources is None:
        return None
    try:
        read = await client.read_resource(TASK_URI)
        return _TaskResource.model_validate_json(getattr(read.contents[0], "text", ""))
    except MCPError as error:
        if _closed(error):
            raise
        return None
    except (ValidationError, IndexError):
        return None


def _call_result(result: types.CallToolResult) -> CallResult:
    structured = result.structured_content
    if structured is not None and not isinstance(structured, dict):
        structured = {"result": structured}
    return CallResult(
        text="\n".join(_block_text(block) for block in result.content),
        structured=None if result.is_error else structured,
        status=_status(result),
        over=bool((result.meta or {}).get(OVER_META)),
    )


def _status(result: types.CallToolResult) -> CallStatus:
    """Returns the status that our servers send beside an error; the errors of other servers are refusals."""
    if not result.is_error:
        return CallStatus.OK
    status = (result.meta or {}).get(STATUS_META)
    return next((each for each in _ERRORS if each == status), CallStatus.REFUSED)


def _block_text(block: types.ContentBlock) -> str:
    match block:
        case types.TextContent():
            return block.text
        case types.EmbeddedResource(resource=types.TextResourceContents() as resource):
            return resource.text
        case types.ResourceLink():
            return f"[{block.name}: {block.uri}]"
    return f"[{block.type}]"


def _closed(error: Exception) -> bool:
    """Whether the server was lost before it had answered."""
    return isinstance(error, MCPError) and error.code == types.CONNECTION_CLOSED


def _http_client(patience: float, socket_path: Path | None) -> httpx2.AsyncClient:
    # How long an answer may take is for the MCP client to say.
    timeout = httpx2.Timeout(_ANSWER_SECONDS, read=None)
    return RetryingClient(
        patience=patience, socket_path=socket_path, verify=ssl_context(), timeout=timeout
    )


@cache
def ssl_context() -> ssl.SSLContext:
    """One for all connections: making one costs 20 ms."""
    return httpx2.create_ssl_context()


def _transport(target: Target, http: httpx2.AsyncClient) -> Any:
    return streamable_http_client(target, http_client=http) if isinstance(target, str) else target


def _describe(target: Target) -> str:
    if isinstance(target, StdioServerParameters):
        return " ".join([target.command, *target.args])
    return target if isinstance(target, str) else target.name


def _cause(error: BaseException) -> str:
    """What is behind an error that task groups wrapped."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}".rstrip(": ")
