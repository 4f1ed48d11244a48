"""A server of OpenAI's shape (Chat Completions) whose model makes calls that were written down before."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.loopback_http import serve_on_loopback

Call = tuple[str, dict[str, Any]]


@contextmanager
def scripted_model(scripts: Mapping[str, Sequence[Call]]) -> Iterator[str]:
    """Serves until the block is left; gives the base URL.

    Args:
        scripts: the calls for each task, by a text of its first messages; then the model says that it is done.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            completion = _completion(request, scripts)
            streams = request.get("stream", False)
            body = (_stream(completion) if streams else json.dumps(completion)).encode()
            self.send_response(200)
            self.send_header("content-type", "text/event-stream" if streams else "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with serve_on_loopback(Handler) as url:
        yield url


def _completion(request: dict[str, Any], scripts: Mapping[str, Sequence[Call]]) -> dict[str, Any]:
    said = json.dumps(request["messages"], ensure_ascii=False)
    (calls,) = [
        calls for text, calls in scripts.items() if json.dumps(text, ensure_ascii=False)[1:-1] in said
    ]
    made = sum(message["role"] == "tool" for message in request["messages"])
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if made < len(calls):
        name, arguments = calls[made]
        offered = [tool["function"]["name"] for tool in request["tools"]]
        # A harness may put the name of the server before those of its tools.
        (called,) = [each for each in offered if each == name or each.endswith(f"__{name}")]
        function = {"name": called, "arguments": json.dumps(arguments)}
        message["tool_calls"] = [{"id": f"call_{made}", "type": "function", "function": function}]
    else:
        message["content"] = "done"
    reason = "tool_calls" if made < len(calls) else "stop"
    return {
        "id": f"completion_{made}",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def _stream(completion: dict[str, Any]) -> str:
    """Returns a completion as events: the message in one part, then the reason of the end."""
    (choice,) = completion["choices"]
    calls = [{"index": 0, **call} for call in choice["message"].get("tool_calls", [])]
    delta = {**choice["message"], **({"tool_calls": calls} if calls else {})}
    parts = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]},
        {"choices": [], "usage": completion["usage"]},
    ]
    shared = {**completion, "object": "chat.completion.chunk"}
    events = [json.dumps({**shared, **part}) for part in parts]
    return "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"])
