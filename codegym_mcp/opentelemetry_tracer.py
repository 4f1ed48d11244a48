"""OpenTelemetry traces: where spans are sent, and the tracer that creates them.

Spans are created by OpenTelemetry's API. Without an exporter they cost little and are not kept. The MCP SDK
creates those of its requests, and sends the context of the trace with them (SEP-414).
"""

import logging
import os
from typing import Any

from opentelemetry import trace

from codegym_mcp.version import VERSION

logger = logging.getLogger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP = "http/protobuf"

tracer = trace.get_tracer("codegym_mcp", VERSION)


def export_traces(service: str) -> None:
    """Sends the spans of this process to the endpoint that the `OTEL_EXPORTER_OTLP_` variables name.

    It does nothing without an endpoint, or if the program has configured OpenTelemetry itself.

    Args:
        service: the name of the service, unless `OTEL_SERVICE_NAME` names another.
    """
    if not any(map(os.environ.get, _ENDPOINTS)) or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    if os.environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return
    protocol = next(filter(None, map(os.environ.get, _PROTOCOLS)), _HTTP)
    if protocol != _HTTP:
        logger.warning("Traces are not exported: the protocol is %s, and %s is supported.", protocol, _HTTP)
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        logger.warning("Traces are not exported. Run: pip install 'codegym-mcp[otel]'")
        return
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": service}
    resource: dict[str, Any] = {**named, "service.version": VERSION}
    provider = TracerProvider(resource=Resource.create(resource))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
