"""Traces of an evaluation, as a collector receives them from the processes of the command."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from codegym_harness.runs.run_directory_reader import read_trajectories

SAFE = Path(__file__).parents[2] / "server" / "environments" / "safe.py"


class Collector:
    """Receives spans over OTLP/HTTP.

    Attributes:
        spans: what was received: the name of the service and the span.
    """

    def __init__(self) -> None:
        self.spans: list[tuple[str, Any]] = []
        self.url = ""

    def receive(self, body: bytes) -> None:
        for part in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {each.key: each.value.string_value for each in part.resource.attributes}
            for scope in part.scope_spans:
                self.spans += [(names["service.name"], span) for span in scope.spans]


@contextmanager
def collector() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.receive(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        collector.url = f"http://127.0.0.1:{server.server_port}"
        yield collector
        server.shutdown()
        thread.join()


def evaluate(out: Path, *options: str, **environ: str) -> str:
    """Plays one task with the oracle, and returns what the command said on stderr."""
    command = ["eval", "--environments", str(SAFE), "--agent", "oracle", "--tasks", "1", "--out", str(out)]
    ran = subprocess.run(
        [sys.executable, "-m", "codegym_mcp", *command, *options],
        env={"PATH": "/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stderr


def test_the_trace_of_a_rollout_reaches_from_the_agent_through_the_server(tmp_path: Path) -> None:
    with collector() as received:
        evaluate(tmp_path / "run", "--over-mcp", OTEL_EXPORTER_OTLP_ENDPOINT=received.url)
    ((_, rollout),) = [each for each in received.spans if each[1].name == "invoke_agent oracle"]
    attributes = {each.key: each.value for each in rollout.attributes}
    assert attributes["codegym.environment"].string_value == "safe"
    (recorded,) = read_trajectories(tmp_path / "run")
    assert attributes["codegym.outcome"].string_value == recorded.extra.outcome.value
    ((event,),) = [[each.attributes for each in rollout.events]]
    assert {each.key for each in event} >= {"gen_ai.evaluation.score.value"}
    same_trace = [(service, span) for service, span in received.spans if span.trace_id == rollout.trace_id]
    by_id = {span.span_id: (service, span) for service, span in same_trace}
    in_server = [span for service, span in same_trace if service == "codegym-mcp server"]
    assert "POST /episodes" in {span.name for span in in_server}
    called = [span for span in in_server if span.name.startswith("tools/call ")]
    assert called
    for span in called:
        path, at = [span.name], span
        while at.parent_span_id:
            _, at = by_id[at.parent_span_id]
            path.append(at.name.split()[0])
        assert path[-2:] == ["execute_tool", "invoke_agent"]


def test_built_in_agents_make_spans_in_their_worker(tmp_path: Path) -> None:
    with collector() as received:
        evaluate(tmp_path / "run", OTEL_EXPORTER_OTLP_ENDPOINT=received.url)
    assert {service for service, span in received.spans if span.name == "invoke_agent oracle"} == {
        "codegym-mcp worker"
    }


def test_without_an_endpoint_nothing_is_said_about_traces(tmp_path: Path) -> None:
    assert "race" not in evaluate(tmp_path / "run")


def test_a_protocol_that_is_not_supported_is_named(tmp_path: Path) -> None:
    said = evaluate(
        tmp_path / "run", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_EXPORTER_OTLP_PROTOCOL="grpc"
    )
    assert "Traces are not exported: the protocol is grpc" in said
