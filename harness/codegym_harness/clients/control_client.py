"""A client of the control plane: lists environments, opens episodes, and reads their state."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import urlencode

import httpx2
from opentelemetry.propagate import inject
from pydantic import BaseModel, TypeAdapter, ValidationError

from codegym_harness.clients.lost_connection_retries import LEAST_PATIENCE, RetryingClient
from codegym_harness.clients.mcp_client import ssl_context
from codegym_mcp.control_plane_messages import EpisodeInfo, EventInfo, OpenedEpisode, OpenRequest
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.errors import ConnectionFailedError, LimitError, NotFoundError

_PAGE = 1000
"""Environments in one response, at most."""
_ENVIRONMENTS = TypeAdapter(list[EnvironmentInfo])
_OPENED = TypeAdapter(OpenedEpisode)
_EPISODE = TypeAdapter(EpisodeInfo)
_EVENTS = TypeAdapter(list[EventInfo])
T = TypeVar("T")
_SECONDS = 60.0


class RunningServer(Protocol):
    """A server of this project that runs already, for example a `codegym_mcp.Server`."""

    @property
    def url(self) -> str:
        """The address without a path."""

    @property
    def token(self) -> str:
        """The bearer token of the control plane."""


class ControlClient:
    """A client of one server's control plane. Use `ControlClient.connect`.

    Attributes:
        socket_path: the Unix socket that the server listens on, if it listens on one.
    """

    def __init__(self, http: httpx2.AsyncClient, socket_path: Path | None = None) -> None:
        self._http = http
        self.socket_path = socket_path

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, url: str, token: str, *, socket_path: Path | None = None, patience: float = 0.0
    ) -> AsyncIterator["ControlClient"]:
        """Opens a client until the block is left. It sends no request yet.

        Args:
            url: the address of the server without a path: `http://127.0.0.1:8000`.
            token: the control plane's bearer token.
            socket_path: the Unix socket to connect to, in place of the URL's host and port.
            patience: the time in seconds to wait for a server that was lost.
        """
        headers = {"Authorization": f"Bearer {token}"}
        async with RetryingClient(
            url=url,
            patience=max(patience, LEAST_PATIENCE),
            socket_path=socket_path,
            base_url=url,
            headers=headers,
            verify=ssl_context(),
            timeout=_SECONDS,
        ) as http:
            yield cls(http, socket_path)

    async def environments(self, *globs: str) -> list[EnvironmentInfo]:
        """Returns the environments that the server serves.

        Args:
            globs: patterns of names; without one, all environments are returned.

        Raises:
            ConnectionFailedError: the server cannot be reached, or refuses the request.
        """
        found: list[EnvironmentInfo] = []
        offset = 0
        while True:
            query = urlencode(
                {"name": globs, "limit": _PAGE, **({"offset": offset} if offset else {})}, doseq=True
            )
            page, headers = await self._request_with_headers(_ENVIRONMENTS, "GET", f"/environments?{query}")
            found += page
            offset += _PAGE
            if "Link" not in headers:
                return found

    async def open_episode(self, request: OpenRequest) -> OpenedEpisode:
        """Opens an episode: exactly one, even if the request is sent again.

        Raises:
            NotFoundError: there is no such environment or task.
            LimitError: as many episodes are open as the server allows.
            ConnectionFailedError: the server cannot be reached, or cannot open it.
        """
        name = f"{request.environment}/{request.task or ''}".rstrip("/")
        keyed = request.model_copy(update={"request_key": request.request_key or secrets.token_hex(16)})
        body = keyed.model_dump_json(exclude_defaults=True)
        return await self._request(_OPENED, "POST", "/episodes", ("environment or task", name), body)

    async def episode(self, episode_id: str) -> EpisodeInfo:
        """Returns the state of an episode.

        Raises:
            NotFoundError: the server has no such episode.
            ConnectionFailedError: the server cannot be reached, or refuses the request.
        """
        return await self._request(_EPISODE, "GET", f"/episodes/{episode_id}", ("episode", episode_id))

    async def events(self, episode_id: str) -> list[EventInfo]:
        """Returns the events of an episode.

        Raises:
            NotFoundError: the server has no such episode.
            ConnectionFailedError: the server cannot be reached, or refuses the request.
        """
        return await self._request(_EVENTS, "GET", f"/episodes/{episode_id}/events", ("episode", episode_id))

    async def close(self, episode_id: str) -> EpisodeInfo:
        """Closes an episode. An open episode counts as given up by its agent.

        Raises:
            NotFoundError: the server has no such episode.
            ConnectionFailedError: the server cannot be reached, or refuses the request.
        """
        return await self._request(_EPISODE, "DELETE", f"/episodes/{episode_id}", ("episode", episode_id))

    async def _request(
        self,
        response_type: TypeAdapter[T],
        method: str,
        path: str,
        resource: tuple[str, str] = ("", ""),
        body: str | None = None,
    ) -> T:
        """Sends a request and returns its response; see `_request_with_headers`."""
        found, _ = await self._request_with_headers(response_type, method, path, resource, body)
        return found

    async def _request_with_headers(
        self,
        response_type: TypeAdapter[T],
        method: str,
        path: str,
        resource: tuple[str, str] = ("", ""),
        body: str | None = None,
    ) -> tuple[T, httpx2.Headers]:
        """Sends a request and returns its response with the headers.

        Args:
            response_type: the type of the response.
            resource: kind and name of the resource that does not exist if the status is 404.
        """
        try:
            # The context of the trace goes with the request, so that the server's spans belong to it.
            trace: dict[str, str] = {}
            inject(trace)
            response = await self._http.request(method, path, content=body, headers=trace)
            if response.is_success:
                return response_type.validate_json(response.content), response.headers
            refusal = _Refusal.model_validate_json(response.content).error
        except (httpx2.HTTPError, ValidationError) as error:
            raise ConnectionFailedError(
                f"The control plane at {self._http.base_url} failed: {type(error).__name__}: {error}.",
                hint="Check that the server is running, and its address.",
            ) from error
        match response.status_code:
            case 404 if resource[0]:
                raise NotFoundError(*resource, hint=refusal.hint)
            case 429:
                raise LimitError("open_episodes", 0, refusal.message)
        raise ConnectionFailedError(
            f"The control plane refused the request. {refusal.message}", hint=refusal.hint
        )


class _RefusalError(BaseModel):
    message: str
    hint: str = ""


class _Refusal(BaseModel):
    """The body of every error response of the control plane."""

    error: _RefusalError
