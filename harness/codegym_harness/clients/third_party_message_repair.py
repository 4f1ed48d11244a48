"""A transport that repairs messages of MCP servers that deviate from the protocol before the SDK reads them.

A response that cannot be read would otherwise leave its request waiting until the time is over.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Self

import anyio
import mcp_types as types
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

from codegym_harness.clients.third_party_responses import complete_response
from codegym_harness.clients.third_party_results import Warn, repair_result

Item = SessionMessage | Exception
_UNREADABLE = "Failed to parse "
"""Beginning of the text of the SDK's error for a response over HTTP that is not a message of the protocol."""


@asynccontextmanager
async def repair_messages(transport: AbstractAsyncContextManager[Any], warn: Warn) -> AsyncIterator[Any]:
    """Opens a transport whose incoming messages are repaired.

    Args:
        warn: receives a sentence for each tool that is left out, and for lines that are no message.
    """
    async with transport as (read, write):
        exchange = _Exchange(warn)
        yield _RepairedStream(read, exchange), _WatchedStream(write, exchange)


class _Exchange:
    """The requests whose responses are awaited."""

    def __init__(self, warn: Warn) -> None:
        self._warn = warn
        self._pending: dict[str, types.JSONRPCRequest] = {}

    def watch(self, item: SessionMessage) -> None:
        if isinstance(item.message, types.JSONRPCRequest):
            self._pending[str(item.message.id)] = item.message

    def repair(self, item: Item) -> Item:
        if isinstance(item, Exception):
            return self._reconstruct(item)
        message = item.message
        if isinstance(message, types.JSONRPCResponse):
            request = self._pending.pop(str(message.id), None)
            if request is not None:
                message.id = request.id
                message.result = repair_result(request.method, message.result, self._warn)
        elif isinstance(message, types.JSONRPCError):
            request = self._pending.pop(str(message.id), None)
            if request is not None:
                message.id = request.id
            if message.error.message.startswith(_UNREADABLE):
                message.error.message = "the server's response is not a message of the protocol"
        return item

    def _reconstruct(self, error: Exception) -> Item:
        """Returns the response to a request that the SDK could not read, or the error itself."""
        received = _received(error)
        request = self._pending.pop(str(received.get("id")), None)
        if request is None:
            self._warn("It writes lines that are not messages of the protocol.")
            return error
        response = complete_response(received, request.id, request.method)
        if "result" in response:
            response["result"] = repair_result(request.method, response["result"], self._warn)
        return SessionMessage(types.jsonrpc_message_adapter.validate_python(response, by_name=False))


def _received(error: Exception) -> Mapping[str, Any]:
    """Returns the message that failed validation; an empty one if it was not an object."""
    if isinstance(error, ValidationError):
        for fault in error.errors(include_url=False, include_context=False):
            # A missing member is reported with the object that lacks it.
            if fault["type"] == "missing" and isinstance(fault["input"], Mapping) and len(fault["loc"]) == 2:
                return fault["input"]
    return {}


class _RepairedStream:
    """The read stream of a transport."""

    def __init__(self, stream: Any, exchange: _Exchange) -> None:
        self._stream = stream
        self._exchange = exchange

    @property
    def last_context(self) -> Any:
        return getattr(self._stream, "last_context", None)

    async def receive(self) -> Item:
        return self._exchange.repair(await self._stream.receive())

    async def aclose(self) -> None:
        await self._stream.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stream.__aexit__(kind, error, trace)


class _WatchedStream:
    """The write stream of a transport."""

    def __init__(self, stream: Any, exchange: _Exchange) -> None:
        self._stream = stream
        self._exchange = exchange

    async def send(self, item: SessionMessage) -> None:
        self._exchange.watch(item)
        await self._stream.send(item)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stream.__aexit__(kind, error, trace)
