"""OpenAI's Responses API, as far as an agent program needs it."""

import json
from collections.abc import Iterator
from typing import Any

from scripting import Say
from starlette.responses import JSONResponse, Response


def speak(say: Say, body: dict[str, Any]) -> Response:
    """A response, or the events of one."""
    response = make_response(say, body)
    if not body.get("stream"):
        return JSONResponse(response)
    events = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in stream(response))
    return Response(events, media_type="text/event-stream")


def make_response(say: Say, body: dict[str, Any]) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    if say.get("text"):
        content = [{"type": "output_text", "text": say["text"], "annotations": []}]
        output.append(
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "content": content,
            }
        )
    for call in say.get("calls", ()):
        item = {
            "type": "function_call",
            "id": f"fc_{call['id']}",
            "call_id": call["id"],
            "name": call["name"],
            "arguments": json.dumps(call["arguments"]),
            "status": "completed",
        }
        if "namespace" in call:
            item["namespace"] = call["namespace"]
        output.append(item)
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 0,
        "status": "completed",
        "model": body["model"],
        "output": output,
        "error": None,
        "incomplete_details": None,
        "usage": {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 10,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 110,
        },
    }


def stream(response: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The response in events, as the API streams it."""
    yield {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}}
    for index, item in enumerate(response["output"]):
        place = {"item_id": item["id"], "output_index": index}
        begun = {**item, "status": "in_progress"}
        if item["type"] == "message":
            text = item["content"][0]["text"]
            yield {
                "type": "response.output_item.added",
                "output_index": index,
                "item": {**begun, "content": []},
            }
            yield {"type": "response.output_text.delta", **place, "content_index": 0, "delta": text}
            yield {"type": "response.output_text.done", **place, "content_index": 0, "text": text}
        else:
            arguments = item["arguments"]
            yield {
                "type": "response.output_item.added",
                "output_index": index,
                "item": {**begun, "arguments": ""},
            }
            yield {"type": "response.function_call_arguments.delta", **place, "delta": arguments}
            yield {"type": "response.function_call_arguments.done", **place, "arguments": arguments}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": response}


def hear(body: dict[str, Any]) -> str | None:
    """The last tool result of a request."""
    items = body["input"] if isinstance(body["input"], list) else []
    for item in reversed(items):
        if item["type"] == "function_call_output":
            output = item["output"]
            return str(output if isinstance(output, str) else output[0]["text"])
    return None


def tools(body: dict[str, Any]) -> list[dict[str, str]]:
    """The functions that may be called: their names, and their namespaces where they have one."""
    found = []
    for tool in body.get("tools", ()):
        if tool["type"] == "function":
            found.append({"name": tool["name"]})
        elif tool["type"] == "namespace":
            found += [{"name": inner["name"], "namespace": tool["name"]} for inner in tool["tools"]]
    return found
