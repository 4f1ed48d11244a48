"""A server of Anthropic's shape (Messages), played by scripts and policies; streams where it is asked to."""

import json
from collections.abc import Iterator
from typing import Any

from scripting import Say, ScriptedModels, serve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def speak(say: Say, body: dict[str, Any]) -> Response:
    """A message, or the events of one."""
    message = make_message(say, body)
    if not body.get("stream"):
        return JSONResponse(message)
    events = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in stream(message))
    return Response(events, media_type="text/event-stream")


def make_message(say: Say, body: dict[str, Any]) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if "reasoning" in say:
        content.append({"type": "thinking", "thinking": say["reasoning"], "signature": "signed"})
    if say.get("text"):
        content.append({"type": "text", "text": say["text"]})
    for call in say.get("calls", ()):
        content.append(
            {"type": "tool_use", "id": call["id"], "name": call["name"], "input": call["arguments"]}
        )
    prompt, reply, cached = say.get("usage", [100, 10, 0])
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": say.get("model", f"{body['model']}-0001"),
        "content": content,
        "stop_reason": say.get("finish", "tool_use" if say.get("calls") else "end_turn"),
        "stop_sequence": None,
        "usage": {
            "input_tokens": prompt - cached,
            "output_tokens": reply,
            "cache_read_input_tokens": cached,
            "cache_creation_input_tokens": 0,
        },
    }


def stream(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The message in events, as the API streams it."""
    start = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(message["content"]):
        match block["type"]:
            case "text":
                empty = {**block, "text": ""}
                deltas = [{"type": "text_delta", "text": block["text"]}]
            case "thinking":
                empty = {**block, "thinking": "", "signature": ""}
                deltas = [
                    {"type": "thinking_delta", "thinking": block["thinking"]},
                    {"type": "signature_delta", "signature": block["signature"]},
                ]
            case _:
                empty = {**block, "input": {}}
                deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": message["usage"]["output_tokens"]}
    yield {"type": "message_delta", "delta": end, "usage": usage}
    yield {"type": "message_stop"}


def hear(body: dict[str, Any]) -> str | None:
    """The last tool result of a request."""
    for message in reversed(body["messages"]):
        blocks = message["content"] if isinstance(message["content"], list) else []
        for block in reversed(blocks):
            if block["type"] == "tool_result":
                content = block["content"]
                return str(content if isinstance(content, str) else content[0]["text"])
    return None


def routes(delay: float) -> list[Route]:
    models = ScriptedModels(speak, hear, delay)

    async def retrieve(request: Request) -> Response:
        name = request.path_params["model"]
        scripted = await models.answer_check(name)
        if scripted is not None:
            return scripted
        if "sk-bad-key" in request.headers.get("authorization", "") + request.headers.get("x-api-key", ""):
            error = {"type": "authentication_error", "message": "invalid x-api-key"}
            return JSONResponse({"type": "error", "error": error}, 401)
        if not models.knows(name):
            error = {"type": "not_found_error", "message": f"model: {name}"}
            return JSONResponse({"type": "error", "error": error}, 404)
        return JSONResponse(
            {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
        )

    return [
        Route("/v1/messages", models.answer, methods=["POST"]),
        Route("/v1/models/{model}", retrieve),
        *models.routes,
    ]


if __name__ == "__main__":
    serve(routes)
