"""The control plane in front of servers on several nodes, where it opens episodes.

It hands out addresses on the nodes, at which the agents play. Requests about an episode go to its server.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import ValidationError
from pydantic_core import from_json
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from codegym_mcp.control_plane_messages import EpisodePage, EpisodeQuery, OpenedEpisode
from codegym_mcp.episodes.episode_shards import id_of_key
from codegym_mcp.errors import ConnectionFailedError, MissingExtraError, NotFoundError
from codegym_mcp.server.bearer_tokens import has_bearer_token
from codegym_mcp.server.control_plane import is_adaptive, read_query
from codegym_mcp.server.error_responses import EXCEPTION_HANDLERS, error_response, invalid_request_response
from codegym_mcp.server.host_and_origin_checks import request_checks
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.merged_episode_list import merge_pages
from codegym_mcp.server.merged_metrics import MergedMetrics, figures_of_this_process, metrics_response
from codegym_mcp.server.nodes.node_directory import NodeDirectory, NodeServer
from codegym_mcp.server.nodes.node_requests import NodeRequests
from codegym_mcp.server.request_bodies import BodyReader, BodyRefusedError, ClientGoneError
from codegym_mcp.server.request_scheduling import ScheduledRequests
from codegym_mcp.version import VERSION

if TYPE_CHECKING:
    from prometheus_client.core import Metric

Endpoint = Callable[[Request], Awaitable[Response]]

NODE_LABEL = "node"
"""The label that names the server of a figure, or "control"."""
LOST_EPISODE = (
    "The server of a node was lost with its episodes, since there is no --data. They are not scored. "
    "Open a new one."
)
_FORWARDED = ("content-type", "traceparent", "tracestate")
"""Headers of a request that its server receives."""
_RETURNED = ("content-type", "x-total-count", "link", "retry-after")
"""Headers of a response that the client receives."""


class NodesControlPlane:
    """The routes of the control plane."""

    def __init__(self, directory: NodeDirectory, options: HttpOptions) -> None:
        """
        Args:
            directory: the servers on the nodes.
            options: the options of the control plane.
        """
        self._directory = directory
        self._token = options.token
        self._public_url = options.public_url
        self._bodies = BodyReader()
        self._requests: NodeRequests

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Opens the connections to the nodes until the block is left."""
        async with NodeRequests.open(self._directory) as self._requests:
            yield

    def routes(self) -> list[Route]:
        """Returns the routes for a Starlette application."""
        return [
            Route("/health", self._health, methods=["GET"]),
            Route("/metrics", self._guarded(self._metrics), methods=["GET"]),
            Route("/environments", self._guarded(self._list_environments), methods=["GET"]),
            Route("/episodes", self._guarded(self._list_episodes), methods=["GET"]),
            Route("/episodes", self._guarded(self._open), methods=["POST"]),
            Route("/episodes/{id}", self._guarded(self._about_episode), methods=["GET", "DELETE"]),
            Route("/episodes/{id}/events", self._guarded(self._about_episode), methods=["GET"]),
        ]

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            if not has_bearer_token(request.scope, self._token):
                return error_response(
                    401, "The control plane needs its token.", "Send it as 'Authorization: Bearer …'."
                )
            try:
                return await endpoint(request)
            except NotFoundError as error:
                return error_response(404, error.message, error.hint)
            except ConnectionFailedError as error:
                return error_response(503, error.message, error.hint)
            except MissingExtraError as error:
                return error_response(501, error.message, error.hint)

        return guarded

    async def _health(self, _: Request) -> Response:
        running = self._directory.running
        return JSONResponse(
            {
                "status": "ok",
                "version": VERSION,
                "open_episodes": sum(server.open_episodes for server in running),
                "nodes": {"count": len(self._directory.servers), "ready": len(running)},
            }
        )

    async def _list_environments(self, request: Request) -> Response:
        return await self._forward(self._choose(), request)

    # --- opening

    async def _open(self, request: Request) -> Response:
        try:
            async with self._bodies.read(request.scope, request.receive) as body:
                if is_adaptive(body):
                    return error_response(
                        422,
                        "The nodes of this server share no curriculum.",
                        "Choose the difficulty in the request.",
                    )
                return await self._open_on_node(request, body)
        except BodyRefusedError as error:
            return error_response(error.status, error.message, error.hint)
        except ClientGoneError:
            return Response(status_code=400)

    async def _open_on_node(self, request: Request, body: bytes) -> Response:
        key = _request_key(body)
        named = id_of_key(key) if key is not None else None
        tried: list[NodeServer] = []
        while True:
            server = await self._requests.find(named) if named is not None and not tried else None
            if server is None or (server.url is None and not self._directory.keeps_episodes):
                server = self._choose(tried)
            if named is not None:
                self._directory.assign(named, server)
            server.opening += 1
            try:
                response = await self._forward(server, request, body)
            except ConnectionFailedError:
                if self._directory.keeps_episodes:
                    # The episode may have been opened, and continues when a server runs there again.
                    raise
                tried.append(server)
                continue
            finally:
                server.opening -= 1
            if response.status_code == 201:
                server.open_episodes += 1
                self._directory.assign(OpenedEpisode.model_validate_json(bytes(response.body)).id, server)
            return response

    def _choose(self, tried: list[NodeServer] | None = None) -> NodeServer:
        server = self._directory.choose(tried or ())
        if server is None:
            raise ConnectionFailedError(
                "No node of the cluster runs a server at the moment.",
                hint="Try again; a server is started on each node that joins.",
            )
        return server

    # --- episodes

    async def _about_episode(self, request: Request) -> Response:
        episode = request.path_params["id"]
        server = await self._requests.find(episode)
        if server is not None and server.url is not None:
            return await self._forward(server, request)
        directory = self._directory
        some_stopped = len(directory.running) < len(directory.servers)
        if directory.keeps_episodes and (server is not None or some_stopped):
            where = f"the node {server.name}" if server is not None else "a node"
            raise ConnectionFailedError(
                f"The episode may be on {where}, where no server runs at the moment.",
                hint="It continues when a server runs there again. Until then it is not scored.",
            )
        raise NotFoundError("episode", episode, hint=LOST_EPISODE if directory.has_losses else "")

    async def _list_episodes(self, request: Request) -> Response:
        try:
            query = EpisodeQuery.model_validate(read_query(request, repeatable=("state",)))
        except ValidationError as error:
            return invalid_request_response(error, "the query")
        responses = await self._requests.send_to_all(f"/episodes?{request.url.query}")
        for server, response in responses.items():
            if response.status_code != 200:
                raise ConnectionFailedError(
                    f"The server on the node {server.name} answered with status {response.status_code}."
                )
        pages = [EpisodePage.model_validate_json(response.content) for response in responses.values()]
        merged = merge_pages(pages, query.limit)
        return Response(merged.model_dump_json(), media_type="application/json")

    async def _metrics(self, request: Request) -> Response:
        texts = {"control": figures_of_this_process()}
        for server in self._directory.running:
            try:
                response = await self._requests.send(server, "GET", "/metrics")
            except ConnectionFailedError:
                continue
            # A node without the extra has no figures.
            if response.status_code == 200:
                texts[server.name] = response.text
        return metrics_response(MergedMetrics(texts, self._node_figures(), label=NODE_LABEL), request)

    def _node_figures(self) -> "list[Metric]":
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        ready = GaugeMetricFamily(
            "codegym_nodes_ready", "Servers on nodes that run.", value=len(self._directory.running)
        )
        losses = CounterMetricFamily("codegym_node_losses", "Servers that were lost.", labels=[NODE_LABEL])
        for server in self._directory.servers.values():
            losses.add_metric([server.name], server.losses)
        return [ready, losses]

    async def _forward(self, server: NodeServer, request: Request, body: bytes | None = None) -> Response:
        """Sends a request to a server and returns its response.

        Raises:
            ConnectionFailedError: the server does not answer.
        """
        query = request.url.query
        path = quote(request.scope["path"]) + (f"?{query}" if query else "")
        headers = {name: value for name in _FORWARDED if (value := request.headers.get(name)) is not None}
        response = await self._requests.send(server, request.method, path, content=body, headers=headers)
        returned = {name: value for name in _RETURNED if (value := response.headers.get(name)) is not None}
        if "link" in returned and server.url is not None:
            # A link to another page leads to the control plane, as clients know it.
            own = self._public_url or str(request.base_url).rstrip("/")
            returned["link"] = returned["link"].replace(server.url, own)
        return Response(response.content, response.status_code, headers=returned)


def make_nodes_app(directory: NodeDirectory, options: HttpOptions, *, host: str | None) -> Starlette:
    """Returns the ASGI application of the control plane.

    Args:
        directory: the servers on the nodes.
        options: the options of the control plane.
        host: the address that it will be bound to; None for a Unix socket.
    """
    control = NodesControlPlane(directory, options)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with control.opened():
            yield

    app = Starlette(
        routes=control.routes(),
        lifespan=lifespan,
        middleware=[
            Middleware(ScheduledRequests, find_episode=_hold_no_episode, token=options.token),
            *request_checks(options, host),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    app.router.redirect_slashes = False
    return app


def _request_key(body: bytes) -> str | None:
    """Returns the idempotency key of a request to open an episode, or None. Its body may be anything."""
    try:
        content = from_json(body)
    except ValueError:
        return None
    key = content.get("request_key") if isinstance(content, dict) else None
    return key if isinstance(key, str) else None


def _hold_no_episode(_: str) -> None:
    """Returns None: the nodes hold the episodes."""
