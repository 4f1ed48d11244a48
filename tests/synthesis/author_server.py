"""A model server with OpenAI's API that writes environments from the scripts in a folder.

A script is a folder with the replies of the model to the n-th request for a part, counted from 0:

    script.json                      {"problem": id, "mark": words in the task text of every draft}
    environment.N.md                 the environment; N counts how often it was given back
    tasks.N.md                       the configurations
    oracle.S.N.md, oracle.N.md       the oracle of seed S; of all seeds that have no reply of their own

A file that contains only {"refusal": …}, {"finish": …, "text": …} or {"status": …} stands for such a reply. Replies
depend on the request only, so that a repeated request is visible in the log and nowhere else.

    PUT /hold {"after": n}           after n replies, requests wait; null ends that
    GET /state                       {"answered": number of replies, "waiting": number of waiting requests}
    GET /log                         the requests with replies: {"script", "file", "request"}
"""

import asyncio
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from scripting import serve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

FOLDER = Path(os.environ["AUTHOR_SCRIPTS"])
PROBLEMS = Path(os.environ["AUTHOR_PROBLEMS"])


class Script:
    def __init__(self, folder: Path, statements: dict[str, str]) -> None:
        told = json.loads((folder / "script.json").read_text())
        self.name = folder.name
        self.folder = folder
        self.mark = told["mark"]
        self.statement = " ".join(statements[told["problem"]].split())[:200]

    def file(self, opening: str, turn: int, seed: int) -> Path | None:
        """Returns the file with the reply, or None if the request is about another script."""
        words = " ".join(opening.split())
        if opening.startswith("Turn this coding problem"):
            return self.folder / f"environment.{turn}.md" if self.statement in words else None
        if self.mark not in words:
            return None
        if opening.startswith("Write test configurations"):
            return self.folder / f"tasks.{turn}.md"
        own = self.folder / f"oracle.{seed}.{turn}.md"
        return own if own.exists() else self.folder / f"oracle.{turn}.md"


def read_statements() -> dict[str, str]:
    """Returns the statements of the problems, by id."""
    problems = [json.loads(line) for line in PROBLEMS.read_text().splitlines()]
    return {problem["id"]: problem["statement"] for problem in problems}


class Author:
    def __init__(self) -> None:
        statements = read_statements()
        self.scripts = [Script(path.parent, statements) for path in sorted(FOLDER.glob("*/script.json"))]
        self.log: list[dict[str, str]] = []
        self.after: int | None = None
        self.changed = asyncio.Event()
        self.waiting = 0

    async def answer(self, request: Request) -> Response:
        raw = await request.body()
        body = json.loads(raw)
        if not await self.may_answer(request):
            return Response()
        turns = [message for message in body["messages"] if message["role"] != "system"]
        opening, turn = turns[0]["content"], sum(message["role"] == "assistant" for message in turns)
        for script in self.scripts:
            file = script.file(opening, turn, body.get("seed", 0))
            if file is not None and file.exists():
                digest = hashlib.sha256(raw).hexdigest()
                self.log.append({"script": script.name, "file": file.name, "request": digest})
                return complete(file.read_text(), body)
        self.log.append({"script": "", "file": "", "request": opening[:200]})
        return JSONResponse(
            {"error": {"message": f"nothing is scripted for turn {turn} of: {opening[:300]}"}}, 400
        )

    async def may_answer(self, request: Request) -> bool:
        """Waits while replies are held; returns False if the client has disconnected."""
        gone = asyncio.ensure_future(disconnected(request))
        self.waiting += 1
        try:
            while self.after is not None and len(self.log) >= self.after and not gone.done():
                changed = asyncio.ensure_future(self.changed.wait())
                await asyncio.wait([changed, gone], return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
            return not gone.done()
        finally:
            self.waiting -= 1
            gone.cancel()

    async def hold(self, request: Request) -> Response:
        self.after = (await request.json())["after"]
        self.changed.set()
        self.changed = asyncio.Event()
        return Response()

    async def tell_state(self, request: Request) -> Response:
        return JSONResponse({"answered": len(self.log), "waiting": self.waiting})

    async def tell_log(self, request: Request) -> Response:
        return JSONResponse(self.log)


async def disconnected(request: Request) -> None:
    """Returns when the client has disconnected."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def complete(text: str, body: dict[str, Any]) -> Response:
    """Builds a chat completion."""
    said: dict[str, Any] = {"text": text}
    if re.match(r'\s*\{"(refusal|finish|status)"', text):
        said = json.loads(text)
    if "status" in said:
        return JSONResponse({"error": {"message": said.get("message", "a bad day")}}, said["status"])
    message = {"role": "assistant", "content": said.get("text", ""), "refusal": said.get("refusal")}
    choice = {"index": 0, "message": message, "finish_reason": said.get("finish", "stop")}
    usage = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
    return JSONResponse(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": body["model"],
            "choices": [choice],
            "usage": usage,
        }
    )


def routes(delay: float) -> list[Route]:
    author = Author()
    return [
        Route("/v1/chat/completions", author.answer, methods=["POST"]),
        Route("/hold", author.hold, methods=["PUT"]),
        Route("/log", author.tell_log),
        Route("/state", author.tell_state),
    ]


if __name__ == "__main__":
    sys.exit(serve(routes))
