"""The addresses of NeMo Gym's resources servers, as its release 0.7.0 calls them.

Agents call tools over MCP at the episode's own address, or by `POST /{tool}` with the session's cookie. Every
address here needs the control plane's token; the episode's MCP address does not.
"""

from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from codegym_mcp.episode_limits import MIB
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.server.trainer_protocols.nemo_gym_metrics import aggregate
from codegym_mcp.server.trainer_protocols.nemo_gym_models import (
    AggregateRequest,
    CloseRequest,
    JsonObject,
    McpMetadata,
    SeedRequest,
    SeedResponse,
    VerifyRequest,
)
from codegym_mcp.server.trainer_protocols.nemo_gym_sessions import NemoGymSessions, drop
from codegym_mcp.server.trainer_protocols.trainer_endpoints import (
    Endpoint,
    Model,
    TrainerEndpoints,
    TrainerRequestError,
)
from codegym_mcp.task_reference import TaskReference
from codegym_mcp.validation_messages import first_fault

MAX_ROLLOUT_BODY = 16 * MIB
"""The largest body with the response of a model, in bytes: trainers send its token ids too."""

SESSION_COOKIE = "codegym_session"
_REQUIRED = ("responses_create_params", "response")
"""What a request for a verdict must have, and gets back."""
_MARKS = ("agent_ref", "_ng_")
"""Beginnings of the names of fields with which NeMo Gym itself marks the rows of a run."""
_PREFIXES = ("", "/ng-rollout/{rollout}")
"""NeMo Gym puts the rollout before the path when it observes a run."""


class NemoGymServer:
    """The routes of the protocol."""

    def __init__(
        self, episodes: EpisodeManager, endpoints: TrainerEndpoints, *, taken_names: frozenset[str]
    ) -> None:
        """
        Args:
            taken_names: names that tools cannot have since this server has other addresses of these names.
        """
        self._endpoints = endpoints
        self._sessions = NemoGymSessions(episodes, taken_names)

    def routes(self) -> list[Route]:
        """Returns the routes; the last one takes every POST request, so they follow all others."""
        addresses: dict[str, tuple[Endpoint, str]] = {
            "seed_session": (self._seed, "POST"),
            "verify": (self._verify, "POST"),
            "close_session": (self._close, "POST"),
            "aggregate_metrics": (self._aggregate, "POST"),
            "reverify_mode": (self._reverify_mode, "GET"),
            "{tool}": (self._call_tool, "POST"),
        }
        return [
            Route(f"{prefix}/{path}", self._endpoints.guarded(endpoint), methods=[method])
            for path, (endpoint, method) in addresses.items()
            for prefix in _PREFIXES
        ]

    async def _seed(self, request: Request) -> Response:
        body = (await self._endpoints.read(request, JsonObject)).root
        if "resources_session_id" in body:
            seed = _validated(SeedRequest, body)
            episode = await self._sessions.seed_once(seed)
            seeded = SeedResponse(
                resources_session_id=seed.resources_session_id, resources_tools=_mcp(episode)
            )
            return _respond(seeded.model_dump(), episode)
        episode = await self._sessions.seed(TaskReference.from_row(body), request.cookies.get(SESSION_COOKIE))
        return _respond({"mcp": _mcp(episode).model_dump()}, episode)

    async def _verify(self, request: Request) -> Response:
        body = (await self._endpoints.read(request, JsonObject, limit=MAX_ROLLOUT_BODY)).root
        by_environment_server = "verification_input" in body
        rollout = _validated(VerifyRequest, body).verification_input if by_environment_server else body
        for name in _REQUIRED:
            if name not in rollout:
                raise TrainerRequestError(422, f"The request is wrong at {name}: Field required.")
        verdict = await self._sessions.judge(_cookie(request))
        reads_masks = by_environment_server or any(name.startswith(_MARKS) for name in rollout)
        if verdict.mask_sample and not reads_masks:
            # Other clients would take the number for a reward that was earned.
            raise TrainerRequestError(409, verdict.failure_reason or "The episode was not scored.")
        return _respond({**rollout, **verdict.model_dump(exclude_none=True)}, None)

    async def _close(self, request: Request) -> Response:
        body = (await self._endpoints.read(request, JsonObject)).root
        if "resources_session_id" in body:
            closing = _validated(CloseRequest, body)
            await self._sessions.close(closing)
            return _respond({"resources_session_id": closing.resources_session_id}, None)
        episode = self._sessions.find(_cookie(request))
        if episode is not None:
            await drop(episode)
        return _respond({}, None)

    async def _call_tool(self, request: Request) -> Response:
        episode = self._sessions.find(_cookie(request))
        if episode is None:
            raise TrainerRequestError(404, "This server has no episode of this session. Seed a new one.")
        arguments = (await self._endpoints.read(request, JsonObject)).root
        result = await episode.call(request.path_params["tool"], arguments)
        response = Response(result.text, 422 if result.is_error else 200, media_type="text/plain")
        return _with_cookie(response, episode)

    async def _aggregate(self, request: Request) -> Response:
        body = await self._endpoints.read(request, AggregateRequest, limit=MAX_ROLLOUT_BODY)
        return _respond(aggregate(body.verify_responses).model_dump(), None)

    async def _reverify_mode(self, _: Request) -> Response:
        # An answer is judged when it is submitted, never from the text of a rollout.
        return JSONResponse("unsupported")


def _mcp(episode: Episode) -> McpMetadata:
    """Returns where the agent finds its tools. Some agents require the header; the address suffices."""
    return McpMetadata(
        url_path=f"/episodes/{episode.token}/mcp", headers={"X-NeMo-Gym-Session-Token": episode.token}
    )


def _cookie(request: Request) -> str:
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie is None:
        raise TrainerRequestError(
            400,
            f"The request has no session: send the cookie {SESSION_COOKIE} of the response to /seed_session.",
        )
    return cookie


def _respond(body: dict[str, Any], episode: Episode | None) -> Response:
    """Returns a JSON response, with the session's cookie if there is an episode."""
    # Token ids and log-probabilities of a trainer may not be finite.
    content = to_json(body, inf_nan_mode="constants")
    response = Response(content, media_type="application/json")
    return response if episode is None else _with_cookie(response, episode)


def _with_cookie(response: Response, episode: Episode) -> Response:
    """Adds the session's cookie: some clients send only the cookies of the last response."""
    response.set_cookie(SESSION_COOKIE, episode.token, path="/", httponly=True, samesite="strict")
    return response


def _validated(model: type[Model], body: dict[str, Any]) -> Model:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise TrainerRequestError(422, f"The request is wrong at {first_fault(error)}.") from None
