"""An episode of a server of ours, played over MCP without the SDK.

An evaluation makes calls by the thousand, and the SDK's client, made for every server and transport, takes
more time for one than all the rest of the harness. This one speaks the protocol of 2026-07-28 over HTTP,
where each request stands alone, to a server whose results need not be checked again. For every other server
there is `connect`.
"""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import mcp_types as types
from mcp.shared.inbound import encode_header_value
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from codegym_mcp import __version__
from codegym_mcp.errors import ConnectionFailedError
from codegym_mcp.playable import OVER_META, REQUEST_KEY_META, CallResult, TaskView, ToolView
from codegym_mcp.players.schemas import answer_parameter
from harness.connect import TASK_URI, ssl_context
from harness.http_line import HttpLines
from harness.resending import persist

_VERSION = "2026-07-28"
_META = {
    "io.modelcontextprotocol/protocolVersion": _VERSION,
    "io.modelcontextprotocol/clientInfo": {"name": "codegym-mcp", "version": __version__},
    "io.modelcontextprotocol/clientCapabilities": {},
}
_ANSWER_SECONDS = 30.0
_CALL_SECONDS = 660.0
"""A tool may take its time: longer than any `call_seconds` allows."""
_LOST = {types.METHOD_NOT_FOUND}
"""Errors of a tool call that say that the episode is no longer there."""
_HINT = "Is it running, and is the address right?"

R = TypeVar("R", bound=BaseModel)


class EpisodeClient:
    """A connection to an episode of ours. It is a `Playable`. Use `EpisodeClient.connect`.

    Attributes:
        instructions: the task and the rules, as the server tells them.
    """

    def __init__(self, url: str, patience: float) -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        self._lines = HttpLines(
            parts.hostname or "",
            parts.port or (443 if secure else 80),
            ssl=ssl_context() if secure else None,
        )
        self._head = (
            f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
            f"accept: application/json, text/event-stream\r\nmcp-protocol-version: {_VERSION}\r\n"
        )
        self._server = f"{parts.scheme}://{parts.netloc}"
        self._patience = patience
        self._requests = 0
        self._task: TaskView
        self._tools: Sequence[ToolView] = ()
        self._submission: ToolView
        self.instructions = ""

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str, *, patience: float = 0.0) -> AsyncIterator["EpisodeClient"]:
        """Connects to an episode until the block is left.

        Args:
            url: the episode's address; one of another server will not do.
            patience: how many seconds the server is awaited when it is lost; what was asked of it is asked
                again.

        Raises:
            ConnectionFailedError: the server cannot be reached, or there is no such episode.
        """
        client = cls(url, patience)
        try:
            await client._open()
            yield client
        finally:
            client._lines.close()

    async def _open(self) -> None:
        self.instructions = (await self._ask(_Discovered, "server/discover", {})).instructions
        tools = (await self._ask(_Tools, "tools/list", {})).tools
        views = {
            tool.name: ToolView(
                name=tool.name,
                description=tool.description,
                input_schema=tool.input_schema,
                output_schema=tool.output_schema,
            )
            for tool in tools
        }
        read = await self._ask(_Read, "resources/read", {"uri": TASK_URI}, name=TASK_URI)
        task = _Task.model_validate_json(read.contents[0].text)
        self._task = TaskView(**task.model_dump(exclude={"submission"}))
        self._submission = views.pop(task.submission)
        self._tools = list(views.values())

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
            ConnectionFailedError: the server, or the episode, is no longer there.
        """
        key = {REQUEST_KEY_META: secrets.token_hex(8)}
        asked = {"name": name, "arguments": arguments}
        try:
            called = await self._ask(_Called, "tools/call", asked, name=name, meta=key, seconds=_CALL_SECONDS)
        except _RefusedError as refused:
            if refused.code in _LOST:
                raise
            return CallResult(text=refused.text, is_error=True)
        return CallResult(
            text="\n".join(block.text for block in called.content),
            structured=None if called.is_error else called.structured,
            is_error=called.is_error,
            over=called.meta.get(OVER_META) is True,
        )

    async def submit(self, answer: Any) -> CallResult:
        """Submits the answer; see `Playable.submit`."""
        result = await self.call(self._submission.name, {answer_parameter(self._submission): answer})
        return result if result.is_error else result.model_copy(update={"over": True})

    async def _ask(
        self,
        kind: type[R],
        method: str,
        params: dict[str, Any],
        *,
        name: str | None = None,
        meta: dict[str, Any] | None = None,
        seconds: float = _ANSWER_SECONDS,
    ) -> R:
        """Makes a request; everything that is asked here may arrive twice.

        Args:
            kind: what the result is.
            name: of the tool or resource, which stands in a header too.
            meta: what `_meta` holds besides.

        Raises:
            ConnectionFailedError: there is no answer, or it is an error.
        """
        self._requests += 1
        params = {**params, "_meta": {**_META, **(meta or {})}}
        body = to_json({"jsonrpc": "2.0", "id": self._requests, "method": method, "params": params})
        named = f"mcp-name: {encode_header_value(name)}\r\n" if name is not None else ""
        head = f"{self._head}mcp-method: {method}\r\n{named}content-length: {len(body)}\r\n\r\n"
        request = head.encode() + body
        try:
            status, answer = await persist(lambda: self._lines.send(request, seconds), _lost, self._patience)
        except OSError as error:
            raise ConnectionFailedError(
                f"The MCP server {self._server} failed: {error}.", hint=_HINT
            ) from error
        try:
            told = _Answer.model_validate_json(_message(answer))
            if told.error is not None:
                raise _RefusedError(self._server, told.error)
            return kind.model_validate(told.result)
        except ValidationError as error:
            raise ConnectionFailedError(
                f"The MCP server {self._server} failed: its answer, of status {status}, is not understood.",
                hint=_HINT,
            ) from error


class _Part(BaseModel):
    """Something that a server says; what else it says is passed over."""

    model_config = ConfigDict(frozen=True)


class _Error(_Part):
    code: int = 0
    """Absent where it is no error of the protocol, but the server's own, for addresses that are none."""
    message: str


class _Answer(_Part):
    result: dict[str, Any] | None = None
    error: _Error | None = None


class _Discovered(_Part):
    instructions: str


class _Tool(_Part):
    name: str
    description: str = ""
    input_schema: dict[str, Any] = Field(alias="inputSchema")
    output_schema: dict[str, Any] | None = Field(default=None, alias="outputSchema")


class _Tools(_Part):
    tools: list[_Tool]


class _Text(_Part):
    text: str


class _Read(_Part):
    contents: list[_Text] = Field(min_length=1)


class _Task(TaskView):
    """What the resource `codegym://task` holds."""

    submission: str


class _Called(_Part):
    content: list[_Text]
    structured: dict[str, Any] | None = Field(default=None, alias="structuredContent")
    is_error: bool = Field(default=False, alias="isError")
    meta: dict[str, Any] = Field(default={}, alias="_meta")


class _RefusedError(ConnectionFailedError):
    """The server answered with an error of the protocol."""

    def __init__(self, server: str, error: _Error) -> None:
        self.code = error.code
        self.text = error.message
        super().__init__(f"The MCP server {server} failed: {error.message}", hint=_HINT)


def _lost(error: Exception) -> bool:
    """Whether the server was lost; one that only takes too long is there."""
    return isinstance(error, OSError) and not isinstance(error, TimeoutError)


def _message(answer: bytes) -> bytes:
    """The JSON of an answer, which a server may also send as the last event of a stream."""
    if answer.startswith(b"{"):
        return answer
    events = [line.removeprefix(b"data:") for line in answer.splitlines() if line.startswith(b"data:")]
    return events[-1] if events else answer
