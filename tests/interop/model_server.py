"""A server of OpenAI's shape (Chat Completions) whose model finds the bell: the offline model of the examples."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.interop.bell import next_move
from tests.loopback_http import serve_on_loopback


@contextmanager
def model_server() -> Iterator[str]:
    """Serves until the block is left; gives the base URL."""
    with serve_on_loopback(_Handler) as url:
        yield url


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        body = json.dumps(_completion(request)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def _completion(request: dict[str, Any]) -> dict[str, Any]:
    results = [_text(message["content"]) for message in request["messages"] if message["role"] == "tool"]
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if results and "received" in results[-1]:
        message["content"] = "done"
    else:
        name, arguments = next_move(json.loads(results[-1]) if results else None)
        function = {"name": name, "arguments": json.dumps(arguments)}
        message["tool_calls"] = [{"id": f"call-{len(results)}", "type": "function", "function": function}]
    finish = "tool_calls" if "tool_calls" in message else "stop"
    return {
        "id": "completion",
        "object": "chat.completion",
        "created": 0,
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)
