"""`GET /metrics`: the server's figures in the exposition format of Prometheus."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from codegym_mcp.episodes.episode_counters import CALL_SECONDS
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.errors import MissingExtraError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric


class Metrics:
    """The figures of one server.

    They are read when they are asked for: nothing is shared with other servers of the process.
    """

    def __init__(self, episodes: EpisodeManager) -> None:
        self._episodes = episodes
        self._registry: CollectorRegistry | None = None

    async def respond(self, request: Request) -> Response:
        """Returns the figures, in the version of the format that the request accepts.

        Raises:
            MissingExtraError: Prometheus' client library is not installed.
        """
        try:
            from prometheus_client.exposition import choose_encoder
        except ImportError:
            raise MissingExtraError("This address", "pip install 'codegym-mcp[metrics]'") from None
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._ready_registry()), headers={"content-type": content_type})

    def _ready_registry(self) -> "CollectorRegistry":
        if self._registry is None:
            from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector

            self._registry = CollectorRegistry()
            self._registry.register(self)
            ProcessCollector(registry=self._registry)
            PlatformCollector(registry=self._registry)
        return self._registry

    def collect(self) -> "Iterator[Metric]":
        """Yields the metrics, for Prometheus' registry."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        counters, pool = self._episodes.counters, self._episodes.pool
        yield GaugeMetricFamily(
            "codegym_open_episodes", "Episodes that are open.", value=self._episodes.open_count
        )
        yield CounterMetricFamily(
            "codegym_episodes_opened", "Episodes that were opened or resumed.", value=counters.opened
        )
        ended = CounterMetricFamily(
            "codegym_episodes_ended", "Episodes that have ended, by outcome.", labels=["outcome"]
        )
        for outcome, count in counters.ended.items():
            ended.add_metric([outcome.value], count)
        yield ended
        calls = CounterMetricFamily(
            "codegym_calls", "Calls of tools and submissions, by status.", labels=["status"]
        )
        for status, count in counters.calls.items():
            calls.add_metric([status.value], count)
        yield calls
        bounds = [*map(str, CALL_SECONDS), "+Inf"]
        yield HistogramMetricFamily(
            "codegym_call_duration_seconds",
            "Time from a request to its result, in seconds.",
            buckets=list(zip(bounds, counters.calls_within(), strict=True)),
            sum_value=counters.call_seconds,
        )
        yield GaugeMetricFamily(
            "codegym_environment_processes", "Processes of environments that run.", value=pool.running
        )
        yield CounterMetricFamily(
            "codegym_environment_processes_started",
            "Processes of environments that were started, those of judges and generators included.",
            value=pool.started,
        )
