"""OpenTelemetry's protobuf classes and an OTLP endpoint read the spans."""

import json
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from codegym_harness.export.export import export
from codegym_mcp.errors import ConnectionFailedError
from tests.conversations import exchanges

pytestmark = pytest.mark.viewers


def as_protobuf(value):
    """The message as protobuf's JSON has it: ids in base64, where OTLP has them hexadecimal."""
    if isinstance(value, list):
        return [as_protobuf(each) for each in value]
    if isinstance(value, dict):
        ids = ("traceId", "spanId", "parentSpanId")
        return {
            name: b64encode(bytes.fromhex(each)).decode() if name in ids else as_protobuf(each)
            for name, each in value.items()
        }
    return value


def plain(value):
    kind = value.WhichOneof("value")
    return (
        [plain(each) for each in value.array_value.values] if kind == "array_value" else getattr(value, kind)
    )


def episodes(messages):
    """The spans of each episode, with their attributes, by key."""
    found = {}
    for message in messages:
        for resource in message.resource_spans:
            for scope in resource.scope_spans:
                spans = [
                    (span, {each.key: plain(each.value) for each in span.attributes}) for span in scope.spans
                ]
                found[spans[0][1]["codegym.key"]] = spans
    return found


def of_messages(text):
    """The exchanges in messages of the conventions."""
    for message in json.loads(text):
        parts = message["parts"]
        match message["role"]:
            case "assistant":
                text = "".join(part["content"] for part in parts if part["type"] == "text")
                reasoning = next((part["content"] for part in parts if part["type"] == "reasoning"), None)
                calls = [(part["name"], part["arguments"]) for part in parts if part["type"] == "tool_call"]
                yield ("agent", text, reasoning, calls)
            case "tool":
                yield from (("result", part["response"]) for part in parts)
            case role:
                yield (role, parts[0]["content"])


def rebuilt(spans):
    """The exchanges of an episode from its spans."""
    (_, root), *inner = spans
    chats = [attributes for span, attributes in inner if span.name.startswith("chat")]
    tools = [attributes for span, attributes in inner if span.name.startswith("execute_tool")]
    if chats:
        found = []
        for chat in chats:
            found += of_messages(chat["gen_ai.input.messages"])
            found += of_messages(chat["gen_ai.output.messages"])
        # The results of the last turn are in its tool spans alone.
        left = [tool for tool in tools if "gen_ai.tool.call.result" in tool]
        told = sum(part[0] == "result" for part in found)
        found += [("result", tool["gen_ai.tool.call.result"]) for tool in left[told:]]
        found += of_messages(root.get("codegym.unanswered_messages", "[]"))
        return found
    found = list(of_messages(root["gen_ai.input.messages"]))
    for tool in tools:
        call = (tool["gen_ai.tool.name"], json.loads(tool["gen_ai.tool.call.arguments"]))
        found += [("agent", "", None, [call]), ("result", tool["gen_ai.tool.call.result"])]
    return found


def check(found, recorded):
    assert found.keys() == recorded.keys()
    for key, record in recorded.items():
        assert rebuilt(found[key]) == exchanges(record)
        root = found[key][0][0]
        events = {event.name for event in root.events}
        scored = record.extra.verdict is not None or record.extra.outcome == "no_submission"
        assert events == ({"gen_ai.evaluation.result"} if scored else set())
        assert (root.status.code == 2) == (record.extra.error is not None)


def test_every_message_call_argument_and_result_is_in_the_file(exported, recorded):
    lines = exported("otel", "spans.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    messages = [ParseDict(as_protobuf(json.loads(line)), TracesData()) for line in lines]
    check(episodes(messages), recorded)


@pytest.fixture
def endpoint():
    """An OTLP endpoint on loopback, and what it received."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200 if self.path == "/v1/traces" else 400)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.filterwarnings("ignore")
def test_an_endpoint_receives_the_same_spans(run, recorded, endpoint):
    address, received = endpoint
    summary = export([run], "otel", f"{address}/v1/traces")
    assert summary.files[0].path == f"{address}/v1/traces"
    check(episodes(received), recorded)


@pytest.mark.filterwarnings("ignore")
def test_an_endpoint_that_refuses_is_an_error(run, endpoint):
    with pytest.raises(ConnectionFailedError, match="does not accept traces"):
        export([run], "otel", f"{endpoint[0]}/elsewhere")
