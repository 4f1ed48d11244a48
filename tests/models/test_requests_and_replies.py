"""What requests contain and how replies are read, for OpenAI's and Anthropic's APIs."""

import json

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models import Model, ModelConversation, ModelReply
from tests.models.conftest import Endpoint

TOOL = ToolView(
    name="move",
    description="Move the lift.",
    input_schema={
        "type": "object",
        "properties": {"floors": {"type": "integer", "description": "how many"}},
        "required": ["floors"],
        "additionalProperties": False,
    },
)
HELLO = {"say": {"text": "hello"}}
CALL = {"say": {"text": "Up.", "calls": [{"id": "one", "name": "move", "arguments": {"floors": 1}}]}}


def talk(model: Model) -> ModelConversation:
    """Starts a conversation."""
    conversation = model.conversation("Be brief.")
    conversation.say("Go up.")
    return conversation


async def ask(model: Model) -> ModelReply:
    """Makes one request."""
    return await model.request(talk(model), [TOOL])


async def test_a_reply_is_read_completely(endpoint: Endpoint) -> None:
    say = {
        "text": "Up we go. 🛗",
        "reasoning": "One floor is enough.",
        "calls": [
            {"id": "one", "name": "move", "arguments": {"floors": 1}},
            {"id": "two", "name": "ring", "arguments": {"bell": {"tones": ["ä", None, 0.5]}}},
        ],
        "usage": [120, 30, 80],
    }
    async with endpoint.model({"say": say}) as model:
        reply = await ask(model)
    assert reply.text == "Up we go. 🛗"
    assert reply.reasoning == "One floor is enough."
    assert [(call.id, call.name, call.arguments) for call in reply.calls] == [
        (call["id"], call["name"], call["arguments"]) for call in say["calls"]
    ]
    assert (reply.finish, reply.refusal, list(reply.failures)) == ("tool_call", None, [])
    assert reply.finish_raw in ("tool_calls", "tool_use")
    assert reply.model.endswith("-0001")
    assert reply.seconds > 0
    usage = reply.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) == (120, 30, 80)
    assert usage.cost is None


async def test_a_chat_completions_request_contains_the_conversation_exactly(openai: Endpoint) -> None:
    async with openai.model(CALL, HELLO) as model:
        conversation = talk(model)
        reply = await model.request(conversation, [TOOL])
        conversation.answer(reply.calls[0], "<|im_start|> [INST] it <system>stands</system>", is_error=True)
        await model.request(conversation, [TOOL])
    _, body = openai.bodies(model)
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Go up."},
        {
            "role": "assistant",
            "content": "Up.",
            "tool_calls": [
                {"id": "one", "type": "function", "function": {"name": "move", "arguments": '{"floors":1}'}}
            ],
        },
        {
            "role": "tool",
            "tool_call_id": "one",
            "content": "<|im_start|> [INST] it <system>stands</system>",
        },
    ]
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "move",
                "description": "Move the lift.",
                "parameters": TOOL.input_schema,
            },
        }
    ]
    assert body["tool_choice"] == "auto"
    assert body.keys() == {"model", "stream", "messages", "tools", "tool_choice"}


async def test_an_anthropic_request_contains_the_conversation_exactly(anthropic: Endpoint) -> None:
    async with anthropic.model(CALL, HELLO) as model:
        conversation = talk(model)
        reply = await model.request(conversation, [TOOL])
        conversation.answer(reply.calls[0], "It is stuck.", is_error=True)
        await model.request(conversation, [TOOL])
    _, body = anthropic.bodies(model)
    assert body["system"] == "Be brief."
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Go up."}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Up."},
                {"type": "tool_use", "id": "one", "name": "move", "input": {"floors": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "one",
                    "content": [{"type": "text", "text": "It is stuck."}],
                    "is_error": True,
                }
            ],
        },
    ]
    (tool,) = body["tools"]
    assert (tool["name"], tool["description"], tool["input_schema"]) == (
        "move",
        "Move the lift.",
        TOOL.input_schema,
    )


async def test_reasoning_is_part_of_later_requests(endpoint: Endpoint) -> None:
    thought = {"say": {"text": "Hm.", "reasoning": "One floor."}}
    async with endpoint.model(thought, HELLO) as model:
        conversation = talk(model)
        await model.request(conversation)
        conversation.say("Well?")
        await model.request(conversation)
    assert "One floor." in json.dumps(endpoint.bodies(model)[-1]["messages"])


async def test_settings_are_sent(openai: Endpoint) -> None:
    options = {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 77,
        "seed": 5,
        "tool_choice": "required",
        "reasoning_effort": "low",
        "logprobs": True,
        "token_ids": True,
        "extra_body": {"top_k": 3},
    }
    async with openai.model(HELLO, **options) as model:
        await ask(model)
        await model.request(talk(model), [TOOL], seed=8)
    first, second = openai.bodies(model)
    sent = {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 77,
        "seed": 5,
        "tool_choice": "required",
        "reasoning_effort": "low",
        "logprobs": True,
        "return_token_ids": True,
        "top_k": 3,
    }
    assert {name: first.get(name) for name in sent} == sent
    assert second["seed"] == 8


async def test_settings_are_sent_to_anthropic(anthropic: Endpoint) -> None:
    async with anthropic.model(HELLO, temperature=0.5, max_tokens=77, tool_choice="required") as model:
        await ask(model)
    (body,) = anthropic.bodies(model)
    assert (body["temperature"], body["max_tokens"], body["tool_choice"]["type"]) == (0.5, 77, "any")


async def test_log_probabilities_and_token_ids_are_read(openai: Endpoint) -> None:
    say = {"text": "ab", "logprobs": [["a", -0.25], ["b", -1.5]], "token_ids": [[1, 2, 3], [7, 8]]}
    async with openai.model({"say": say}, logprobs=True, token_ids=True) as model:
        reply = await ask(model)
    assert reply.logprobs == [-0.25, -1.5]
    assert reply.prompt_token_ids == [1, 2, 3]
    assert reply.completion_token_ids == [7, 8]


async def test_usage_that_the_server_does_not_report_is_unknown(openai: Endpoint) -> None:
    async with openai.model({"say": {"text": "hello", "usage": None}}) as model:
        reply = await ask(model)
    assert reply.usage.prompt_tokens is None
    assert reply.usage.completion_tokens is None


async def test_lone_surrogates_are_replaced(openai: Endpoint) -> None:
    say = {
        "text": "a\ud800b",
        "calls": [{"id": "x", "name": "mo\udfffve", "arguments": '{"text": "\\ud800"}'}],
    }
    async with openai.model({"say": say}, HELLO) as model:
        conversation = talk(model)
        reply = await model.request(conversation)
        assert (reply.text, reply.calls[0].name) == ("a\ufffdb", "mo\ufffdve")
        assert reply.calls[0].arguments is None
        conversation.answer(reply.calls[0], "no")
        await model.request(conversation)
