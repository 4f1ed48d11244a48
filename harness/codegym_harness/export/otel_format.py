"""OpenTelemetry traces in the OTLP protocol: a file of JSON lines, or an endpoint such as MLflow's.

https://opentelemetry.io/docs/specs/otlp. A line of the file is what the collector's file exporter writes.
An endpoint receives the same spans by the exporter of the OpenTelemetry SDK, which reads its headers and
timeouts from the variables `OTEL_EXPORTER_OTLP_…`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.otel_spans import AttributeValue, EpisodeSpan, episode_spans
from codegym_harness.export.whole_run_format import ExportedRun, OpenRun, ViewerFormat, WriteEpisode
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Trajectory
from codegym_mcp.errors import CodegymError, ConnectionFailedError, MissingExtraError
from codegym_mcp.json_line_escapes import json_line
from codegym_mcp.storage.atomic_files import atomic_file
from codegym_mcp.version import VERSION

SUFFIXES = (".jsonl", ".json")
_INTERNAL, _CLIENT = 1, 3
"""Kinds of spans in OTLP."""
_ERROR = 2
"""The status code of an error in OTLP."""

_SendSpans = Callable[[ExportedRun, Sequence[EpisodeSpan]], object]


@contextmanager
def open_traces(out: str) -> Iterator[OpenRun]:
    """Opens a file (.jsonl), which is replaced, or the address of an OTLP endpoint over HTTP."""
    is_endpoint = out.startswith(("http://", "https://"))
    with _endpoint(out) if is_endpoint else _file(Path(out)) as send:

        @contextmanager
        def open_run(run: ExportedRun) -> Iterator[WriteEpisode]:
            def write(trajectory: Trajectory, result: EpisodeResult, counts: LossCounts) -> None:
                send(run, episode_spans(str(run.path.resolve()), trajectory, result, counts))

            yield write

        yield open_run


@contextmanager
def _file(path: Path) -> Iterator[_SendSpans]:
    if path.suffix not in SUFFIXES:
        raise CodegymError(
            f"{path} is neither a .jsonl file nor the address of an OTLP endpoint.",
            hint="An address looks like http://127.0.0.1:4318/v1/traces.",
        )
    with atomic_file(path, hint="Name another file.") as temporary, temporary.open("wb") as file:
        yield lambda run, spans: file.write(json_line(to_json(otlp_json(run, spans))))


def otlp_json(run: ExportedRun, spans: Sequence[EpisodeSpan]) -> dict[str, Any]:
    """Returns spans as one message of OTLP in JSON. Ids are hexadecimal, 64-bit integers are texts."""
    scope = {"scope": {"name": "codegym-mcp", "version": VERSION}, "spans": [_span(span) for span in spans]}
    resource = {"attributes": _attributes(_resource(run))}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


def _span(span: EpisodeSpan) -> dict[str, Any]:
    written: dict[str, Any] = {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "name": span.name,
        "kind": _CLIENT if span.client else _INTERNAL,
        "startTimeUnixNano": str(span.start),
        "endTimeUnixNano": str(span.end),
        "attributes": _attributes(span.attributes),
        "events": [
            {"timeUnixNano": str(event.at), "name": event.name, "attributes": _attributes(event.attributes)}
            for event in span.events
        ],
        "status": {"code": _ERROR, "message": span.error} if span.error else {},
    }
    if span.parent_id is not None:
        written["parentSpanId"] = span.parent_id.hex()
    return written


def _attributes(attributes: dict[str, AttributeValue]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: AttributeValue) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"stringValue": value}


def _resource(run: ExportedRun) -> dict[str, AttributeValue]:
    return {"service.name": "codegym-mcp", "service.version": VERSION, "codegym.run": run.name}


@contextmanager
def _endpoint(address: str) -> Iterator[_SendSpans]:
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        raise MissingExtraError("Sending traces", "pip install 'codegym-mcp[otel]'")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    exporter = OTLPSpanExporter(endpoint=address)

    def send(run: ExportedRun, spans: Sequence[EpisodeSpan]) -> None:
        if exporter.export(_sdk_spans(run, spans)) is not SpanExportResult.SUCCESS:
            raise ConnectionFailedError(
                f"{address} does not accept traces.",
                hint="Spans that were sent before stay there. The log names the cause.",
            )

    try:
        yield send
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]


def _sdk_spans(run: ExportedRun, spans: Sequence[EpisodeSpan]) -> Any:
    """Returns spans as the SDK's exporter takes them."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

    resource = Resource(_resource(run))
    scope = InstrumentationScope("codegym-mcp", VERSION)

    def context(trace_id: bytes, span_id: bytes) -> SpanContext:
        flags = TraceFlags(TraceFlags.SAMPLED)
        return SpanContext(
            int.from_bytes(trace_id), int.from_bytes(span_id), is_remote=False, trace_flags=flags
        )

    return [
        ReadableSpan(
            name=span.name,
            context=context(span.trace_id, span.span_id),
            parent=context(span.trace_id, span.parent_id) if span.parent_id is not None else None,
            resource=resource,
            attributes=span.attributes,
            events=[Event(event.name, event.attributes, event.at) for event in span.events],
            kind=SpanKind.CLIENT if span.client else SpanKind.INTERNAL,
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.UNSET),
            start_time=span.start,
            end_time=span.end,
            instrumentation_scope=scope,
        )
        for span in spans
    ]


FORMAT = ViewerFormat(open_traces)
