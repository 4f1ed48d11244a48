"""The control plane: plain HTTP for whoever runs episodes, out of the agent's reach.

Everything but `GET /health` needs the bearer token. Errors are `{"error": {"message", "hint"}}`.
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from codegym_mcp import __version__
from codegym_mcp.episode_interface import MAX_KEY, CallResult, TaskView
from codegym_mcp.episodes.episode import Episode, EpisodeSettings, EpisodeState
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.scoring import Verdict
from codegym_mcp.errors import CodegymError, LimitError, NotFoundError, SourceError, TaskError
from codegym_mcp.limits import MIB, Limits
from codegym_mcp.spec.environment import Environment

MAX_BODY = MIB
"""The largest body of a request, in bytes; nothing that an environment is given can be larger either."""

Endpoint = Callable[[Request], Awaitable[Response]]


class EnvironmentInfo(BaseModel):
    """An environment, as `GET /environments` lists it."""

    name: str
    title: str
    tags: list[str]
    tools: list[str]
    """The tools' names, the submission apart."""
    tasks: list[str]
    """The ids of the fixed tasks."""
    generates: bool
    """Whether tasks can be made by difficulty and seed."""
    license: str
    source: str
    digest: str
    """Changes when the environment's source or its fixed tasks do."""

    @classmethod
    def of(cls, environment: Environment) -> "EnvironmentInfo":
        """What is told of an environment in a list."""
        return cls(
            name=environment.name,
            title=environment.title,
            tags=list(environment.tags),
            tools=[tool.name for tool in environment.tools],
            tasks=[task.id for task in environment.tasks],
            generates=environment.generates,
            license=environment.license,
            source=environment.origin,
            digest=environment.digest,
        )


class OpenRequest(BaseModel):
    """`POST /episodes`."""

    model_config = ConfigDict(extra="forbid")

    environment: str
    task: str | None = None
    """The id of a fixed task; without it and without a difficulty, the first task."""
    difficulty: int | None = Field(default=None, ge=1, le=5)
    seed: int | None = None
    limits: Limits = Limits()
    reveal: bool = False
    request_key: str | None = Field(default=None, min_length=1, max_length=MAX_KEY)
    """Names the request: sent again, it opens no second episode."""


class OpenedEpisode(BaseModel):
    """The answer to `POST /episodes`."""

    id: str
    mcp_url: str
    """Where the agent connects; whoever knows it can act in the episode."""
    task: TaskView


class EpisodeInfo(BaseModel):
    """`GET /episodes/{id}`."""

    id: str
    environment: str
    task: str
    state: EpisodeState
    calls: int
    verdict: Verdict | None
    reason: str
    """Why the episode ended, where the state does not say it."""
    tags: list[str]
    """The environment's."""
    difficulty: int | None
    """The task's, from 1 to 5, where it is known."""
    oracle_calls: int | None
    """How many calls the environment's own solution needs for the task, where it is known."""

    @classmethod
    def of(cls, episode: Episode) -> "EpisodeInfo":
        """What is told of an episode to whoever runs it."""
        return cls(
            id=episode.id,
            environment=episode.environment.name,
            task=episode.full_task.id,
            state=episode.state,
            calls=episode.calls,
            verdict=episode.verdict,
            reason=episode.reason,
            tags=list(episode.environment.tags),
            difficulty=episode.full_task.difficulty,
            oracle_calls=episode.full_task.oracle_calls,
        )


class EventInfo(BaseModel):
    """A tool call or the submission, as `GET /episodes/{id}/events` lists them in their order."""

    at: float
    """When it was recorded, before the agent was answered; seconds since the epoch."""
    name: str
    """The tool's; empty, as the arguments are, where the call was too large to be kept."""
    arguments: dict[str, Any]
    result: CallResult
    """What the agent was answered."""

    @classmethod
    async def of(cls, episode: Episode) -> "list[EventInfo]":
        """What was done in an episode, once what is under way is done."""
        found = []
        for event in await episode.events():
            data = event.data
            if event.kind == "call":
                found.append(
                    cls(at=event.at, name=data["name"], arguments=data["arguments"], result=data["result"])
                )
            elif event.kind == "submitted":
                name, result = episode.environment.submission.name, episode.acknowledgement()
                found.append(cls(at=event.at, name=name, arguments=data["arguments"], result=result))
        return found


_EVENTS = TypeAdapter(list[EventInfo])


class ControlPlane:
    """The routes of the control plane."""

    def __init__(self, episodes: EpisodeManager, token: str, *, reveal: bool = False) -> None:
        self._episodes = episodes
        self._token = token.encode()
        self._reveal = reveal

    def routes(self) -> list[Route]:
        """The routes, for a Starlette application."""
        return [
            Route("/health", self._health, methods=["GET"]),
            Route("/environments", self._guarded(self._list), methods=["GET"]),
            Route("/episodes", self._guarded(self._open), methods=["POST"]),
            Route("/episodes/{id}", self._guarded(self._show_or_close), methods=["GET", "DELETE"]),
            Route("/episodes/{id}/events", self._guarded(self._list_events), methods=["GET"]),
        ]

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not secrets.compare_digest(given.strip().encode(), self._token):
                return error_response(
                    401, "The control plane needs its token.", "Send it as 'Authorization: Bearer …'."
                )
            try:
                return await endpoint(request)
            except CodegymError as error:
                return error_response(_status(error), error.message, error.hint)

        return guarded

    async def _health(self, _: Request) -> Response:
        return JSONResponse(
            {"status": "ok", "version": __version__, "open_episodes": self._episodes.open_count}
        )

    async def _list(self, _: Request) -> Response:
        listed = [EnvironmentInfo.of(environment) for environment in self._episodes.catalog.usable()]
        return JSONResponse([info.model_dump(mode="json") for info in listed])

    async def _open(self, request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return error_response(413, f"The request is too large; {MAX_BODY} bytes are allowed.")
        try:
            asked = OpenRequest.model_validate_json(body, strict=True)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            where = ".".join(map(str, detail["loc"])) or "the body"
            return error_response(422, f"The request is wrong at {where}: {detail['msg']}.")
        environment = self._episodes.catalog.get(asked.environment)
        task = await self._episodes.find_task(environment, asked.task, asked.difficulty, asked.seed)
        settings = EpisodeSettings(limits=asked.limits, reveal=asked.reveal or self._reveal)
        episode = await self._episodes.open(environment, task, settings, key=asked.request_key)
        url = str(request.url_for("episode", token=episode.token))
        return _json(OpenedEpisode(id=episode.id, mcp_url=url, task=episode.task), 201)

    async def _show_or_close(self, request: Request) -> Response:
        episode = self._episodes.by_id(request.path_params["id"])
        if request.method == "DELETE":
            await episode.close("It was closed.")
        return _json(EpisodeInfo.of(episode))

    async def _list_events(self, request: Request) -> Response:
        episode = self._episodes.by_id(request.path_params["id"])
        events = _EVENTS.dump_json(await EventInfo.of(episode))
        return Response(events, media_type="application/json")


async def _body(request: Request) -> bytes | None:
    """The body of a request; None where it is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _json(model: BaseModel, status: int = 200) -> Response:
    return Response(model.model_dump_json(), status, media_type="application/json")


def error_response(status: int, message: str, hint: str = "") -> Response:
    """An error of the HTTP side, in the form that all of them have."""
    body: dict[str, Any] = {"error": {"message": message, "hint": hint}}
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(body, status, headers=headers)


def _status(error: CodegymError) -> int:
    match error:
        case NotFoundError():
            return 404
        case TaskError() | SourceError():
            return 422
        case LimitError(limit="open_episodes"):
            return 429
    return 500
