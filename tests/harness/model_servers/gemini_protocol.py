"""Google's generateContent API, as far as an agent program needs it."""

import json
from typing import Any

from scripting import Say
from starlette.responses import JSONResponse, Response


def speak(say: Say, body: dict[str, Any]) -> Response:
    """A response; as the only event of a stream if `body` has the member `stream`."""
    parts: list[dict[str, Any]] = []
    if say.get("text"):
        parts.append({"text": say["text"]})
    for call in say.get("calls", ()):
        parts.append({"functionCall": {"id": call["id"], "name": call["name"], "args": call["arguments"]}})
    response = {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110},
        "modelVersion": body["model"],
    }
    if not body.get("stream"):
        return JSONResponse(response)
    return Response(f"data: {json.dumps(response)}\n\n", media_type="text/event-stream")


def hear(body: dict[str, Any]) -> str | None:
    """The last tool result of a request."""
    for content in reversed(body["contents"]):
        for part in reversed(content["parts"]):
            if "functionResponse" in part:
                return json.dumps(part["functionResponse"]["response"])
    return None


def tools(body: dict[str, Any]) -> list[dict[str, str]]:
    """The names of the functions that may be called."""
    return [
        {"name": declaration["name"]}
        for tool in body.get("tools", ())
        for declaration in tool.get("functionDeclarations", ())
    ]
