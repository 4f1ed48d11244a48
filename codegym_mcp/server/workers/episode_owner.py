"""Which process of a server serves a request: the one that holds the request's episode.

Every request that is about one episode names it: in its path or query, in a cookie or header of a trainer's
protocol, as a handle in a call of the gateway, or by the key with which it is opened.
"""

from collections.abc import Collection
from enum import Enum, auto
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json
from starlette.requests import Request
from starlette.types import Scope

from codegym_mcp.episodes.episode_shards import id_of_key, id_of_token
from codegym_mcp.server.trainer_protocols.nemo_gym import SESSION_COOKIE
from codegym_mcp.server.trainer_protocols.nemo_gym_models import CloseRequest
from codegym_mcp.server.trainer_protocols.nemo_gym_sessions import session_key as nemo_gym_key
from codegym_mcp.server.trainer_protocols.ors_sessions import session_key as ors_key
from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol

_OF_ALL_WORKERS = frozenset(
    {("GET", "/health"), ("GET", "/metrics"), ("GET", "/episodes"), ("GET", "/view/api/runs")}
)
OWN_PART = "/worker"
"""Before the path of a request that the supervisor process sends to one worker, for its part of a list."""
_RUN = "worker-"
_NEMO_GYM_BY_BODY = ("/seed_session", "/close_session")


class Owner(Enum):
    """Who serves a request that is not about an episode which exists."""

    CONTROL_PROCESS = auto()
    """The supervisor process: the request is about all workers."""
    ANY_WORKER = auto()
    """Every worker can serve it."""
    NEW_EPISODE = auto()
    """It opens an episode, which any worker can hold."""


def owner_by_head(scope: Scope, protocols: Collection[TrainerProtocol]) -> str | int | Owner | None:
    """Returns the id of the episode that a request is about, the worker, or who else serves it.

    Args:
        scope: the request, whose path was normalized by `RequestGuard`.
        protocols: the protocols of trainers that the server speaks.

    Returns:
        None if only the body tells.
    """
    path: str = scope["path"]
    if (scope["method"], path) in _OF_ALL_WORKERS:
        return Owner.CONTROL_PROCESS
    if path.startswith("/episodes/"):
        return id_of_token(path.split("/")[2])
    request = Request(scope)
    if path.startswith("/view"):
        return _owner_of_view(request)
    if scope["method"] == "POST" and (path in ("/episodes", "/mcp") or _is_nemo_gym_session(path, protocols)):
        return None
    return _owner_of_session(request, protocols) or Owner.ANY_WORKER


def owner_by_body(scope: Scope, body: bytes, protocols: Collection[TrainerProtocol]) -> str | Owner:
    """Returns the id of the episode that a request is about, or who else serves it, if only the body tells.

    A body that is not understood is for any worker, which refuses it.
    """
    path: str = scope["path"]
    try:
        content = from_json(body)
    except ValueError:
        return Owner.ANY_WORKER
    if not isinstance(content, dict):
        return Owner.ANY_WORKER
    if path == "/episodes":
        key = content.get("request_key")
        return id_of_key(key) if isinstance(key, str) else Owner.NEW_EPISODE
    if path == "/mcp":
        return _owner_of_gateway_call(content)
    return _owner_of_seed(Request(scope), content, protocols)


def run_of_worker(worker: int) -> str:
    """Returns the id under which the viewer's page shows the episodes of a worker."""
    return f"{_RUN}{worker + 1}"


def _owner_of_view(request: Request) -> str | int | Owner:
    episode = request.query_params.get("episode")
    if episode:
        return id_of_token(episode)
    number = request.query_params.get("run", "").removeprefix(_RUN)
    return int(number) - 1 if number.isascii() and number.isdecimal() else Owner.ANY_WORKER


def _owner_of_gateway_call(content: dict[str, Any]) -> str | Owner:
    parameters = content.get("params")
    if content.get("method") != "tools/call" or not isinstance(parameters, dict):
        return Owner.ANY_WORKER
    if parameters.get("name") == "start_episode":
        return Owner.NEW_EPISODE
    arguments = parameters.get("arguments")
    handle = arguments.get("episode") if isinstance(arguments, dict) else None
    return id_of_token(handle) if isinstance(handle, str) else Owner.ANY_WORKER


def _is_nemo_gym_session(path: str, protocols: Collection[TrainerProtocol]) -> bool:
    return TrainerProtocol.NEMO_GYM in protocols and path.endswith(_NEMO_GYM_BY_BODY)


def _owner_of_seed(
    request: Request, content: dict[str, Any], protocols: Collection[TrainerProtocol]
) -> str | Owner:
    if "resources_session_id" not in content:
        # A session that is seeded again ends the one before, whose worker can do that.
        return _owner_of_session(request, protocols) or Owner.NEW_EPISODE
    try:
        named = CloseRequest.model_validate({name: content.get(name) for name in CloseRequest.model_fields})
    except ValidationError:
        return Owner.ANY_WORKER
    return id_of_key(nemo_gym_key(named.resources_session_id, named.episode_id))


def _owner_of_session(request: Request, protocols: Collection[TrainerProtocol]) -> str | None:
    """Returns the episode of a trainer's session, or None if the request has none."""
    session = request.headers.get("x-session-id", "").strip()
    if TrainerProtocol.ORS in protocols and session:
        return id_of_key(ors_key(session))
    cookie = request.cookies.get(SESSION_COOKIE) if TrainerProtocol.NEMO_GYM in protocols else None
    return id_of_token(cookie) if cookie else None
