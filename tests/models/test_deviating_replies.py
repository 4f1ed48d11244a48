"""Replies that deviate from the specification in members that do not matter are used as they were said."""

from typing import Any

import pytest

from codegym_mcp.models import FinishReason, Model, ModelReply
from tests.models.conftest import Clock, Endpoint


async def request(model: Model) -> ModelReply:
    conversation = model.conversation()
    conversation.say("hello")
    return await model.request(conversation)


CALL = {"id": "one", "type": "function", "function": {"name": "move", "arguments": '{"floors": 1}'}}


def completion(message: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}],
        **members,
    }


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


TEXT = completion({"content": "hello"})
BODIES = {
    "created is a fraction": {**TEXT, "created": 1_700_000_000.25},
    "created is a text": {**TEXT, "created": "2026-01-01T00:00:00Z"},
    "created is null": {**TEXT, "created": None},
    "no id": without(TEXT, "id"),
    "id is a number": {**TEXT, "id": 7},
    "no object": without(TEXT, "object"),
    "another object": {**TEXT, "object": "text_completion"},
    "no model": without(TEXT, "model"),
    "no index": {**TEXT, "choices": [without(TEXT["choices"][0], "index")]},
    "no role": {**TEXT, "choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]},
    "only choices": {"choices": [{"message": {"content": "hello"}}]},
    "content in parts": completion(
        {"content": [{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}]}
    ),
    "usage is null": {**TEXT, "usage": None},
    "usage is a text": {**TEXT, "usage": "a lot"},
    "logprobs without content": {
        **TEXT,
        "choices": [{**TEXT["choices"][0], "logprobs": {"tokens": ["hello"]}}],
    },
    "unknown members": {**TEXT, "x_request": {"a": 1}, "choices": [{**TEXT["choices"][0], "extra": [1]}]},
    "null tool calls": completion({"content": "hello", "tool_calls": None, "function_call": None}),
    "empty tool calls": completion({"content": "hello", "tool_calls": []}),
    "an unknown finish reason": {**TEXT, "choices": [{**TEXT["choices"][0], "finish_reason": "because"}]},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_text_is_used(openai: Endpoint, body: dict[str, Any]) -> None:
    async with openai.model({"status": 200, "body": body}) as model:
        reply = await request(model)
    assert (reply.text, list(reply.calls), list(reply.failures)) == ("hello", [], [])


CALLS: dict[str, Any] = {
    "arguments are an object": {**CALL, "function": {"name": "move", "arguments": {"floors": 1}}},
    "no id": without(CALL, "id"),
    "id is empty": {**CALL, "id": ""},
    "id is null": {**CALL, "id": None},
    "id is a number": {**CALL, "id": 3},
    "no type": without(CALL, "type"),
    "type is null": {**CALL, "type": None},
    "no function object": {"id": "one", "name": "move", "arguments": '{"floors": 1}'},
    "an index": {**CALL, "index": 0},
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_a_call_is_used_and_can_be_answered(openai: Endpoint, call: dict[str, Any]) -> None:
    body = completion({"content": None, "tool_calls": [call]})
    async with openai.model({"status": 200, "body": body}, {"say": {"text": "done"}}) as model:
        conversation = model.conversation()
        conversation.say("hello")
        reply = await model.request(conversation)
        (made,) = reply.calls
        assert (made.name, made.arguments, list(reply.failures)) == ("move", {"floors": 1}, [])
        conversation.answer(made, "1")
        await model.request(conversation)
    _, said, answered = openai.bodies(model)[1]["messages"]
    (sent,) = said["tool_calls"]
    assert sent["id"] == answered["tool_call_id"] == made.id != ""
    assert sent["type"] == "function"
    assert isinstance(sent["function"]["arguments"], str)


@pytest.mark.parametrize("arguments", [None, "", "missing"])
async def test_missing_arguments_are_an_empty_object(openai: Endpoint, arguments: str | None) -> None:
    function = {"name": "listen"} if arguments == "missing" else {"name": "listen", "arguments": arguments}
    body = completion({"content": "", "tool_calls": [{**CALL, "function": function}]})
    async with openai.model({"status": 200, "body": body}) as model:
        (made,) = (await request(model)).calls
    assert (made.arguments, made.raw, made.sent) == ({}, "", "{}")


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (["a", "a", "a"], ["a", "a_2", "a_3"]),
        (["call00002", None], ["call00002", "call00002_2"]),
        ([7, 8], ["7", "8"]),
        (["", ""], ["call00001", "call00002"]),
    ],
    ids=str,
)
async def test_each_call_of_a_reply_has_an_id_of_its_own_also_in_the_history(
    openai: Endpoint, received: list[Any], expected: list[str]
) -> None:
    body = completion({"content": None, "tool_calls": [{**CALL, "id": each} for each in received]})
    async with openai.model({"status": 200, "body": body}, {"say": {"text": "done"}}) as model:
        conversation = model.conversation()
        conversation.say("hello")
        reply = await model.request(conversation)
        for call in reply.calls:
            conversation.answer(call, "1")
        await model.request(conversation)
        _, sent = openai.bodies(model)
    assert [call.id for call in reply.calls] == expected
    assert [call["id"] for call in sent["messages"][1]["tool_calls"]] == expected
    assert [message["tool_call_id"] for message in sent["messages"][2:]] == expected


async def test_a_refusal_among_the_parts_of_the_content_is_a_refusal(openai: Endpoint) -> None:
    body = completion({"content": [{"type": "refusal", "refusal": "I will not."}]})
    async with openai.model({"status": 200, "body": body}) as model:
        reply = await request(model)
    assert (reply.refusal, reply.finish) == ("I will not.", FinishReason.CONTENT_FILTER)


async def test_the_older_form_of_a_call_is_used(openai: Endpoint) -> None:
    body = completion({"content": None, "function_call": {"name": "move", "arguments": '{"floors": 1}'}})
    async with openai.model({"status": 200, "body": body}) as model:
        (made,) = (await request(model)).calls
    assert (made.name, made.arguments) == ("move", {"floors": 1})


@pytest.mark.parametrize(
    ("finish", "meaning"),
    [
        ("eos", FinishReason.STOP),
        ("end_turn", FinishReason.STOP),
        ("model_length", FinishReason.LENGTH),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("function_call", FinishReason.TOOL_CALL),
        ("because", None),
    ],
)
async def test_finish_reasons_of_many_servers_are_understood(
    openai: Endpoint, finish: str, meaning: FinishReason | None
) -> None:
    body = {**TEXT, "choices": [{**TEXT["choices"][0], "finish_reason": finish}]}
    async with openai.model({"status": 200, "body": body}) as model:
        reply = await request(model)
    assert (reply.finish, reply.finish_raw) == (meaning, finish)


async def test_reasoning_in_parts_is_read(openai: Endpoint) -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "hello"},
    ]
    async with openai.model({"status": 200, "body": completion({"content": parts})}) as model:
        reply = await request(model)
    assert (reply.text, reply.reasoning) == ("hello", "Hm.")


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 5.0, "completion_tokens": "3"},
        {"prompt_tokens": 5, "completion_tokens": 3, "prompt_cache_hit_tokens": 4},
    ],
)
async def test_usage_is_read_in_other_forms(openai: Endpoint, usage: dict[str, Any]) -> None:
    async with openai.model({"status": 200, "body": {**TEXT, "usage": usage}}) as model:
        counted = (await request(model)).usage
    assert (counted.prompt_tokens, counted.completion_tokens) == (5, 3)
    assert counted.cached_tokens == usage.get("prompt_cache_hit_tokens", 0)


MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 5, "output_tokens": 3},
}
MESSAGES = {
    **{f"no {name}": without(MESSAGE, name) for name in MESSAGE if name != "content"},
    **{f"{name} is null": {**MESSAGE, name: None} for name in MESSAGE if name != "content"},
    "content is a text": {**MESSAGE, "content": "hello"},
    "stop reason is empty": {**MESSAGE, "stop_reason": ""},
    "an unknown stop reason": {**MESSAGE, "stop_reason": "because"},
    "an unknown block": {**MESSAGE, "content": [{"type": "mystery"}, *MESSAGE["content"]]},
}


@pytest.mark.parametrize("body", MESSAGES.values(), ids=MESSAGES.keys())
async def test_a_text_of_another_api_is_used(anthropic: Endpoint, body: dict[str, Any]) -> None:
    async with anthropic.model({"status": 200, "body": body}) as model:
        reply = await request(model)
    assert (reply.text, list(reply.failures)) == ("hello", [])
    assert reply.usage.completion_tokens == (3 if body.get("usage") else None)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "tool_use", "id": "a", "name": "move", "input": '{"floors": 1}'},
        {"type": "tool_use", "name": "move", "input": {"floors": 1}},
    ],
    ids=["input is a text", "no id"],
)
async def test_a_call_of_another_api_is_used(anthropic: Endpoint, block: dict[str, Any]) -> None:
    body = {**MESSAGE, "content": [block], "stop_reason": "tool_use"}
    async with anthropic.model({"status": 200, "body": body}) as model:
        (made,) = (await request(model)).calls
    assert (made.name, made.arguments) == ("move", {"floors": 1})


async def test_a_call_without_a_name_is_one_of_an_unknown_tool(endpoint: Endpoint) -> None:
    bodies = {
        "openai": completion(
            {"tool_calls": [{"id": "a", "type": "function", "function": {"arguments": "{}"}}]}
        ),
        "anthropic": {**MESSAGE, "content": [{"type": "tool_use", "id": "a", "input": {}}]},
    }
    async with endpoint.model({"status": 200, "body": bodies[endpoint.provider]}) as model:
        (made,) = (await request(model)).calls
    assert (made.name, made.arguments) == ("", {})


@pytest.mark.parametrize("stop", ["error", "network_error", "OVERLOADED"])
async def test_a_stop_reason_of_a_failure_is_the_providers_failure(
    anthropic: Endpoint, clock: Clock, stop: str
) -> None:
    failed = {"status": 200, "body": {**MESSAGE, "content": [], "stop_reason": stop}}
    async with anthropic.model(failed, {"say": {"text": "hello"}}, retries=clock.retries()) as model:
        reply = await request(model)
    assert reply.text == "hello"
    assert stop in reply.failures[0].error
