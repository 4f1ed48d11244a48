"""A server of OpenAI's shape (Chat Completions), played by scripts and policies."""

import json
from typing import Any

from scripting import Say, ScriptedModels, serve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

FINISH = {"stop", "length", "tool_calls", "content_filter"}


def speak(say: Say, body: dict[str, Any]) -> Response:
    """A chat completion."""
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
    # Escaped, so that half characters can be said.
    return Response(json.dumps(completion), media_type="application/json")


def hear(body: dict[str, Any]) -> str | None:
    """The last tool result of a request."""
    last = body["messages"][-1]
    return str(last["content"]) if last["role"] == "tool" else None


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
