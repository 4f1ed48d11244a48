"""Later requests contain what the model said, to the letter; what cannot be sent is replaced and reported."""

import re
from typing import Any

import pytest

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.errors import ModelError
from codegym_mcp.models import ModelReply
from tests.models.conftest import Clock, Endpoint

TOOL = ToolView(name="move", description="Move the lift.", input_schema={"type": "object", "properties": {}})
HELLO = {"say": {"text": "hello"}}


def response(message: dict[str, Any]) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", **message}}
    return {"status": 200, "body": {"id": "1", "model": "m", "choices": [choice]}}


def call(arguments: str, name: str = "move", id: str = "one") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


async def converse(
    openai: Endpoint, *actions: dict[str, Any], **options: Any
) -> tuple[dict[str, Any], ModelReply]:
    """Lets a model call a tool and answers it; returns the model's message in the last request, and the reply."""
    async with openai.model(*actions, **options) as model:
        conversation = model.conversation("Be brief.")
        conversation.say("Go up.")
        first = await model.request(conversation, [TOOL])
        for made in first.calls:
            conversation.answer(made, "1")
        if not first.calls:
            conversation.say("Go on.")
        second = await model.request(conversation, [TOOL])
    return openai.bodies(model)[-1]["messages"][2], second


@pytest.mark.parametrize(
    "arguments",
    [
        '{ "text" : "\\u00e9" }',
        '{"locker": 31}',
        '{"b":1,"a":2}',
        '{"a": 1, "a": 2}',
        '{"x": 1.0, "y": 1e2, "z": 10000000000000000000000000}',
        '{"t": "é\\/"}\n',
        "{}",
        "{ }",
    ],
)
async def test_arguments_go_back_as_they_were_written(openai: Endpoint, arguments: str) -> None:
    sent, reply = await converse(openai, response({"content": None, "tool_calls": [call(arguments)]}), HELLO)
    assert sent["tool_calls"] == [call(arguments)]
    assert list(reply.changes) == []


@pytest.mark.parametrize("content", [None, "", "Up.", " Up. ", [{"type": "text", "text": "Up."}]])
async def test_content_goes_back_as_it_was(openai: Endpoint, content: object) -> None:
    sent, _ = await converse(openai, response({"content": content, "tool_calls": [call("{}")]}), HELLO)
    assert sent["content"] == content
    assert "content" in sent


async def test_a_missing_content_stays_missing(openai: Endpoint) -> None:
    sent, _ = await converse(openai, response({"tool_calls": [call("{}")]}), HELLO)
    assert "content" not in sent


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
@pytest.mark.parametrize("text", ["", "One floor.", " One\n\nfloor. "])
async def test_reasoning_goes_back_in_its_member_also_if_empty(
    openai: Endpoint, field: str, text: str
) -> None:
    sent, _ = await converse(
        openai, response({"content": "Up.", field: text, "tool_calls": [call("{}")]}), HELLO
    )
    assert sent[field] == text


async def test_structured_reasoning_and_signatures_go_back(openai: Endpoint) -> None:
    details = [{"type": "reasoning.encrypted", "data": "abc", "index": 0}]
    signed = {**call("{}"), "extra_content": {"google": {"thought_signature": "xyz"}}}
    message = {"content": None, "reasoning_details": details, "tool_calls": [signed]}
    sent, _ = await converse(openai, response(message), HELLO)
    assert sent["reasoning_details"] == details
    assert sent["tool_calls"] == [signed]


async def test_a_text_without_calls_goes_back_as_it_was(openai: Endpoint) -> None:
    text = "<think>Hm.</think>\n\nUp. 🛗"
    sent, _ = await converse(openai, response({"content": text}), HELLO)
    assert sent == {"role": "assistant", "content": text}


async def test_members_that_requests_do_not_have_are_left_out(openai: Endpoint) -> None:
    message = {
        "content": "Up.",
        "refusal": None,
        "annotations": [],
        "audio": None,
        "function_call": None,
        "reasoning_content": None,
        "tool_calls": [{**call("{}"), "index": 0}],
    }
    sent, _ = await converse(openai, response(message), HELLO)
    assert sent == {"role": "assistant", "content": "Up.", "tool_calls": [call("{}")]}


@pytest.mark.parametrize(
    "arguments",
    [
        '{"floors": NaN}',
        '{"floors": Infinity}',
        '{"floors": -Infinity}',
        '{"floors": 1e999}',
        '{"floors": 1',
        "up",
        "[1]",
        '{"text": "\\ud800"}',
        "",
    ],
)
async def test_arguments_that_would_spoil_later_requests_are_replaced(
    openai: Endpoint, arguments: str
) -> None:
    async with openai.model(response({"content": "", "tool_calls": [call(arguments)]}), HELLO) as model:
        conversation = model.conversation("Be brief.")
        conversation.say("Go up.")
        (made,) = (await model.request(conversation, [TOOL])).calls
        assert (made.raw, made.sent) == (arguments, "{}")
        conversation.answer(made, "no")
        await model.request(conversation, [TOOL])
    (sent,) = openai.bodies(model)[-1]["messages"][2]["tool_calls"]
    assert sent["function"]["arguments"] == "{}"


@pytest.mark.parametrize("arguments", ['{"floors": NaN}', '{"floors": 1e999}', '{"floors": 1'])
async def test_other_providers_never_receive_malformed_arguments_either(
    anthropic: Endpoint, arguments: str
) -> None:
    from pydantic_ai.messages import ModelResponse, ToolCallPart

    from codegym_mcp.models.provider_reply import read_reply

    response, reply = read_reply(ModelResponse([ToolCallPart("move", arguments, "one")]))
    (part,) = response.parts
    assert isinstance(part, ToolCallPart)
    assert part.args == "{}"
    assert (reply.calls[0].raw, reply.calls[0].sent) == (arguments, "{}")


# --- servers that do not accept what they said


REFUSED = {"status": 400, "body": {"error": {"message": "Extra inputs are not permitted: reasoning_content"}}}


@pytest.mark.parametrize("status", [400, 422, 500])
async def test_a_server_that_refuses_null_content_receives_an_empty_text(
    openai: Endpoint, clock: Clock, status: int
) -> None:
    broken = {
        "status": status,
        "body": {"error": {"message": 'can only concatenate str (not "NoneType") to str'}},
    }
    said = response({"content": None, "tool_calls": [call("{}")]})
    sent, reply = await converse(openai, said, broken, HELLO, retries=clock.retries())
    assert sent["content"] == ""
    assert list(reply.changes) == ["The content null of earlier messages was sent as an empty text."]
    assert clock.waits == []


async def test_a_server_that_fails_at_null_content_receives_an_empty_text_next(
    openai: Endpoint, clock: Clock
) -> None:
    broken = {"status": 500, "body": {"error": {"message": "Internal Server Error"}}}
    said = response({"content": None, "tool_calls": [call("{}")]})
    async with openai.model(said, broken, HELLO, broken, HELLO, HELLO, retries=clock.retries()) as model:
        conversation = model.conversation()
        conversation.say("Go up.")
        for made in (await model.request(conversation, [TOOL])).calls:
            conversation.answer(made, "1")
        replies = []
        for _ in range(3):
            replies.append(await model.request(conversation, [TOOL]))
            conversation.say("Go on.")
    contents = [body["messages"][1]["content"] for body in openai.bodies(model)[1:]]
    assert contents == [None, "", None, "", ""]
    assert [len(reply.failures) for reply in replies] == [1, 1, 0]
    assert all(reply.changes for reply in replies)


async def test_a_server_that_fails_for_another_reason_receives_both_forms_in_turn(
    openai: Endpoint, clock: Clock
) -> None:
    broken = {"status": 500, "body": {"error": {"message": "Internal Server Error"}}}
    said = response({"content": None, "tool_calls": [call("{}")]})
    sent, reply = await converse(openai, said, broken, broken, HELLO, retries=clock.retries())
    assert sent["content"] is None
    assert [failure.status for failure in reply.failures] == [500, 500]
    assert list(reply.changes) == []


async def test_a_server_that_refuses_reasoning_receives_none(openai: Endpoint) -> None:
    said = response({"content": "Up.", "reasoning_content": "Hm.", "tool_calls": [call("{}")]})
    sent, reply = await converse(openai, said, REFUSED, HELLO)
    assert "reasoning_content" not in sent
    assert list(reply.changes) == ["Reasoning was left out of earlier messages."]


async def test_a_server_that_refuses_a_name_receives_letters(openai: Endpoint) -> None:
    refused = {
        "status": 400,
        "body": {
            "error": {"message": "Invalid 'tool_calls[0].function.name': string does not match pattern."}
        },
    }
    said = response({"content": "", "tool_calls": [call("{}", name="lift.move up")]})
    sent, reply = await converse(openai, said, refused, HELLO)
    assert sent["tool_calls"][0]["function"]["name"] == "lift_move_up"
    assert len(reply.changes) == 1


async def test_what_a_server_does_not_accept_is_sent_only_once(openai: Endpoint) -> None:
    said = response({"content": "Up.", "reasoning_content": "Hm.", "tool_calls": [call("{}")]})
    async with openai.model(said, REFUSED, HELLO) as model:
        conversation = model.conversation()
        conversation.say("Go up.")
        for made in (await model.request(conversation, [TOOL])).calls:
            conversation.answer(made, "1")
        await model.request(conversation, [TOOL])
        conversation.say("Go on.")
        assert (await model.request(conversation, [TOOL])).changes
    assert len(openai.bodies(model)) == 4


async def test_a_rejection_that_no_change_cures_is_reported_as_it_was_first(openai: Endpoint) -> None:
    said = response({"content": None, "reasoning_content": "Hm.", "tool_calls": [call("{}")]})
    other = {"status": 400, "body": {"error": {"message": "and something else"}}}
    with pytest.raises(ModelError, match="Extra inputs are not permitted"):
        await converse(openai, said, REFUSED, other)


async def test_a_server_without_system_prompts_receives_it_with_the_task(openai: Endpoint) -> None:
    refused = {"status": 500, "body": {"error": {"message": "Jinja Exception: System role not supported"}}}
    async with openai.model(refused, HELLO) as model:
        conversation = model.conversation("Be brief.")
        conversation.say("Go up.")
        reply = await model.request(conversation, [TOOL])
    assert openai.bodies(model)[-1]["messages"] == [{"role": "user", "content": "Be brief.\n\nGo up."}]
    assert len(reply.changes) == 1


async def test_a_server_that_refuses_the_names_of_tools_receives_letters(openai: Endpoint) -> None:
    tools = [ToolView(name=name, input_schema={}) for name in ("fs.read", "fs/read", "fs_read", "x" * 70)]
    refused = {
        "status": 400,
        "body": {"error": {"message": "Invalid 'tools[0].function.name': string does not match pattern."}},
    }
    said = response(
        {"content": None, "tool_calls": [call("{}", name="fs_read_2"), call("{}", "fs_read", "two")]}
    )
    async with openai.model(refused, said, HELLO) as model:
        conversation = model.conversation()
        conversation.say("Read.")
        first = await model.request(conversation, tools)
        for made in first.calls:
            conversation.answer(made, "1")
        await model.request(conversation, tools)
    assert [made.name for made in first.calls] == ["fs.read", "fs_read"]
    last = openai.bodies(model)[-1]
    sent = [tool["function"]["name"] for tool in last["tools"]]
    assert sent == ["fs_read_2", "fs_read_3", "fs_read", "x" * 64]
    assert [made["function"]["name"] for made in last["messages"][1]["tool_calls"]] == [
        "fs_read_2",
        "fs_read",
    ]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Tool call id was call_49c89af0 but must be a-z, A-Z, 0-9, with a length of 9."),
        (404, "Tool call ids should be alphanumeric strings with length 9!"),
        (500, "Tool call id was call_49c89af0 but must be a-z, A-Z, 0-9, with a length of 9."),
        (400, "messages.3.content.0: `tool_use` ids must be unique"),
    ],
)
async def test_a_server_that_refuses_the_ids_of_its_own_calls_receives_others(
    openai: Endpoint, status: int, message: str
) -> None:
    said = response(
        {"content": None, "tool_calls": [call("{}", name="a", id="same"), call("{}", "b", "other")]}
    )
    again = response({"content": None, "tool_calls": [call("{}", name="a", id="same")]})
    refused = {"status": status, "body": {"error": {"message": message}}}
    async with openai.model(said, again, refused, HELLO) as model:
        conversation = model.conversation()
        conversation.say("Read.")
        for text in ("1", "2"):
            for made in (await model.request(conversation, [TOOL])).calls:
                conversation.answer(made, text)
        reply = await model.request(conversation, [TOOL])
    assert len(reply.changes) == 1
    messages = openai.bodies(model)[-1]["messages"]
    made_ids = [made["id"] for each in messages for made in each.get("tool_calls", ())]
    answered = [each["tool_call_id"] for each in messages if each["role"] == "tool"]
    assert made_ids == answered
    assert len(set(made_ids)) == 3
    assert all(re.fullmatch("[a-zA-Z0-9]{9}", made) for made in made_ids)
