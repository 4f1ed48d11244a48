"""The application of the supervisor process: what is about all workers. It passes on every other request."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import anyio
from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from codegym_mcp.control_plane_messages import EpisodePage, EpisodeQuery
from codegym_mcp.episode_viewer.episode_views import RunView
from codegym_mcp.errors import CodegymError, ConnectionFailedError, MissingExtraError
from codegym_mcp.server.bearer_tokens import has_bearer_token
from codegym_mcp.server.control_plane import read_query
from codegym_mcp.server.error_responses import EXCEPTION_HANDLERS, error_response, invalid_request_response
from codegym_mcp.server.host_and_origin_checks import request_checks
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.merged_episode_list import merge_pages
from codegym_mcp.server.merged_metrics import MergedMetrics, figures_of_this_process, metrics_response
from codegym_mcp.server.request_scheduling import ScheduledRequests
from codegym_mcp.server.workers.connection_handover import RoutedRequests
from codegym_mcp.server.workers.episode_owner import OWN_PART, Owner
from codegym_mcp.server.workers.new_episode_placement import EpisodePlacement
from codegym_mcp.server.workers.worker_supervisor import WorkerSupervisor
from codegym_mcp.version import VERSION

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_RUNS = TypeAdapter(list[RunView])


class SupervisorRouter:
    """What the supervisor process knows of the workers. It is a `Router`."""

    is_worker = False

    def __init__(self, supervisor: WorkerSupervisor) -> None:
        self._workers = supervisor.workers
        self._placement = EpisodePlacement(supervisor.table)

    def target(self, owner: str | int | Owner) -> int | None:
        """Returns the worker that serves a request, or None if it is about all workers."""
        return None if owner is Owner.CONTROL_PROCESS else self._placement.worker_of(owner)

    async def is_ready(self, target: int) -> bool:
        """Waits until a worker serves requests; returns False if that takes too long."""
        return await self._workers[target].is_ready()

    def send(self, target: int, descriptor: int, request: bytes) -> None:
        """Passes a connection to a worker."""
        self._workers[target].send_connection(descriptor, request)


class SupervisorApplication:
    """The routes that are about all workers."""

    def __init__(self, supervisor: WorkerSupervisor, token: str) -> None:
        """
        Args:
            token: the control plane's bearer token.
        """
        self._supervisor = supervisor
        self._token = token

    def routes(self) -> list[Route]:
        """Returns the routes for a Starlette application."""
        return [
            Route("/health", self._health, methods=["GET"]),
            Route("/metrics", self._metrics, methods=["GET"]),
            Route("/episodes", self._list_episodes, methods=["GET"]),
            Route("/view/api/runs", self._list_runs, methods=["GET"]),
        ]

    async def _health(self, _: Request) -> Response:
        supervisor = self._supervisor
        return JSONResponse(
            {
                "status": "ok",
                "version": VERSION,
                "open_episodes": sum(supervisor.table.open_counts()),
                "workers": {"count": len(supervisor.workers), "ready": supervisor.ready_count},
            }
        )

    async def _list_episodes(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            query = EpisodeQuery.model_validate(read_query(request, repeatable=("state",)))
        except ValidationError as error:
            return invalid_request_response(error, "the query")
        try:
            bodies = await self._ask_all(f"/episodes?{request.url.query}")
        except CodegymError as error:
            return error_response(503, error.message, error.hint)
        pages = [EpisodePage.model_validate_json(body) for body in bodies]
        merged = merge_pages(pages, query.limit)
        return Response(merged.model_dump_json(), media_type="application/json")

    async def _list_runs(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            bodies = await self._ask_all("/view/api/runs")
        except CodegymError as error:
            return error_response(503, error.message, error.hint)
        runs = [run for body in bodies for run in _RUNS.validate_json(body)]
        return Response(_RUNS.dump_json(runs), media_type="application/json")

    async def _metrics(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            texts = {"control": figures_of_this_process()}
        except MissingExtraError as error:
            return error_response(501, error.message, error.hint)
        for worker in self._supervisor.workers:
            try:
                texts[str(worker.number)] = (await self._ask(worker.number - 1, "/metrics")).decode()
            except CodegymError:
                # One that is being started has no figures yet.
                continue
        return metrics_response(MergedMetrics(texts, self._worker_figures()), request)

    def _worker_figures(self) -> "Iterator[Metric]":
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        yield GaugeMetricFamily(
            "codegym_workers_ready", "Workers that serve requests.", value=self._supervisor.ready_count
        )
        restarts = CounterMetricFamily(
            "codegym_worker_restarts", "How often a worker was started again.", labels=["worker"]
        )
        for worker in self._supervisor.workers:
            restarts.add_metric([str(worker.number)], worker.restarts)
        yield restarts

    async def _ask_all(self, path: str) -> list[bytes]:
        """Returns the bodies of the responses of all workers.

        Raises:
            ConnectionFailedError: a worker does not answer, or refuses the request.
        """
        bodies: dict[int, bytes] = {}

        async def ask(index: int) -> None:
            bodies[index] = await self._ask(index, path)

        try:
            async with anyio.create_task_group() as tasks:
                for index in range(len(self._supervisor.workers)):
                    tasks.start_soon(ask, index)
        except* CodegymError as group:
            raise ConnectionFailedError(str(group.exceptions[0])) from None
        return [bodies[index] for index in sorted(bodies)]

    async def _ask(self, index: int, path: str) -> bytes:
        worker = self._supervisor.workers[index]
        if not await worker.is_ready():
            raise ConnectionFailedError(f"Worker {worker.number} is being started.", hint="Try again.")
        status, body = await worker.request(f"{OWN_PART}{path}")
        if status != 200:
            raise ConnectionFailedError(f"Worker {worker.number} answered with status {status}.")
        return body

    def _refusal(self, request: Request) -> Response | None:
        if has_bearer_token(request.scope, self._token):
            return None
        return error_response(
            401, "The control plane needs its token.", "Send it as 'Authorization: Bearer …'."
        )


def make_supervisor_app(supervisor: WorkerSupervisor, options: HttpOptions, *, host: str | None) -> Starlette:
    """Returns the ASGI application of the supervisor process.

    Args:
        options: the options of the server, as the workers have them.
        host: the address that it will be bound to; None for a Unix socket.
    """
    app = Starlette(
        routes=SupervisorApplication(supervisor, options.token).routes(),
        middleware=[
            Middleware(ScheduledRequests, find_episode=_hold_no_episode, token=options.token),
            *request_checks(options, host),
            Middleware(
                RoutedRequests,
                router=SupervisorRouter(supervisor),
                token=options.token,
                protocols=options.protocols,
            ),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    app.router.redirect_slashes = False
    return app


def _hold_no_episode(_: str) -> None:
    """Returns None: the workers hold the episodes."""
