"""A server of OpenAI's shape (Chat Completions), played by scripts and policies; streams if asked to."""

import json
from collections.abc import Iterator
from typing import Any

from scripting import Say, ScriptedModels, serve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

FINISH = {"stop", "length", "tool_calls", "content_filter"}


def speak(say: Say, body: dict[str, Any]) -> Response:
    """A chat completion, or the chunks of one."""
    completion = make_completion(say, body)
    if body.get("stream"):
        events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in stream(completion))
        return Response(events + "data: [DONE]\n\n", media_type="text/event-stream")
    # Escaped, so that half characters can be said.
    return Response(json.dumps(completion), media_type="application/json")


def make_completion(say: Say, body: dict[str, Any]) -> dict[str, Any]:
    calls = [
        {
            "id": call["id"],
            "type": "function",
            "function": {
                "name": call["name"],
                "arguments": call["arguments"]
                if isinstance(call["arguments"], str)
                else json.dumps(call["arguments"], separators=(",", ":")),
            },
        }
        for call in say.get("calls", ())
    ]
    message: dict[str, Any] = {"role": "assistant", "content": say.get("text"), "refusal": say.get("refusal")}
    if "reasoning" in say:
        message["reasoning_content"] = say["reasoning"]
    if calls:
        message["tool_calls"] = calls
    choice: dict[str, Any] = {
        "index": 0,
        "message": message,
        "finish_reason": say.get("finish", "tool_calls" if calls else "stop"),
    }
    if "logprobs" in say:
        tokens = [
            {"token": token, "logprob": value, "bytes": None, "top_logprobs": []}
            for token, value in say["logprobs"]
        ]
        choice["logprobs"] = {"content": tokens, "refusal": None}
    completion: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": say.get("model", f"{body['model']}-0001"),
        "choices": [choice],
    }
    if "token_ids" in say:
        completion["prompt_token_ids"], choice["token_ids"] = say["token_ids"]
    usage = say.get("usage", [100, 10, 0])
    if usage is not None:
        prompt, reply, cached = usage
        completion["usage"] = {
            "prompt_tokens": prompt,
            "completion_tokens": reply,
            "total_tokens": prompt + reply,
            "prompt_tokens_details": {"cached_tokens": cached},
        }
    return completion


def stream(completion: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The completion in chunks, as the API streams it: a call's arguments after its name."""
    [choice] = completion["choices"]
    message = choice["message"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": message["content"] or ""}]
    for index, call in enumerate(message.get("tool_calls", ())):
        named = {**call["function"], "arguments": ""}
        deltas.append({"tool_calls": [{**call, "index": index, "function": named}]})
        arguments = {"arguments": call["function"]["arguments"]}
        deltas.append({"tool_calls": [{"index": index, "function": arguments}]})
    common = {
        **{name: completion[name] for name in ("id", "created", "model")},
        "object": "chat.completion.chunk",
    }
    for delta in deltas:
        yield {**common, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**common, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    yield {**common, "choices": [], "usage": completion.get("usage")}


def hear(body: dict[str, Any]) -> str | None:
    """The last tool result of a request."""
    for message in reversed(body["messages"]):
        if message["role"] == "tool":
            content = message["content"]
            return str(content if isinstance(content, str) else content[0]["text"])
    return None


def routes(delay: float) -> list[Route]:
    models = ScriptedModels(speak, hear, delay)

    async def retrieve(request: Request) -> Response:
        name = request.path_params["model"]
        scripted = await models.answer_check(name)
        if scripted is not None:
            return scripted
        if request.headers.get("authorization") == "Bearer sk-bad-key":
            message = "Incorrect API key provided: sk-bad-key."
            return JSONResponse({"error": {"message": message, "code": "invalid_api_key"}}, 401)
        if not models.knows(name):
            message = f"The model '{name}' does not exist"
            return JSONResponse({"error": {"message": message, "code": "model_not_found"}}, 404)
        return JSONResponse({"id": name, "object": "model", "created": 0, "owned_by": "tests"})

    return [
        Route("/v1/chat/completions", models.answer, methods=["POST"]),
        Route("/v1/models/{model}", retrieve),
        *models.routes,
    ]


if __name__ == "__main__":
    serve(routes)
