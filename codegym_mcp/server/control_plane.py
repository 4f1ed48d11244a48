"""The control plane: plain HTTP for those who run episodes; agents have no access to it.

Everything except `GET /health` needs the bearer token. Errors are `{"error": {"message", "hint"}}`.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import anyio.to_thread
from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from codegym_mcp.catalog.environment_query import MAX_PAGE, EnvironmentQuery
from codegym_mcp.control_plane_messages import (
    AdaptiveOpenRequest,
    EpisodeInfo,
    EpisodePage,
    EpisodeQuery,
    EventInfo,
    ListedEpisode,
    OpenedEpisode,
    OpenRequest,
)
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.errors import (
    CodegymError,
    EventsRemovedError,
    JournalError,
    LimitError,
    MissingExtraError,
    NotFoundError,
    SourceError,
    TaskError,
)
from codegym_mcp.opentelemetry_tracer import tracer
from codegym_mcp.server.bearer_tokens import has_bearer_token
from codegym_mcp.server.curriculum_openings import AdaptiveOpenings
from codegym_mcp.server.error_responses import error_response, invalid_request_response
from codegym_mcp.server.metrics import Metrics
from codegym_mcp.server.request_bodies import BodyReader, BodyRefusedError, ClientGoneError
from codegym_mcp.version import VERSION

Endpoint = Callable[[Request], Awaitable[Response]]

_SCANNED = 1000
"""Episodes that one request of a list looks at, whether or not they pass its filters."""
_EVENTS = TypeAdapter(list[EventInfo])


class ControlPlane:
    """The routes of the control plane."""

    def __init__(
        self,
        episodes: EpisodeManager,
        token: str,
        bodies: BodyReader,
        *,
        public_url: str | None = None,
        reveal: bool = False,
        refuse_reveal: bool = False,
        adaptive: AdaptiveOpenings | None = None,
    ) -> None:
        """
        Args:
            public_url: the address under which agents know the server; without it, the one that the request
                was sent to.
            reveal: open every episode with `reveal`.
            refuse_reveal: refuse to open an episode with `reveal`.
            adaptive: opens episodes whose difficulty the curriculum chooses; without it, they are refused.
        """
        self._episodes = episodes
        self._token = token
        self._metrics = Metrics(episodes)
        self._bodies = bodies
        self._adaptive = adaptive
        self._public_url = public_url.rstrip("/") if public_url else None
        self._reveal = reveal
        self._refuse_reveal = refuse_reveal

    def routes(self) -> list[Route]:
        """Returns the routes for a Starlette application."""
        return [
            Route("/health", self._health, methods=["GET"]),
            Route("/metrics", self._guarded(self._metrics.respond), methods=["GET"]),
            Route("/environments", self._guarded(self._list_environments), methods=["GET"]),
            Route("/curriculum", self._guarded(self._show_curriculum), methods=["GET"]),
            Route("/episodes", self._guarded(self._list_or_open), methods=["GET", "POST"]),
            Route("/episodes/{id}", self._guarded(self._show_or_close), methods=["GET", "DELETE"]),
            Route("/episodes/{id}/events", self._guarded(self._list_events), methods=["GET"]),
        ]

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            if not has_bearer_token(request.scope, self._token):
                return error_response(
                    401, "The control plane needs its token.", "Send it as 'Authorization: Bearer …'."
                )
            with _span(request):
                try:
                    return await endpoint(request)
                except CodegymError as error:
                    return error_response(_status(error), error.message, error.hint)

        return guarded

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "version": VERSION, "open_episodes": self._episodes.open_count})

    async def _list_environments(self, request: Request) -> Response:
        try:
            query = EnvironmentQuery.model_validate(read_query(request, repeatable=("name", "tag")))
        except ValidationError as error:
            return invalid_request_response(error, "the query")
        query = query.model_copy(update={"limit": min(query.limit or MAX_PAGE, MAX_PAGE)})
        page = await anyio.to_thread.run_sync(query.page, self._episodes.catalog)
        headers = {"X-Total-Count": str(page.total)}
        if page.next_offset is not None:
            following = request.url.include_query_params(offset=page.next_offset)
            address = f"{self._address(request)}/environments?{following.query}"
            headers["Link"] = f'<{address}>; rel="next"'
        return JSONResponse([info.model_dump(mode="json") for info in page.environments], headers=headers)

    async def _show_curriculum(self, _: Request) -> Response:
        return JSONResponse({"difficulties": self._adaptive.difficulties() if self._adaptive else {}})

    async def _list_or_open(self, request: Request) -> Response:
        return await (self._open(request) if request.method == "POST" else self._list_episodes(request))

    async def _open(self, request: Request) -> Response:
        try:
            async with self._bodies.read(request.scope, request.receive) as body:
                form = AdaptiveOpenRequest if is_adaptive(body) else OpenRequest
                requested = form.model_validate_json(body, strict=True)
        except BodyRefusedError as error:
            return error_response(error.status, error.message, error.hint)
        except ClientGoneError:
            return Response(status_code=400)
        except ValidationError as error:
            return invalid_request_response(error, "the body")
        if requested.reveal and self._refuse_reveal:
            return error_response(
                403, "This server does not tell agents the verdict.", "Send the request without reveal."
            )
        settings = EpisodeSettings(limits=requested.limits, reveal=requested.reveal or self._reveal)
        if isinstance(requested, AdaptiveOpenRequest):
            if self._adaptive is None:
                return error_response(
                    422,
                    "The workers of this server share no curriculum.",
                    "Start the server with --data, or choose the difficulty in the request.",
                )
            episode = await self._adaptive.open(requested, settings)
        else:
            episode = await self._episodes.open_task(
                requested.environment,
                task=requested.task,
                difficulty=requested.difficulty,
                seed=requested.seed,
                settings=settings,
                key=requested.request_key,
            )
        return _json(
            OpenedEpisode(id=episode.id, mcp_url=self._url(request, episode), task=episode.task), 201
        )

    def _url(self, request: Request, episode: Episode) -> str:
        return f"{self._address(request)}/episodes/{episode.token}/mcp"

    def _address(self, request: Request) -> str:
        """Returns the address of the server as the client knows it."""
        return self._public_url or str(request.base_url).rstrip("/")

    async def _list_episodes(self, request: Request) -> Response:
        try:
            query = EpisodeQuery.model_validate(read_query(request, repeatable=("state",)))
        except ValidationError as error:
            return invalid_request_response(error, "the query")
        return _json(self._find_page(query))

    def _find_page(self, query: EpisodeQuery) -> EpisodePage:
        page = EpisodePage()
        openings = self._episodes.openings(before=query.position, limit=_SCANNED)
        for opening in openings:
            try:
                episode = self._episodes.by_id(opening.episode)
            except (JournalError, NotFoundError, SourceError):
                # Its environment or its records can no longer be read.
                continue
            if query.matches(episode):
                page.episodes.append(ListedEpisode.at(episode, opening.at))
                if len(page.episodes) == query.limit:
                    page.next_cursor = EpisodeQuery.cursor_after(opening)
                    return page
        if len(openings) == _SCANNED:
            page.next_cursor = EpisodeQuery.cursor_after(openings[-1])
        return page

    async def _show_or_close(self, request: Request) -> Response:
        episode = self._episodes.by_id(request.path_params["id"])
        if request.method == "DELETE":
            await episode.close("It was closed.")
        return _json(EpisodeInfo.of(episode))

    async def _list_events(self, request: Request) -> Response:
        episode = self._episodes.by_id(request.path_params["id"])
        events = _EVENTS.dump_json(await EventInfo.of(episode))
        return Response(events, media_type="application/json")


def read_query(request: Request, *, repeatable: tuple[str, ...]) -> dict[str, str | list[str]]:
    """Returns the parameters of a query. Another one that is repeated is a list too, and so refused."""
    parameters = request.query_params
    values = {name: parameters.getlist(name) for name in parameters}
    return {
        name: given if name in repeatable or len(given) > 1 else given[0] for name, given in values.items()
    }


def _json(model: BaseModel, status: int = 200) -> Response:
    return Response(model.model_dump_json(), status, media_type="application/json")


def is_adaptive(body: bytes) -> bool:
    """Returns whether a request leaves the difficulty to the curriculum. Its body may be anything."""
    if b"adaptive" not in body:
        return False
    try:
        requested = from_json(body)
    except ValueError:
        return False
    return isinstance(requested, dict) and requested.get("difficulty") == "adaptive"


@contextmanager
def _span(request: Request) -> Iterator[None]:
    """Begins the span of a request, which belongs to the trace of the client."""
    path = request.scope["path"].split("/")[1]
    with tracer.start_as_current_span(
        f"{request.method} /{path}", context=extract(request.headers), kind=SpanKind.SERVER
    ):
        yield


def _status(error: CodegymError) -> int:
    match error:
        case EventsRemovedError():
            return 410
        case NotFoundError():
            return 404
        case TaskError() | SourceError():
            return 422
        case LimitError(limit="open_episodes"):
            return 429
        case MissingExtraError():
            return 501
    return 500
