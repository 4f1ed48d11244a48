"""The HTTP routes of the viewer: its files, and the data of a source as JSON.

The files hold nothing secret and are sent to everybody. The data need the token, which the page's script
sends in a header: it takes it from the fragment of the address, which browsers never send, or asks for it.
"""

from collections.abc import Awaitable, Callable
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from codegym_mcp.episode_viewer.episode_views import (
    EpisodeListQuery,
    EpisodeQuery,
    RunQuery,
    RunView,
    TextQuery,
)
from codegym_mcp.episode_viewer.viewer_data import ViewSource
from codegym_mcp.errors import CodegymError, EventsRemovedError, NotFoundError
from codegym_mcp.validation_messages import first_fault

PAGE = "/view"
_HEADERS = {
    # Nothing from elsewhere, no script or style within the page, and no text that becomes markup.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_RUNS = TypeAdapter(list[RunView])

Query = TypeVar("Query", bound=BaseModel)
Endpoint = Callable[[Request], Awaitable[Response]]


def view_routes(source: ViewSource, *, is_authorized: Callable[[Scope], bool]) -> list[Route]:
    """Returns the routes of the viewer for a Starlette application.

    Args:
        source: what the page shows.
        is_authorized: checks whether a request carries the token.
    """

    def data(name: str, endpoint: Endpoint, method: str = "GET") -> Route:
        return Route(f"{PAGE}/api/{name}", _guarded(endpoint, is_authorized), methods=[method])

    async def runs(_: Request) -> Response:
        return _json(_RUNS.dump_json(await source.runs()))

    async def episodes(request: Request) -> Response:
        return _model(await source.episodes(_query(request, EpisodeListQuery)))

    async def facets(request: Request) -> Response:
        return _model(await source.facets(_query(request, RunQuery).run))

    async def episode(request: Request) -> Response:
        return _model(await source.episode(_query(request, EpisodeQuery)))

    async def text(request: Request) -> Response:
        return _model(await source.text(_query(request, TextQuery)))

    async def attempts(request: Request) -> Response:
        return _model(await source.other_attempts(_query(request, EpisodeQuery)))

    async def oracle(request: Request) -> Response:
        return _model(await source.oracle(_query(request, EpisodeQuery)))

    return [
        Route(PAGE, _page, methods=["GET"]),
        Route(f"{PAGE}/assets/{{name}}", _asset, methods=["GET"]),
        data("runs", runs),
        data("episodes", episodes),
        data("facets", facets),
        data("episode", episode),
        data("text", text),
        data("attempts", attempts),
        # It lets the oracle play, which takes time and processes.
        data("oracle", oracle, "POST"),
    ]


async def _page(request: Request) -> Response:
    if request.scope.get("raw_path", b"").endswith(b"/"):
        # The page names its files relative to its own address.
        return RedirectResponse("../view", 308, headers=_HEADERS)
    return _file("index.html")


async def _asset(request: Request) -> Response:
    return _file(request.path_params["name"])


def _file(name: str) -> Response:
    content = _assets().get(name)
    if content is None:
        return _error(404, "There is no such file.")
    return Response(content, headers=_HEADERS, media_type=_MEDIA_TYPES[PurePosixPath(name).suffix])


@cache
def _assets() -> dict[str, bytes]:
    folder = files("codegym_mcp.episode_viewer") / "assets"
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def _guarded(endpoint: Endpoint, is_authorized: Callable[[Scope], bool]) -> Endpoint:
    async def guarded(request: Request) -> Response:
        if not is_authorized(request.scope):
            return _error(401, "The viewer needs its token.", "Open the address that the command printed.")
        try:
            return await endpoint(request)
        except ValidationError as error:
            fault = first_fault(error)
            return _error(422, f"The request is wrong at {fault.path or 'the query'}: {fault.message}.")
        except CodegymError as error:
            return _error(_status(error), error.message, error.hint)

    return guarded


def _query(request: Request, model: type[Query]) -> Query:
    """Reads the query parameters; a field that is a list takes every parameter of its name.

    Raises:
        ValidationError: they do not fit the model.
    """
    values: dict[str, object] = {}
    for name in request.query_params:
        field = model.model_fields.get(name)
        given = request.query_params.getlist(name)
        values[name] = given if field is not None and isinstance(field.default, list) else given[-1]
    return model.model_validate(values)


def _status(error: CodegymError) -> int:
    match error:
        case EventsRemovedError():
            return 410
        case NotFoundError():
            return 404
    return 409


def _model(model: BaseModel) -> Response:
    return _json(model.model_dump_json().encode())


def _json(content: bytes) -> Response:
    return Response(content, headers=_HEADERS, media_type="application/json")


def _error(status: int, message: str, hint: str = "") -> Response:
    headers = {**_HEADERS, "www-authenticate": "Bearer"} if status == 401 else _HEADERS
    return JSONResponse({"error": {"message": message, "hint": hint}}, status, headers=headers)
