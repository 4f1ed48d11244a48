"""The event streams of the Open Reward Standard: an id at once, then a result, then the end.

A client that loses a stream asks again with the id. The id of a call is its idempotency key, so the journal
answers the second request; nothing else is kept.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.responses import StreamingResponse

PING_SECONDS = 10.0
"""Pause between two signs of life while a result is awaited; clients give up after 30 seconds."""
_CHUNK = 4096
"""Characters of one event; clients refuse lines of more than 128 KiB."""
_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


class StreamError(Exception):
    """There is no result. The message, one line, ends the stream, and with it the client's session."""


def stream_result(task: str, compute: Callable[[], Awaitable[str]]) -> StreamingResponse:
    """Returns a stream of a result.

    Args:
        task: the id by which the client can ask again.
        compute: returns JSON without spaces between its parts, or raises `StreamError`.
    """
    return StreamingResponse(_events(task, compute), media_type="text/event-stream", headers=_HEADERS)


async def _events(task: str, compute: Callable[[], Awaitable[str]]) -> AsyncIterator[str]:
    yield _event("task_id", task)
    pending = asyncio.ensure_future(compute())
    try:
        while not (await asyncio.wait((pending,), timeout=PING_SECONDS))[0]:
            yield ": still there\n\n"
        for event in _result_events(pending.result()):
            yield event
    except StreamError as error:
        yield _event("error", str(error))
    finally:
        pending.cancel()


def _result_events(content: str) -> list[str]:
    """Splits a result into events."""
    chunks = [content[start : start + _CHUNK] for start in range(0, len(content), _CHUNK)] or [""]
    *parts, last = map(_protect_start, chunks)
    return [*(_event("chunk", part) for part in parts), _event("end", last)]


def _protect_start(chunk: str) -> str:
    """Escapes a space at the start, which clients remove. A space in compact JSON is always in a string."""
    return f"\\u{ord(chunk[0]):04x}{chunk[1:]}" if chunk[:1].isspace() else chunk


def _event(name: str, data: str) -> str:
    """Returns an event; its data are one line."""
    return f"event: {name}\ndata: {data}\n\n"
