"""The addresses of the Open Reward Standard, as openreward 0.1.167 calls them.

Every address but `/version` needs the control plane's token, which clients send as X-API-Key. The addresses
of an environment exist with and without its name; without it, the header X-Deployment names the environment,
or else the first one is meant.
"""

import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.server.curriculum_openings import AdaptiveOpenings
from codegym_mcp.server.mcp_instructions import instructions
from codegym_mcp.server.trainer_protocols.ors_models import (
    CallRequest,
    CreateRequest,
    Message,
    SessionRequest,
    SplitRequest,
    TaskRangeRequest,
    TaskRequest,
    TextBlock,
    ToolList,
)
from codegym_mcp.server.trainer_protocols.ors_sessions import OrsSessions, call_tool, read_session
from codegym_mcp.server.trainer_protocols.ors_streams import stream_result
from codegym_mcp.server.trainer_protocols.ors_tasks import (
    Task,
    find_split,
    list_splits,
    read_specification,
    specification,
    task_at,
)
from codegym_mcp.server.trainer_protocols.trainer_endpoints import (
    Endpoint,
    TrainerEndpoints,
    TrainerRequestError,
)
from codegym_mcp.version import VERSION


class OrsServer:
    """The routes of the protocol."""

    def __init__(
        self, episodes: EpisodeManager, endpoints: TrainerEndpoints, adaptive: AdaptiveOpenings | None = None
    ) -> None:
        """
        Args:
            adaptive: opens sessions whose difficulty the curriculum chooses; without it, they are refused.
        """
        self._catalog = episodes.catalog
        self._endpoints = endpoints
        self._sessions = OrsSessions(episodes, adaptive)

    def routes(self) -> list[Route]:
        """Returns the routes for a Starlette application."""
        of_server: dict[str, tuple[Endpoint, str]] = {
            "list_environments": (self._list_environments, "GET"),
            "create_session": (self._create_session, "POST"),
            "create": (self._create, "POST"),
            "ping": (self._ping, "POST"),
            "delete": (self._delete, "POST"),
            "delete_session": (self._delete, "POST"),
        }
        of_environment: dict[str, tuple[Endpoint, str]] = {
            "tools": (self._list_tools, "GET"),
            "splits": (self._list_splits, "GET"),
            "tasks": (self._list_tasks, "POST"),
            "num_tasks": (self._count_tasks, "POST"),
            "task": (self._show_task, "POST"),
            "task_range": (self._list_task_range, "POST"),
            "prompt": (self._show_prompt, "GET"),
            "messages": (self._show_messages, "GET"),
            "task_tools": (self._list_task_tools, "GET"),
            "call": (self._call, "POST"),
        }
        addresses = {
            **{f"/{path}": each for path, each in (of_server | of_environment).items()},
            **{f"/{{environment}}/{path}": each for path, each in of_environment.items()},
        }
        routes = [
            Route(path, self._endpoints.guarded(endpoint), methods=[method])
            for path, (endpoint, method) in addresses.items()
        ]
        return [Route("/version", self._version, methods=["GET"]), *routes]

    # --- environments and tasks

    async def _version(self, _: Request) -> Response:
        return JSONResponse({"version": VERSION, "build_sha": None})

    async def _list_environments(self, _: Request) -> Response:
        return _json(self._catalog.names)

    async def _list_tools(self, request: Request) -> Response:
        return _json(_tools(self._environment(request)))

    async def _list_splits(self, request: Request) -> Response:
        return _json(list_splits(self._environment(request)))

    async def _list_tasks(self, request: Request) -> Response:
        asked = await self._endpoints.read(request, SplitRequest)
        return self._specs(request, find_split(self._environment(request), asked.split)[:])

    async def _count_tasks(self, request: Request) -> Response:
        asked = await self._endpoints.read(request, SplitRequest)
        return _json({"num_tasks": len(find_split(self._environment(request), asked.split))})

    async def _show_task(self, request: Request) -> Response:
        asked = await self._endpoints.read(request, TaskRequest)
        environment = self._environment(request)
        found = task_at(environment, asked.split, asked.index)
        return _json({"task": specification(found), "env_name": environment.name})

    async def _list_task_range(self, request: Request) -> Response:
        asked = await self._endpoints.read(request, TaskRangeRequest)
        found = find_split(self._environment(request), asked.split)
        return self._specs(request, found[asked.start : asked.stop])

    def _specs(self, request: Request, tasks: Sequence[Task]) -> Response:
        name = self._environment(request).name
        return _json({"tasks": [specification(task) for task in tasks], "env_name": name})

    def _environment(self, request: Request, name: str | None = None) -> Environment:
        """Returns the environment that a request is about; without any name, the first one.

        Raises:
            NotFoundError, SourceError: there is no such environment, or it cannot be used.
        """
        name = name or request.path_params.get("environment")
        deployment = request.headers.get("x-deployment", "")
        if name is None and deployment and "://" not in deployment:
            # "owner/name"; TRL sends the address of the server if it was told no name.
            name = deployment.rpartition("/")[2]
        return self._catalog.get(name or next(iter(self._catalog.names), ""))

    # --- sessions

    async def _create_session(self, request: Request) -> Response:
        asked = await self._endpoints.read(request, SessionRequest)
        if asked.env:
            raise TrainerRequestError(400, "Environment variables cannot be set: no container is started.")
        session = asked.task_id or secrets.token_hex(16)

        async def created() -> str:
            return ""

        return stream_result(session, created)

    async def _create(self, request: Request) -> Response:
        session = read_session(request)
        asked = await self._endpoints.read(request, CreateRequest)
        if asked.toolset_name is not None:
            raise TrainerRequestError(400, "Toolsets cannot be added to an environment of this server.")
        await self._sessions.create(session, self._task(request, asked))
        return _json({"sid": session})

    def _task(self, request: Request, asked: CreateRequest) -> Task:
        environment = self._environment(request, asked.env_name)
        if asked.split is not None and asked.index is not None:
            return task_at(environment, asked.split, asked.index)
        reference = read_specification(environment.name, asked.task_spec or {})
        if asked.env_name is not None and reference.environment != environment.name:
            raise TrainerRequestError(
                400, f"The task belongs to {reference.environment}, not to {environment.name}."
            )
        return reference

    async def _ping(self, request: Request) -> Response:
        self._sessions.get(read_session(request)).keep_alive()
        return _json({"status": "ok"})

    async def _delete(self, request: Request) -> Response:
        session = read_session(request)
        await self._sessions.delete(session)
        return _json({"sid": session})

    async def _show_prompt(self, request: Request) -> Response:
        return _json(_prompt(self._episode(request)))

    async def _show_messages(self, request: Request) -> Response:
        return _json([Message(blocks=_prompt(self._episode(request)))])

    async def _list_task_tools(self, request: Request) -> Response:
        return _json(_tools(self._episode(request).environment))

    async def _call(self, request: Request) -> Response:
        episode = self._episode(request)
        call = await self._endpoints.read(request, CallRequest)
        key = call.task_id or secrets.token_hex(16)
        return stream_result(key, partial(call_tool, episode, call, key))

    def _episode(self, request: Request) -> Episode:
        episode = self._sessions.get(read_session(request))
        episode.keep_alive()
        named = request.path_params.get("environment")
        if named is not None and named != episode.environment.name:
            raise TrainerRequestError(400, f"The session plays {episode.environment.name}, not {named}.")
        return episode


def _tools(environment: Environment) -> ToolList:
    return ToolList.of([*environment.tools, environment.submission])


def _prompt(episode: Episode) -> list[TextBlock]:
    return [TextBlock(text=instructions(episode))]


def _json(content: Any) -> Response:
    return Response(to_json(content), media_type="application/json")
