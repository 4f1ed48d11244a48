"""The figures of all processes of a server, in the exposition format of Prometheus."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from codegym_mcp.errors import MissingExtraError

if TYPE_CHECKING:
    from prometheus_client.core import Metric

WORKER_LABEL = "worker"
"""The label that names the process of a figure: the number of a worker, or "control"."""


class MergedMetrics:
    """The figures of several processes, each with the label of its process. It is a collector.

    The figures of a worker begin at 0 when it is started again. They stay apart, so that Prometheus sees it.
    """

    def __init__(
        self, texts: Mapping[str, str], own: "Iterable[Metric]", *, label: str = WORKER_LABEL
    ) -> None:
        """
        Args:
            texts: the figures of each process, as it exposes them.
            own: further figures, which get no label.
            label: the label that names the process of a figure.
        """
        self._label = label
        self._texts = texts
        self._own = own

    def collect(self) -> "Iterator[Metric]":
        """Yields the metrics, for Prometheus' registry."""
        from prometheus_client.core import Metric
        from prometheus_client.parser import text_string_to_metric_families

        merged: dict[str, Metric] = {}
        for process, text in self._texts.items():
            for family in text_string_to_metric_families(text):
                known = merged.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    labels = {**sample.labels, self._label: process}
                    known.samples.append(sample._replace(labels=labels))
        yield from merged.values()
        yield from self._own


def figures_of_this_process() -> str:
    """Returns the figures that Prometheus' client library knows of this process, as they are exposed.

    Raises:
        MissingExtraError: the client library is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
    except ImportError:
        raise MissingExtraError("This address", "pip install 'codegym-mcp[metrics]'") from None
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return generate_latest(registry).decode()


def metrics_response(merged: MergedMetrics, request: Request) -> Response:
    """Exposes merged figures in the format that a request asks for."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    registry = CollectorRegistry()
    registry.register(merged)
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), headers={"content-type": content_type})
