"""The common part of the tests' model servers: scripts, policies, faults, a log, and running as a process.

A model's name is the name of its script. A script is a list of actions, the n-th of which answers the n-th
request; the last one also answers all later requests. A model without a script plays by the policy of its name.

    {"say": {"text", "reasoning", "calls": [{"id", "name", "arguments"}], "finish", …}}     a reply
    {"status": 429, "headers": {…}, "body": {…} or "text": "…"}                            any response
    {"fault": "hang" | "cut" | "garbage" | "empty"}                                         no usable reply

`PUT /scripts/{model}` sets a script, `GET /requests/{model}` returns the requests so far, headers and body.
`PUT /checks/{model}` sets the action that answers the request for the model itself.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

Say = dict[str, Any]


class Cut(Response):
    """Breaks off in the middle: the server closes the connection when less comes than was announced."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytes(self.body)
        # Whole events of a stream arrive, so that a client sees an end and not only a broken line.
        half = body.rfind(b"\n\n", 0, len(body) * 2 // 3) + 2 if b"\n\n" in body else len(body) // 2
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": body[:half], "more_body": True})


class ScriptedModels:
    """The models of a server.

    Args:
        speak: makes the server's answer of what a model says, to a request's body.
        hear: the last tool result in a request's body, or None before the first.
        delay: seconds before each answer.
    """

    def __init__(
        self,
        speak: Callable[[Say, dict[str, Any]], Response],
        hear: Callable[[dict[str, Any]], str | None],
        delay: float,
    ) -> None:
        self._speak = speak
        self._hear = hear
        self._delay = delay
        self._scripts: dict[str, list[dict[str, Any]]] = {}
        self._checks: dict[str, dict[str, Any]] = {}
        self._requests: dict[str, list[dict[str, Any]]] = defaultdict(list)

    @property
    def routes(self) -> list[Route]:
        """The routes by which a test controls the server."""
        return [
            Route("/scripts/{model}", self._set_script, methods=["PUT"]),
            Route("/checks/{model}", self._set_check, methods=["PUT"]),
            Route("/requests/{model}", self._tell_requests),
        ]

    def knows(self, model: str) -> bool:
        """Whether there is a model of that name."""
        return model in self._scripts or model in POLICIES

    async def answer(self, request: Request) -> Response:
        """Answers a request to a model."""
        body = await request.json()
        model = body["model"]
        if self._delay:
            await asyncio.sleep(self._delay)
        if model in POLICIES:
            return self._speak(POLICIES[model](self._hear(body)), body)
        self._requests[model].append({"headers": dict(request.headers), "body": body})
        script = self._scripts[model]
        action = script[min(len(self._requests[model]), len(script)) - 1]
        return await self._act(action, body)

    async def answer_check(self, model: str) -> Response | None:
        """Answers a request for the model itself, or returns None if no action was set for it."""
        return await self._act(self._checks[model], {"model": model}) if model in self._checks else None

    async def _act(self, action: dict[str, Any], body: dict[str, Any]) -> Response:
        match action:
            case {"say": say}:
                return self._speak(say, body)
            case {"status": status, "text": text}:
                return Response(text, status, headers=action.get("headers"))
            case {"status": status}:
                return JSONResponse(action.get("body"), status, headers=action.get("headers"))
            case {"fault": "hang"}:
                await asyncio.sleep(3600)
            case {"fault": "cut"}:
                whole = self._speak({"text": "a long story"}, body)
                return Cut(whole.body, media_type=whole.media_type)
            case {"fault": "garbage"}:
                return Response("<html>Bad day</html>", media_type=action.get("type", "application/json"))
            case {"fault": "empty"}:
                return JSONResponse({})
        raise ValueError(f"no such action: {action}")

    async def _set_script(self, request: Request) -> Response:
        self._scripts[request.path_params["model"]] = await request.json()
        return Response()

    async def _set_check(self, request: Request) -> Response:
        self._checks[request.path_params["model"]] = await request.json()
        return Response()

    async def _tell_requests(self, request: Request) -> Response:
        return JSONResponse(self._requests[request.path_params["model"]])


def listen_and_climb(heard: str | None) -> Say:
    """Plays the counter of the fixtures: listens, moves one floor, listens again, and so on, and submits."""
    if heard is None or not heard.startswith("{"):
        return {"calls": [{"id": "listen", "name": "listen", "arguments": {}}]}
    lift = json.loads(heard)
    if lift["sound"] == "here":
        return {"calls": [{"id": "submit", "name": "submit_answer", "arguments": {"answer": lift["floor"]}}]}
    floors = 1 if lift["sound"] == "above" else -1
    return {"calls": [{"id": "move", "name": "move", "arguments": {"floors": floors}}]}


POLICIES: dict[str, Callable[[str | None], Say]] = {"climber": listen_and_climb}


def _end_with_parent() -> None:
    """The other end of standard input closes when the process that holds it ends, also when it is killed."""
    sys.stdin.buffer.read()
    os._exit(0)


def serve(make_routes: Callable[[float], list[Route]]) -> None:
    """Serves on a free port, which is printed, until the process is ended or whoever started it has."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    arguments = parser.parse_args()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    app = Starlette(routes=make_routes(arguments.delay))
    config = uvicorn.Config(app, log_level="critical", access_log=False)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
