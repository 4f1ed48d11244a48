"""A model server for agent programs: the APIs of four providers, and a model that finds the counter's bell.

Agent programs name the tools in their own ways, wrap the results, and send requests besides, for example for
a title. Some list the tools by name only, to be looked up with `tool_search` and called with `tool_call`. The
model reads the list of tools and the last result; any model name will do.
"""

import itertools
import json
import re
from collections.abc import Callable
from typing import Any

import anthropic_server
import gemini_protocol
import openai_server
import responses_protocol
from scripting import Say, listen_and_climb, serve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Body = dict[str, Any]
Tool = dict[str, str]

_OBSERVATION = re.compile(r'"floor"\s*:\s*(-?\d+)\s*,\s*"sound"\s*:\s*"(\w+)"')
_numbers = itertools.count(1)


def find_bell(heard: str | None, tools: list[Tool], request: str) -> Say:
    """Decides what to say; a text if there is nothing to call.

    Args:
        heard: the last result of a tool.
        tools: the tools in the request, by the names that the program gave them.
        request: the whole request, as JSON.
    """
    observed = None
    if heard is not None:
        # Some programs give the result as text of JSON within JSON.
        heard = heard.replace("\\", "")
        if "received" in heard:
            return {"text": "done"}
        if "error" in heard.lower():
            return {"text": f"I give up: {heard}"}
        observation = _OBSERVATION.search(heard)
        if observation is not None:
            observed = json.dumps({"floor": int(observation[1]), "sound": observation[2]})
    [call] = listen_and_climb(observed)["calls"]
    for tool in tools:
        if tool["name"].endswith(call["name"]):
            return _call(call["arguments"], **tool)
    deferred = re.search(rf"\bmcp__\w*{call['name']}\b", request)
    if deferred is None or not any(tool["name"] == "tool_call" for tool in tools):
        return {"text": "Bell"}
    if heard is None:
        return _call({"query": f"select:{deferred[0]}"}, name="tool_search")
    return _call({"name": deferred[0], "arguments": call["arguments"]}, name="tool_call")


def _call(arguments: dict[str, Any], **tool: str) -> Say:
    return {"calls": [{**tool, "arguments": arguments, "id": f"call_{next(_numbers)}"}]}


def anthropic_tools(body: Body) -> list[Tool]:
    return [{"name": tool["name"]} for tool in body.get("tools", ())]


def openai_tools(body: Body) -> list[Tool]:
    return [{"name": tool["function"]["name"]} for tool in body.get("tools", ())]


def answering(
    speak: Callable[[Say, Body], Response],
    hear: Callable[[Body], str | None],
    tools: Callable[[Body], list[Tool]],
) -> Callable[[Request], Any]:
    """Returns a handler for one provider's API."""

    async def answer(request: Request) -> Response:
        body = await request.json()
        if "model" in request.path_params:
            body |= {"model": request.path_params["model"]}
            body["stream"] = request.url.path.endswith(":streamGenerateContent")
        return speak(find_bell(hear(body), tools(body), json.dumps(body)), body)

    return answer


async def count_tokens(_: Request) -> Response:
    return JSONResponse({"input_tokens": 100, "totalTokens": 100})


async def list_models(_: Request) -> Response:
    return JSONResponse({"object": "list", "data": [{"id": "bell", "object": "model", "owned_by": "tests"}]})


def routes(_: float) -> list[Route]:
    anthropic = answering(anthropic_server.speak, anthropic_server.hear, anthropic_tools)
    responses = answering(responses_protocol.speak, responses_protocol.hear, responses_protocol.tools)
    openai = answering(openai_server.speak, openai_server.hear, openai_tools)
    gemini = answering(gemini_protocol.speak, gemini_protocol.hear, gemini_protocol.tools)
    return [
        Route("/v1/messages", anthropic, methods=["POST"]),
        Route("/v1/messages/count_tokens", count_tokens, methods=["POST"]),
        Route("/v1/responses", responses, methods=["POST"]),
        Route("/v1/chat/completions", openai, methods=["POST"]),
        Route("/v1/models", list_models),
        Route("/v1beta/models/{model}:generateContent", gemini, methods=["POST"]),
        Route("/v1beta/models/{model}:streamGenerateContent", gemini, methods=["POST"]),
        Route("/v1beta/models/{model}:countTokens", count_tokens, methods=["POST"]),
    ]


if __name__ == "__main__":
    serve(routes)
