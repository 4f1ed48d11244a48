"""Servers that stream a reply although it was not asked for as a stream."""

import json
from typing import Any

import pytest

from codegym_mcp.models import Model, ModelReply
from codegym_mcp.models.chat_stream import join_stream
from tests.models.conftest import Clock, Endpoint


async def request(model: Model) -> ModelReply:
    conversation = model.conversation()
    conversation.say("hello")
    return await model.request(conversation)


def events(*chunks: dict[str, Any], end: str = "data: [DONE]\n\n") -> dict[str, Any]:
    """A response with these chunks, and a comment before them as gateways send it."""
    text = ": PROCESSING\n\n" + "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + end
    return {"status": 200, "text": text, "headers": {"content-type": "text/event-stream"}}


def delta(finish: str | None = None, **members: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": members, "finish_reason": finish}]}


def piece(arguments: str, **members: Any) -> dict[str, Any]:
    return {"function": {"arguments": arguments}, **members}


async def test_a_text_is_joined_with_its_reasoning_and_usage(openai: Endpoint) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}, "model": "small"}
    chunks = (
        delta(role="assistant", content="", reasoning_content="So"),
        delta(content=None, reasoning_content=" be it."),
        delta(content="hel"),
        delta("stop", content="lo"),
        usage,
    )
    async with openai.model(events(*chunks)) as model:
        reply = await request(model)
    assert (reply.text, reply.reasoning, reply.finish, reply.model) == ("hello", "So be it.", "stop", "small")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (5, 2)


async def test_a_line_separator_in_a_text_ends_no_event(openai: Endpoint) -> None:
    chunk = json.dumps(delta("stop", content="one\u2028two\u0085three"), ensure_ascii=False)
    streamed = {"status": 200, "text": f"data: {chunk}\r\n\r\ndata: [DONE]\r\n\r\n"}
    async with openai.model(streamed) as model:
        assert (await request(model)).text == "one\u2028two\u0085three"


START = {"id": "a", "type": "function", "function": {"name": "move", "arguments": ""}}
CALLS = {
    "with indexes": (
        delta(tool_calls=[{**START, "index": 0}]),
        delta(tool_calls=[piece('{"floors"', index=0)]),
        delta(tool_calls=[piece(": 1}", index=0)]),
        delta(tool_calls=[{**START, "id": "b", "index": 1}]),
        delta("tool_calls", tool_calls=[piece('{"floors": 2}', index=1)]),
    ),
    "without indexes": (
        delta(tool_calls=[START]),
        delta(tool_calls=[piece('{"floors": ')]),
        delta(tool_calls=[piece("1}")]),
        delta(tool_calls=[{**START, "id": "b"}]),
        delta("tool_calls", tool_calls=[piece('{"floors": 2}', id="b")]),
    ),
    "interleaved": (
        delta(tool_calls=[{**START, "index": 0}, {**START, "id": "b", "index": 1}]),
        delta(tool_calls=[piece('{"floors": 2}', index=1)]),
        delta("tool_calls", tool_calls=[piece('{"floors": 1}', index=0)]),
    ),
    "with the name repeated": (
        delta(tool_calls=[{**START, "index": 0}]),
        delta(
            tool_calls=[{"index": 0, "id": "a", "function": {"name": "move", "arguments": '{"floors": 1}'}}]
        ),
        delta(
            "tool_calls",
            tool_calls=[
                {**START, "id": "b", "index": 1, "function": {"name": "move", "arguments": '{"floors": 2}'}}
            ],
        ),
    ),
}


@pytest.mark.parametrize("chunks", CALLS.values(), ids=CALLS.keys())
async def test_calls_are_joined(openai: Endpoint, chunks: tuple[dict[str, Any], ...]) -> None:
    async with openai.model(events(*chunks)) as model:
        reply = await request(model)
    made = [(call.id, call.name, call.arguments) for call in reply.calls]
    assert made == [("a", "move", {"floors": 1}), ("b", "move", {"floors": 2})]


@pytest.mark.parametrize("whole", ["message", "delta"])
async def test_a_whole_reply_in_one_event_is_used(openai: Endpoint, whole: str) -> None:
    chunk = {"choices": [{whole: {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}]}
    async with openai.model(events(chunk, end="")) as model:
        assert (await request(model)).text == "hello"


async def test_an_error_in_a_stream_is_the_providers_failure(openai: Endpoint, clock: Clock) -> None:
    failed = events(delta(content="hel"), {"error": {"message": "the GPU was lost", "code": 500}})
    async with openai.model(failed, {"say": {"text": "hello"}}, retries=clock.retries()) as model:
        reply = await request(model)
    assert reply.text == "hello"
    assert "the GPU was lost" in reply.failures[0].error


EVENT = delta("stop", content="hello")
OTHER_EVENTS = {
    "data on several lines": "\n".join(f"data: {line}" for line in json.dumps(EVENT, indent=1).splitlines())
    + "\n\n",
    "no empty lines": f"data: {json.dumps(delta(content='hel'))}\ndata: {json.dumps(delta('stop', content='lo'))}\n",
    "names, ids and comments": f": ping\nid: 1\nevent: message\nretry: 5\ndata:{json.dumps(EVENT)}\n\n: ping\n\n",
    "carriage returns": f"data:{json.dumps(EVENT)}\r\rdata: [DONE]\r\r",
    "carriage returns, no finish": f"data:{json.dumps(delta(content='hello'))}\r\rdata: [DONE]\r\r",
    "a mark of the encoding": f"\ufeffdata: {json.dumps(EVENT)}\n\n",
    "no finish, an end": f"data: {json.dumps(delta(content='hello'))}\n\ndata: [DONE]\n\n",
}


@pytest.mark.parametrize("text", OTHER_EVENTS.values(), ids=OTHER_EVENTS.keys())
async def test_events_are_read_in_every_form(openai: Endpoint, text: str) -> None:
    async with openai.model({"status": 200, "text": text}) as model:
        reply = await request(model)
    assert (reply.text, list(reply.failures)) == ("hello", [])


BROKEN = {
    "an event of an error": (
        f"data: {json.dumps(delta(content='hel'))}\n\nevent: error\ndata: {json.dumps({'message': 'the GPU was lost'})}\n\n",
        "the GPU was lost",
    ),
    "an event of an error in words": ("event: error\ndata: the GPU was lost\n\n", "the GPU was lost"),
    "no end": (f"data: {json.dumps(delta(content='hel'))}\n\n", "broke off"),
    "a chunk that is cut off": (f'data: {json.dumps(delta(content="hel"))}\n\ndata: {{"choi', "broke off"),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN.keys())
async def test_a_stream_that_fails_is_not_a_reply(
    openai: Endpoint, clock: Clock, text: str, words: str
) -> None:
    broken = {"status": 200, "text": text}
    async with openai.model(broken, {"say": {"text": "hello"}}, retries=clock.retries()) as model:
        reply = await request(model)
    assert reply.text == "hello"
    assert words in reply.failures[0].error


@pytest.mark.parametrize("text", ["", "hello", "<html>data: {}</html>", "data: [DONE]\n\n", "data: {\n\n"])
def test_other_texts_are_no_stream(text: str) -> None:
    assert join_stream(text) is None
