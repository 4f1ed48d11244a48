"""Joins the chunks of a stream into one response: some servers and proxies stream without being asked."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from codegym_mcp.models.chat_response import unwrap_error

_LINE_END = re.compile(r"\r\n|\n|\r")
_WHOLE = frozenset({"role", "id", "type", "name", "index", "signature", "format"})
"""Members that a later chunk repeats and does not continue."""


def join_stream(text: str) -> dict[str, Any] | None:
    """Returns the response whose chunks a stream of server-sent events contains.

    Returns:
        The body as it would be without streaming, with an `error` if a chunk has one; None if the text is no
        stream.
    """
    joined: dict[str, Any] = {}
    choice: dict[str, Any] = {}
    said: dict[str, Any] = {}
    is_complete = False
    for event, data in _events(text):
        is_complete = is_complete or data.strip() == "[DONE]"
        chunk = _read_chunk(data)
        if event == "error" and "error" not in chunk:
            chunk = {"error": chunk or data}
        joined |= {name: value for name, value in chunk.items() if name != "choices" and value is not None}
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
            continue
        choice |= {name: value for name, value in choices[0].items() if value is not None}
        delta = choices[0].get("delta") or choices[0].get("message")
        if isinstance(delta, Mapping):
            _add(said, delta)
    if choice:
        joined["choices"] = [{**choice, "message": said}]
        if not (is_complete or choice.get("finish_reason")):
            joined.setdefault("error", "the stream broke off before its end")
    return joined or None


def stream_events(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the name and the JSON object of each event that has one; nothing if the text is no stream."""
    for name, data in _events(text):
        event = _read_chunk(data)
        if event or name == "error":
            yield name, event or {"message": data}


def _events(text: str) -> Iterator[tuple[str, str]]:
    """Returns the name and the data of each event.

    An event ends at an empty line, and its data may have several lines. Many servers leave the empty line
    out, so that a line of data that is JSON by itself is an event too.
    """
    event, lines = "", list[str]()
    # Not at other line separators: they may occur in the JSON.
    for line in [*_LINE_END.split(text.removeprefix("\ufeff")), ""]:
        name, _, value = line.partition(":")
        if name == "event":
            event = value.strip()
        elif name == "data":
            lines.append(value.removeprefix(" "))
            if _read_chunk(value):
                yield event, value
                lines.clear()
        elif line.startswith(("{", "[")) and "error" in _read_chunk(line):
            # A server or proxy that fails in the middle writes its error as it would without a stream.
            yield "error", line
        elif not line:
            if lines:
                yield event, "\n".join(lines)
            event = ""
            lines.clear()


def _read_chunk(data: str) -> dict[str, Any]:
    """Returns the chunk that an event contains; empty for `[DONE]`, and for data that was cut off."""
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    chunk = unwrap_error(chunk)
    return chunk if isinstance(chunk, dict) else {}


def _add(said: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """Adds the members of a chunk to what was said so far."""
    for name, value in delta.items():
        before = said.get(name)
        if value is None:
            said.setdefault(name, None)
        elif isinstance(value, list):
            said[name] = before if isinstance(before, list) else []
            for part in value:
                _add_part(said[name], part)
        elif isinstance(value, Mapping) and isinstance(before, dict):
            _add(before, value)
        elif isinstance(value, str) and isinstance(before, str) and name not in _WHOLE:
            said[name] = before + value
        elif not (name in _WHOLE and before):
            said[name] = dict(value) if isinstance(value, Mapping) else value


def _add_part(parts: list[Any], part: Any) -> None:
    """Continues the part with the same index; without an index, the last one unless this part has an id."""
    if not isinstance(part, Mapping):
        parts.append(part)
        return
    index = part.get("index")
    if index is not None:
        started = [each for each in parts if isinstance(each, dict) and each.get("index") == index]
    else:
        last = [each for each in parts[-1:] if isinstance(each, dict)]
        new = part.get("id") and (not last or part["id"] != last[0].get("id"))
        started = [] if new or part.get("type") == "text" else last
    if started:
        _add(started[-1], part)
    else:
        parts.append(json.loads(json.dumps(part)))
