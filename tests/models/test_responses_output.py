"""Replies of OpenAI's Responses API that are not to the letter: what was said is used, and the rest is kept."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from codegym_mcp.errors import ModelError
from codegym_mcp.models import FinishReason, Model, ModelOptions, ModelReply
from tests.loopback_http import serve_on_loopback
from tests.models.conftest import Clock

BASE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 0,
    "status": "completed",
    "model": "m",
    "error": None,
    "incomplete_details": None,
    "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
}
HELLO = {"type": "output_text", "text": "hello", "annotations": []}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "move", "arguments": '{"floors":1}'}
UNKNOWN = {"type": "program", "id": "p_1", "payload": {"steps": [1, None, "\u00e9"]}}


def message(*parts: Any) -> dict[str, Any]:
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [*parts]}


def body(*output: Any, **members: Any) -> dict[str, Any]:
    return {**BASE, "output": [*output], **members}


def stream(*events: dict[str, Any]) -> str:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


@asynccontextmanager
async def responding(
    *answers: Any, clock: Clock, attempts: int = 2
) -> AsyncIterator[tuple[Model, list[dict[str, Any]]]]:
    """Opens a model whose server gives these answers, one for each request, and the last one from then on."""
    received: list[dict[str, Any]] = []

    class Responses(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            answer = answers[min(len(received), len(answers)) - 1]
            kind = "text/event-stream" if isinstance(answer, str) else "application/json"
            content = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with serve_on_loopback(Responses) as url:
        options = ModelOptions(name="openai-responses:m", base_url=url, attempts=attempts)
        async with Model.open(options, retries=clock.retries()) as model:
            yield model, received


async def request(model: Model) -> ModelReply:
    conversation = model.conversation()
    conversation.say("hi")
    return await model.request(conversation)


@pytest.mark.parametrize(
    "answer",
    {
        "an unknown item": body(UNKNOWN, message(HELLO)),
        "an item without an id": body({"type": "program"}, message(HELLO)),
        "an item that is no object": body("x", None, message(HELLO)),
        "an unknown part": body(message({"type": "hologram", "light": 1}, HELLO)),
        "a part of another type with a text": body(message({"type": "text", "text": "hello"})),
        "a text as content": body({**message(), "content": "hello"}),
        "no annotations": body(message({"type": "output_text", "text": "hello"})),
        "reasoning without a summary": body({"type": "reasoning", "id": "rs_1"}, message(HELLO)),
        "a stream": stream(
            {"type": "response.created", "response": {**BASE, "status": "in_progress", "output": []}},
            {"type": "response.weather.changed", "x": 1},
            {"type": "response.completed", "response": body(message(HELLO))},
        ),
        "a stream whose end has no output": stream(
            {"type": "response.output_item.done", "output_index": 0, "item": message(HELLO)},
            {"type": "response.completed", "response": body()},
        ),
    }.items(),
    ids=lambda item: item[0],
)
async def test_what_was_said_is_used(answer: tuple[str, Any], clock: Clock) -> None:
    async with responding(answer[1], clock=clock) as (model, _):
        reply = await request(model)
    assert (reply.text, list(reply.failures)) == ("hello", [])


@pytest.mark.parametrize(
    "item", [CALL, {name: CALL[name] for name in ("type", "id", "name", "arguments")}], ids=["whole", "no id"]
)
async def test_a_call_beside_an_unknown_item_can_be_answered(item: dict[str, Any], clock: Clock) -> None:
    async with responding(body(UNKNOWN, item), body(message(HELLO)), clock=clock) as (model, received):
        conversation = model.conversation()
        conversation.say("hi")
        (call,) = (await model.request(conversation)).calls
        assert (call.name, call.arguments) == ("move", {"floors": 1})
        conversation.answer(call, "done")
        await model.request(conversation)
    [_, kept, called, result] = received[1]["input"]
    assert kept == UNKNOWN
    assert called["call_id"] == result["call_id"] == call.id


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ('{ "floors" : 1 }', '{ "floors" : 1 }'),
        ('{"name": "\\u00e9", "floors": 1.0}', '{"name": "\\u00e9", "floors": 1.0}'),
        ('{"floors": NaN}', "{}"),
        ('{"floors": 1', "{}"),
    ],
)
async def test_arguments_go_back_as_the_model_wrote_them(written: str, sent: str, clock: Clock) -> None:
    answer = body({**CALL, "arguments": written})
    async with responding(answer, body(message(HELLO)), clock=clock) as (model, received):
        conversation = model.conversation()
        conversation.say("hi")
        (call,) = (await model.request(conversation)).calls
        conversation.answer(call, "done")
        await model.request(conversation)
        conversation.say("go on")
        await model.request(conversation)
    assert call.raw == written
    for later in received[1:]:
        assert [item["arguments"] for item in later["input"] if "arguments" in item] == [sent]


async def test_unknown_items_stay_where_they_were_in_their_own_conversation(clock: Clock) -> None:
    first = body(message(HELLO), UNKNOWN)
    async with responding(first, body(message(HELLO)), clock=clock) as (model, received):
        conversation, other = model.conversation(), model.conversation()
        conversation.say("hi")
        other.say("another")
        await model.request(conversation)
        for each in (conversation, other, conversation):
            each.say("go on")
            await model.request(each)
    kinds = [[item.get("type", item.get("role")) for item in each["input"]] for each in received]
    assert kinds == [
        ["user"],
        ["user", "assistant", "program", "user"],
        ["user", "user"],
        ["user", "assistant", "program", "user", "assistant", "user"],
    ]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("max_output_tokens", FinishReason.LENGTH),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("time", None),
    ],
)
async def test_an_incomplete_reply_has_its_reason(
    reason: str, finish: FinishReason | None, clock: Clock
) -> None:
    answer = body(message(HELLO), status="incomplete", incomplete_details={"reason": reason})
    async with responding(answer, clock=clock) as (model, _):
        reply = await request(model)
    assert (reply.text, reply.finish, reply.finish_raw) == ("hello", finish, reason)


async def test_a_refusal_is_a_refusal(clock: Clock) -> None:
    answer = body(message(HELLO, {"type": "refusal", "refusal": "I will not"}), UNKNOWN)
    async with responding(answer, clock=clock) as (model, _):
        assert (await request(model)).refusal == "I will not"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota gone"}}, "quota gone"),
        ([{"error": {"code": 429, "message": "quota gone"}}], "quota gone"),
        ({"error": "quota gone"}, "quota gone"),
        (body(status="failed", error={"code": "server_error", "message": "GPU lost"}), "GPU lost"),
        (body(status="failed"), "finish reason 'failed'"),
        (body(status="cancelled"), "finish reason 'cancelled'"),
        ({**BASE, "output": None}, "no output"),
        ({"detail": "worker died"}, "worker died"),
        ([], "not a JSON object"),
        (stream({"type": "response.failed", "response": body(error={"message": "GPU lost"})}), "GPU lost"),
        (stream({"type": "error", "message": "GPU lost"}), "GPU lost"),
        (stream({"type": "response.created", "response": body()}), "broke off"),
    ],
)
async def test_a_failure_is_the_providers_in_its_words(answer: Any, words: str, clock: Clock) -> None:
    async with responding(answer, clock=clock) as (model, _):
        with pytest.raises(ModelError, match=f"failed 2 times.*{words}") as caught:
            await request(model)
    assert caught.value.fault == "provider"
