"""Calls that models write as text, in the forms of their public chat templates."""

from typing import Any

import pytest

from codegym_mcp.episode_interface import ToolView
from codegym_mcp.errors import ModelAccessError
from codegym_mcp.models import Model, ModelOptions, ToolFormat
from codegym_mcp.models.tool_formats import parse_calls
from tests.conftest import ModelServer
from tests.models.conftest import Endpoint

TOOLS = [
    ToolView(
        name="move",
        input_schema={
            "type": "object",
            "properties": {
                "floors": {"type": "integer"},
                "label": {"type": "string"},
                "stops": {"type": "array"},
                "fast": {"type": "boolean"},
            },
        },
    ),
    ToolView(name="listen", input_schema={"type": "object", "properties": {}}),
]
BAR, BLOCK = "\uff5c", "\u2581"


def deepseek(text: str) -> str:
    """Writes `<|tool call begin|>` with DeepSeek's special characters."""
    for token in ("tool calls begin", "tool call begin", "tool sep", "tool call end", "tool calls end"):
        text = text.replace(f"<|{token}|>", f"<{BAR}{token.replace(' ', BLOCK)}{BAR}>")
    return text


ONE = [("move", {"floors": 1})]
TWO = [("move", {"floors": 1}), ("listen", {})]
NESTED = [("move", {"label": 'a "b" {c} </x>', "stops": [1, {"n": None}], "fast": True})]

CASES: list[tuple[ToolFormat, str, list[tuple[str, dict[str, Any]]]]] = [
    (
        ToolFormat.HERMES,
        '<tool_call>\n{"name": "move", "arguments": {"floors": 1}}\n</tool_call>',
        ONE,
    ),
    (
        ToolFormat.HERMES,
        'I go up.\n<tool_call>{"arguments": {"floors": 1}, "name": "move"}</tool_call>\n'
        '<tool_call>\n{"name": "listen", "arguments": {}}\n</tool_call>',
        TWO,
    ),
    (ToolFormat.HERMES, '<tool_call>\n{"name": "move", "arguments": {"floors": 1}}', ONE),
    (ToolFormat.HERMES, '<tool_call>{"name": "move", "arguments": "{\\"floors\\": 1}"}</tool_call>', ONE),
    (
        ToolFormat.HERMES,
        '<tool_call>{"name": "move", "arguments": {"label": "a \\"b\\" {c} </x>", "stops": [1, {"n": null}], '
        '"fast": true}}</tool_call>',
        NESTED,
    ),
    (
        ToolFormat.HERMES,
        '<think>Maybe <tool_call>{"name": "listen"}</tool_call>?</think>\n'
        '<tool_call>{"name": "move", "arguments": {"floors": 1}}</tool_call>',
        ONE,
    ),
    (ToolFormat.QWEN, '<tool_call>\n{"name": "move", "arguments": {"floors": 1}}\n</tool_call>', ONE),
    (
        ToolFormat.QWEN,
        "<tool_call>\n<function=move>\n<parameter=floors>\n1\n</parameter>\n</function>\n</tool_call>",
        ONE,
    ),
    (
        ToolFormat.QWEN,
        "<tool_call>\n<function=move>\n<parameter=floors>\n1\n</parameter>\n</function>\n</tool_call>\n"
        "<tool_call>\n<function=listen>\n</function>\n</tool_call>",
        TWO,
    ),
    (
        ToolFormat.QWEN,
        "<tool_call>\n<function=move>\n<parameter=label>\n1\n2\n</parameter>\n<parameter=fast>\nTrue\n</parameter>\n"
        "<parameter=stops>\n[1, 2]\n</parameter>\n</function>\n</tool_call>",
        [("move", {"label": "1\n2", "fast": True, "stops": [1, 2]})],
    ),
    (ToolFormat.LLAMA3, '{"name": "move", "parameters": {"floors": 1}}', ONE),
    (ToolFormat.LLAMA3, '<|python_tag|>{"name": "move", "parameters": {"floors": 1}}', ONE),
    (ToolFormat.LLAMA3, '{"name": "move", "arguments": {"floors": 1}}', ONE),
    (
        ToolFormat.LLAMA3,
        '{"name": "move", "parameters": {"floors": 1}}; {"name": "listen", "parameters": {}}',
        TWO,
    ),
    (
        ToolFormat.LLAMA3,
        '{"type": "function", "name": "move", "parameters": {"label": "a \\"b\\" {c} </x>", '
        '"stops": [1, {"n": null}], "fast": true}}',
        NESTED,
    ),
    (ToolFormat.MISTRAL, '[TOOL_CALLS] [{"name": "move", "arguments": {"floors": 1}}]', ONE),
    (
        ToolFormat.MISTRAL,
        'Up.[TOOL_CALLS][{"name": "move", "arguments": {"floors": 1}}, {"name": "listen", "arguments": {}}]',
        TWO,
    ),
    (ToolFormat.MISTRAL, '[TOOL_CALLS]move[ARGS]{"floors": 1}', ONE),
    (ToolFormat.MISTRAL, '[TOOL_CALLS]move{"floors": 1}', ONE),
    (ToolFormat.MISTRAL, '[TOOL_CALLS]move[CALL_ID]abcDEF123[ARGS]{"floors": 1}', ONE),
    (ToolFormat.MISTRAL, '[TOOL_CALLS]move[ARGS]{"floors": 1}[TOOL_CALLS]listen[ARGS]{}', TWO),
    (ToolFormat.PYTHONIC, "[move(floors=1)]", ONE),
    (ToolFormat.PYTHONIC, "[move(floors=1), listen()]", TWO),
    (ToolFormat.PYTHONIC, "<|python_start|>[move(floors=1)]<|python_end|>", ONE),
    (ToolFormat.PYTHONIC, "<|tool_call_start|>[move(floors=1), listen()]<|tool_call_end|>", TWO),
    (ToolFormat.PYTHONIC, "<function_calls>move(floors=1)</function_calls>", ONE),
    (
        ToolFormat.PYTHONIC,
        "[move(label='a \"b\" {c} </x>', stops=[1, {'n': None}], fast=True)]",
        NESTED,
    ),
    (
        ToolFormat.DEEPSEEK,
        deepseek(
            "<|tool calls begin|><|tool call begin|>function<|tool sep|>move\n"
            '```json\n{"floors": 1}\n```<|tool call end|><|tool calls end|>'
        ),
        ONE,
    ),
    (
        ToolFormat.DEEPSEEK,
        deepseek(
            '<|tool calls begin|><|tool call begin|>move<|tool sep|>{"floors": 1}<|tool call end|>'
            "<|tool call begin|>listen<|tool sep|>{}<|tool call end|><|tool calls end|>"
        ),
        TWO,
    ),
    (
        ToolFormat.GLM,
        "<tool_call>move\n<arg_key>floors</arg_key>\n<arg_value>1</arg_value>\n</tool_call>",
        ONE,
    ),
    (
        ToolFormat.GLM,
        "<tool_call>move<arg_key>label</arg_key><arg_value>12</arg_value></tool_call><tool_call>listen</tool_call>",
        [("move", {"label": "12"}), ("listen", {})],
    ),
    (
        ToolFormat.KIMI,
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.move:0<|tool_call_argument_begin|>"
        '{"floors": 1}<|tool_call_end|><|tool_calls_section_end|>',
        ONE,
    ),
    (
        ToolFormat.KIMI,
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.move:0 <|tool_call_argument_begin|> "
        '{"floors": 1}<|tool_call_end|><|tool_call_begin|>functions.listen:1<|tool_call_argument_begin|>{}'
        "<|tool_call_end|><|tool_calls_section_end|>",
        TWO,
    ),
    (ToolFormat.GRANITE, '<|tool_call|>[{"name": "move", "arguments": {"floors": 1}}]', ONE),
    (ToolFormat.GRANITE, 'functools[{"name": "move", "arguments": {"floors": 1}}]', ONE),
    (
        ToolFormat.GRANITE,
        '<|tool_call|> [{"name": "move", "arguments": {"floors": 1}}, {"name": "listen", "arguments": {}}]',
        TWO,
    ),
]


@pytest.mark.parametrize(
    ("form", "text", "expected"), CASES, ids=[f"{case[0]}-{case[1][:40]}" for case in CASES]
)
def test_calls_are_parsed(form: ToolFormat, text: str, expected: list[tuple[str, dict[str, Any]]]) -> None:
    calls = parse_calls(text, form, TOOLS)
    assert [(call.name, call.arguments) for call in calls] == expected
    assert len({call.id for call in calls}) == len(calls)


@pytest.mark.parametrize("form", ToolFormat)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "The bell is at floor 1.",
        "I would call move(floors=1) now.",
        "{1, 2}",
        "[1, 2]",
        "[see above]",
        "<b>x</b>",
    ],
)
def test_a_text_without_a_call_has_none(form: ToolFormat, text: str) -> None:
    assert parse_calls(text, form, TOOLS) == []


MALFORMED = [
    (ToolFormat.HERMES, '<tool_call>{"name": "move", "arguments": {"floors": </tool_call>'),
    (ToolFormat.QWEN, '<tool_call>{"name": "move", "arguments": {"floors": 1}</tool_call>'),
    (ToolFormat.LLAMA3, '{"name": "move", "parameters": {"floors": 1'),
    (ToolFormat.MISTRAL, '[TOOL_CALLS]move[ARGS]{"floors": '),
    (ToolFormat.MISTRAL, '[TOOL_CALLS][{"name": "move", "arguments": {"floors": 1}'),
    (ToolFormat.PYTHONIC, "[move(floors=1"),
    (ToolFormat.PYTHONIC, "[move(floors=1 + up)]"),
    (ToolFormat.PYTHONIC, "[move(1)]"),
    (ToolFormat.DEEPSEEK, deepseek('<|tool call begin|>move<|tool sep|>{"floors": ')),
    (ToolFormat.KIMI, '<|tool_call_begin|>functions.move:0<|tool_call_argument_begin|>{"floors": '),
    (ToolFormat.GRANITE, '<|tool_call|>[{"name": "move", "arguments": {"floors": 1'),
]


@pytest.mark.parametrize(("form", "text"), MALFORMED, ids=[f"{form}-{text[:30]}" for form, text in MALFORMED])
def test_a_call_that_cannot_be_read_is_malformed(form: ToolFormat, text: str) -> None:
    (call,) = parse_calls(text, form, TOOLS)
    assert (call.name, call.arguments) == ("move", None)
    assert call.problem
    assert call.raw


async def test_a_reply_with_written_calls_is_played_and_goes_back_as_text(openai: Endpoint) -> None:
    text = 'Up.\n<tool_call>\n{"name": "move", "arguments": { "floors": 1}}\n</tool_call>'
    async with openai.model(
        {"say": {"text": text}}, {"say": {"text": "done"}}, tool_format=ToolFormat.HERMES
    ) as model:
        conversation = model.conversation()
        conversation.say("Go up.")
        reply = await model.request(conversation, TOOLS)
        (call,) = reply.calls
        assert (reply.text, call.arguments) == (text, {"floors": 1})
        conversation.answer(call, "1")
        await model.request(conversation, TOOLS)
    first, second = openai.bodies(model)
    assert [tool["function"]["name"] for tool in first["tools"]] == ["move", "listen"]
    assert second["messages"][1:] == [
        {"role": "assistant", "content": text},
        {"role": "tool", "tool_call_id": call.id, "content": "1"},
    ]


async def test_a_server_without_a_parser_receives_the_tools_without_a_choice(openai: Endpoint) -> None:
    refused = {
        "status": 400,
        "body": {
            "error": {
                "message": '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
            }
        },
    }
    text = '<tool_call>{"name": "listen", "arguments": {}}</tool_call>'
    async with openai.model(refused, {"say": {"text": text}}, tool_format=ToolFormat.HERMES) as model:
        conversation = model.conversation()
        conversation.say("Listen.")
        reply = await model.request(conversation, TOOLS)
    assert [call.name for call in reply.calls] == ["listen"]
    assert [body["tool_choice"] for body in openai.bodies(model)] == ["auto", "none"]


async def test_calls_that_the_server_parsed_are_used_as_they_are(openai: Endpoint) -> None:
    said = {
        "text": '<tool_call>{"name": "listen", "arguments": {}}</tool_call>',
        "calls": [{"id": "one", "name": "move", "arguments": {"floors": 1}}],
    }
    async with openai.model({"say": said}, tool_format=ToolFormat.HERMES) as model:
        conversation = model.conversation()
        conversation.say("Go up.")
        reply = await model.request(conversation, TOOLS)
    assert [call.name for call in reply.calls] == ["move"]


async def test_other_apis_have_no_tool_format(anthropic_server: ModelServer) -> None:
    options = ModelOptions(name="anthropic:x", base_url=anthropic_server.url, tool_format=ToolFormat.HERMES)
    with pytest.raises(ModelAccessError, match="does not have the option tool format"):
        async with Model.open(options):
            pass
