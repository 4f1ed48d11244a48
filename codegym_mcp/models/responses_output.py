"""Corrects responses of servers that speak OpenAI's Responses API, before OpenAI's package reads them.

The package fails at items and parts of other types, at errors of other forms, and at streams that it did not
ask for.
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import httpx2

from codegym_mcp.models.chat_response import unwrap_error
from codegym_mcp.models.chat_stream import stream_events
from codegym_mcp.models.corrected_responses import CorrectedResponses, error_status

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.done"})
"""Types of the events that contain the whole response."""
_READ = frozenset({"message", "function_call", "reasoning", "compaction"})
"""Types of items that are read. Others are kept for later requests."""

Item = dict[str, Any]


class ResponsesTransport(CorrectedResponses):
    """A transport that also puts into later requests what the package left out or wrote in another way.

    These are items of unknown types, which go back where they were, and the text of arguments, which the
    package serializes again.
    """

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        super().__init__(transport)
        self._unread: dict[bytes, list[tuple[int, Item]]] = {}
        """Items of unknown types with their places in the reply, by the digest of the request before it."""
        self._arguments: dict[bytes, dict[str, str]] = {}
        """Arguments as the model wrote them by the id of their call, by the same digest."""

    def correct(self, sent: bytes, content: bytes, status: int) -> tuple[int, bytes]:
        """Returns the status and the body that a successful response should have had."""
        text = content.decode(errors="replace")
        try:
            body = unwrap_error(json.loads(text))
        except (ValueError, RecursionError):
            body = _join_events(text)
        if body is None:
            return status, content
        if not isinstance(body, dict):
            return 500, _error("the response is not a JSON object")
        error = body.get("error")
        if error:
            return error_status(body), _error(error)
        output = body.get("output")
        if not isinstance(output, list):
            return 500, _error(body if "output" not in body else "the response contains no output")
        read: list[Item] = []
        unread: list[tuple[int, Item]] = []
        for item in filter(_is_object, output):
            if item.get("type") in _READ:
                read.append(_readable_item(item, len(read)))
            else:
                unread.append((len(read), item))
        written = {
            item["call_id"]: item["arguments"]
            for item in read
            if item["type"] == "function_call" and isinstance(item.get("arguments"), str)
        }
        if unread or written:
            digest = _digests(_input(sent))[-1]
            self._unread[digest], self._arguments[digest] = unread, written
        return status, json.dumps({**body, "output": read}).encode()

    def prepare(self, content: bytes) -> bytes:
        """Returns a request's body with what the server sent before, as it sent it."""
        items = _input(content)
        if not self._arguments or not items:
            return content
        complete: list[Item] = []
        waiting: dict[int, list[Item]] = {}
        written: dict[str, str] = {}
        for place, digest in enumerate(_digests(items)):
            for offset, item in self._unread.get(digest, ()):
                waiting.setdefault(min(place + offset, len(items)), []).append(item)
            complete += waiting.get(place, [])
            written |= self._arguments.get(digest, {})
            complete += [_with_written_arguments(item, written) for item in items[place : place + 1]]
        return json.dumps({**json.loads(content), "input": complete}).encode()


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _error(error: object) -> bytes:
    return json.dumps({"error": error if isinstance(error, Mapping) else {"message": error}}).encode()


def _input(content: bytes) -> list[Item]:
    try:
        items = json.loads(content).get("input")
    except (ValueError, RecursionError, AttributeError):
        return []
    return items if isinstance(items, list) else []


def _digests(items: list[Item]) -> list[bytes]:
    """Returns a digest of the first n items, for each n from 0: later requests begin with earlier ones."""
    digest = sha256()
    digests = [digest.digest()]
    for item in items:
        digest.update(json.dumps(item, sort_keys=True).encode())
        digests.append(digest.digest())
    return digests


def _with_written_arguments(item: Item, written: Mapping[str, str]) -> Item:
    """Returns a call with the text of its arguments, unless that was no JSON and was replaced."""
    text = written.get(str(item.get("call_id")))
    if item.get("type") != "function_call" or text is None:
        return item
    try:
        is_same = json.loads(text) == json.loads(item["arguments"])
    except (ValueError, RecursionError):
        return item
    return {**item, "arguments": text} if is_same else item


def _join_events(text: str) -> dict[str, Any] | None:
    """Returns the response that a stream contains, or an error; None if the text is no stream."""
    done: list[Any] = []
    found = False
    for name, event in stream_events(text):
        found = True
        if name == "error" or event.get("type") == "error":
            return {"error": event.get("error") or event}
        response = event.get("response")
        if event.get("type") == "response.output_item.done":
            done.append(event.get("item"))
        elif event.get("type") in _ENDS and isinstance(response, dict):
            return {**response, "output": response.get("output") or done}
    return {"error": "the stream broke off before its end"} if found else None


def _readable_item(item: Item, number: int) -> Item:
    """Returns an item with the members that the package needs."""
    match item["type"]:
        case "message":
            return {**item, "role": "assistant", "content": list(_readable_parts(item.get("content")))}
        case "function_call":
            name = item.get("call_id") or item.get("id") or f"call{number:05}"
            return {**item, "call_id": name, "name": item.get("name") or ""}
        case "reasoning" if not isinstance(item.get("summary"), list):
            return {**item, "summary": []}
    return item


def _readable_parts(content: object) -> Iterator[Item]:
    """Yields texts and refusals. Parts of other types that hold a text are texts."""
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str) and part:
            yield {"type": "output_text", "text": part, "annotations": []}
        elif (
            isinstance(part, dict) and part.get("type") == "refusal" and isinstance(part.get("refusal"), str)
        ):
            yield part
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            yield {"annotations": [], **part, "type": "output_text"}
