"""Calls that models write as text, in the forms of their public chat templates."""

from typing import Any

import pytest

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.errors import ModelAccessError, ModelError
from codegym_mcp.models import Model, ModelOptions, ToolFormat
from codegym_mcp.models.text_calls.call_parsing import parse_calls, text_before_calls
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


MOVE = '{"name": "move", "arguments": {"floors": 1}}'
LISTEN = '{"name": "listen", "arguments": {}}'

DEVIATIONS: list[tuple[str, ToolFormat, str, list[tuple[str, dict[str, Any]]]]] = [
    ("hermes fence in tag", ToolFormat.HERMES, f"<tool_call>\n```json\n{MOVE}\n```\n</tool_call>", ONE),
    ("hermes im_end left", ToolFormat.HERMES, f"<tool_call>{MOVE}</tool_call><|im_end|>", ONE),
    ("hermes unclosed im_end", ToolFormat.HERMES, f"<tool_call>\n{MOVE}<|im_end|>", ONE),
    ("hermes list in tag", ToolFormat.HERMES, f"<tool_call>[{MOVE}, {LISTEN}]</tool_call>", TWO),
    ("hermes two objects in one tag", ToolFormat.HERMES, f"<tool_call>\n{MOVE}\n{LISTEN}\n</tool_call>", TWO),
    (
        "hermes python dict",
        ToolFormat.HERMES,
        "<tool_call>{'name': 'move', 'arguments': {'floors': 1}}</tool_call>",
        ONE,
    ),
    (
        "hermes py literals",
        ToolFormat.HERMES,
        '<tool_call>{"name": "move", "arguments": {"fast": True, "label": None}}</tool_call>',
        [("move", {"fast": True, "label": None})],
    ),
    (
        "hermes parameters",
        ToolFormat.HERMES,
        '<tool_call>{"name": "move", "parameters": {"floors": 1}}</tool_call>',
        ONE,
    ),
    (
        "hermes function wrapper",
        ToolFormat.HERMES,
        '<tool_call>{"type":"function","function":{"name": "move", "arguments": {"floors": 1}}}</tool_call>',
        ONE,
    ),
    (
        "hermes tag in string",
        ToolFormat.HERMES,
        '<tool_call>{"name": "move", "arguments": {"label": "a</tool_call>b"}}</tool_call>',
        [("move", {"label": "a</tool_call>b"})],
    ),
    (
        "hermes raw newline in string",
        ToolFormat.HERMES,
        '<tool_call>{"name": "move", "arguments": {"label": "a\nb"}}</tool_call>',
        [("move", {"label": "a\nb"})],
    ),
    (
        "hermes doubled args string",
        ToolFormat.HERMES,
        '<tool_call>{"name": "move", "arguments": "{\\"floors\\": 1}"}</tool_call>',
        ONE,
    ),
    (
        "hermes trailing comma",
        ToolFormat.HERMES,
        '<tool_call>{"name": "move", "arguments": {"floors": 1,}}</tool_call>',
        ONE,
    ),
    (
        "hermes arguments null",
        ToolFormat.HERMES,
        '<tool_call>{"name": "listen", "arguments": null}</tool_call>',
        [("listen", {})],
    ),
    ("hermes extra brace", ToolFormat.HERMES, f"<tool_call>{MOVE}}}</tool_call>", ONE),
    (
        "hermes second think",
        ToolFormat.HERMES,
        f"<think>a</think>x<think>b <tool_call>{LISTEN}</tool_call></think><tool_call>{MOVE}</tool_call>",
        ONE,
    ),
    ("hermes call then think", ToolFormat.HERMES, f"<tool_call>{MOVE}</tool_call><think>done</think>", ONE),
    (
        "hermes gemma thinking tag",
        ToolFormat.HERMES,
        f"<thinking>maybe <tool_call>{LISTEN}</tool_call></thinking><tool_call>{MOVE}</tool_call>",
        ONE,
    ),
    (
        "hermes mistral think",
        ToolFormat.MISTRAL,
        f"[THINK]maybe [TOOL_CALLS][{LISTEN}][/THINK][TOOL_CALLS][{MOVE}]",
        ONE,
    ),
    (
        "qwen function without tool_call",
        ToolFormat.QWEN,
        "<function=move>\n<parameter=floors>\n1\n</parameter>\n</function>",
        ONE,
    ),
    (
        "qwen int as string schema",
        ToolFormat.QWEN,
        "<tool_call><function=move><parameter=floors>1</function></tool_call>",
        ONE,
    ),
    (
        "qwen mixed",
        ToolFormat.QWEN,
        f"<tool_call>{MOVE}</tool_call><tool_call><function=listen></function></tool_call>",
        TWO,
    ),
    (
        "qwen quoted name",
        ToolFormat.QWEN,
        '<tool_call><function="move"><parameter="floors">1</parameter></function></tool_call>',
        ONE,
    ),
    (
        "qwen python list",
        ToolFormat.QWEN,
        "<tool_call><function=move><parameter=stops>['a', 1]</parameter></function></tool_call>",
        [("move", {"stops": ["a", 1]})],
    ),
    (
        "glm py list",
        ToolFormat.GLM,
        "<tool_call>move<arg_key>stops</arg_key><arg_value>['a']</arg_value></tool_call>",
        [("move", {"stops": ["a"]})],
    ),
    ("llama eot", ToolFormat.LLAMA3, '{"name": "move", "parameters": {"floors": 1}}<|eot_id|>', ONE),
    (
        "llama eom py tag",
        ToolFormat.LLAMA3,
        '<|python_tag|>{"name": "move", "parameters": {"floors": 1}}<|eom_id|>',
        ONE,
    ),
    (
        "llama header",
        ToolFormat.LLAMA3,
        '<|start_header_id|>assistant<|end_header_id|>\n\n{"name": "move", "parameters": {"floors": 1}}<|eot_id|>',
        ONE,
    ),
    ("llama fence", ToolFormat.LLAMA3, '```json\n{"name": "move", "parameters": {"floors": 1}}\n```', ONE),
    ("llama list", ToolFormat.LLAMA3, f"[{MOVE}, {LISTEN}]", TWO),
    ("llama prose", ToolFormat.LLAMA3, 'I will go.\n{"name": "move", "parameters": {"floors": 1}}', ONE),
    ("llama func tag", ToolFormat.LLAMA3, '<function=move>{"floors": 1}</function>', ONE),
    ("llama func tag eom", ToolFormat.LLAMA3, '<function=move>{"floors": 1}</function><|eom_id|>', ONE),
    ("llama newline separated", ToolFormat.LLAMA3, f"{MOVE}\n{LISTEN}", TWO),
    (
        "llama python literals",
        ToolFormat.LLAMA3,
        '{"name": "move", "parameters": {"fast": True}}',
        [("move", {"fast": True})],
    ),
    (
        "llama stringified params",
        ToolFormat.LLAMA3,
        '{"name": "move", "parameters": "{\\"floors\\": 1}"}',
        ONE,
    ),
    ("llama function key", ToolFormat.LLAMA3, '{"function": "move", "parameters": {"floors": 1}}', ONE),
    (
        "llama type fn",
        ToolFormat.LLAMA3,
        '{"type": "function", "function": {"name": "move", "parameters": {"floors": 1}}}',
        ONE,
    ),
    ("mistral eos", ToolFormat.MISTRAL, f"[TOOL_CALLS][{MOVE}]</s>", ONE),
    ("mistral fence", ToolFormat.MISTRAL, f"[TOOL_CALLS]```json\n[{MOVE}]\n```", ONE),
    ("mistral two lists", ToolFormat.MISTRAL, f"[TOOL_CALLS][{MOVE}][TOOL_CALLS][{LISTEN}]", TWO),
    ("mistral args no obj", ToolFormat.MISTRAL, "[TOOL_CALLS]listen[ARGS]", [("listen", {})]),
    (
        "mistral [ARGS] text in string",
        ToolFormat.MISTRAL,
        '[TOOL_CALLS]move[ARGS]{"label": "[TOOL_CALLS]x{"}',
        [("move", {"label": "[TOOL_CALLS]x{"})],
    ),
    ("mistral spaced", ToolFormat.MISTRAL, '[TOOL_CALLS] move [ARGS] {"floors": 1}', ONE),
    ("py eot", ToolFormat.PYTHONIC, "[move(floors=1)]<|eot_id|>", ONE),
    ("py im_end", ToolFormat.PYTHONIC, "<|tool_call_start|>[move(floors=1)]<|tool_call_end|><|im_end|>", ONE),
    (
        "py prose after",
        ToolFormat.PYTHONIC,
        "<|tool_call_start|>[move(floors=1)]<|tool_call_end|>Moving up now.",
        ONE,
    ),
    (
        "py prose before",
        ToolFormat.PYTHONIC,
        "Moving.<|tool_call_start|>[move(floors=1)]<|tool_call_end|>",
        ONE,
    ),
    (
        "py json lits",
        ToolFormat.PYTHONIC,
        "[move(fast=true, label=null)]",
        [("move", {"fast": True, "label": None})],
    ),
    ("py fence", ToolFormat.PYTHONIC, "```python\n[move(floors=1)]\n```", ONE),
    ("py tool_code", ToolFormat.PYTHONIC, "```tool_code\nmove(floors=1)\n```", ONE),
    ("py lines", ToolFormat.PYTHONIC, "move(floors=1)\nlisten()", TWO),
    (
        "py two fc lines",
        ToolFormat.PYTHONIC,
        "<function_calls>\nmove(floors=1)\nlisten()\n</function_calls>",
        TWO,
    ),
    ("py comma", ToolFormat.PYTHONIC, "move(floors=1), listen()", TWO),
    ("py mark in string", ToolFormat.PYTHONIC, "[move(label='```x```')]", [("move", {"label": "```x```"})]),
    ("py negative", ToolFormat.PYTHONIC, "[move(floors=-1)]", [("move", {"floors": -1})]),
    ("py tuple set", ToolFormat.PYTHONIC, "[move(stops=(1,2))]", [("move", {"stops": [1, 2]})]),
    (
        "ds eos",
        ToolFormat.DEEPSEEK,
        deepseek(
            '<|tool calls begin|><|tool call begin|>move<|tool sep|>{"floors": 1}<|tool call end|><|tool calls end|>'
        )
        + f"<{BAR}end{BLOCK}of{BLOCK}sentence{BAR}>",
        ONE,
    ),
    (
        "ds function no fence",
        ToolFormat.DEEPSEEK,
        deepseek('<|tool call begin|>function<|tool sep|>move\n{"floors": 1}<|tool call end|>'),
        ONE,
    ),
    (
        "ds fence v31",
        ToolFormat.DEEPSEEK,
        deepseek('<|tool call begin|>move<|tool sep|>```json\n{"floors": 1}\n```<|tool call end|>'),
        ONE,
    ),
    (
        "ds trunc eos",
        ToolFormat.DEEPSEEK,
        deepseek('<|tool call begin|>move<|tool sep|>{"floors": 1}')
        + f"<{BAR}end{BLOCK}of{BLOCK}sentence{BAR}>",
        ONE,
    ),
    (
        "ds ascii",
        ToolFormat.DEEPSEEK,
        '<|tool_calls_begin|><|tool_call_begin|>move<|tool_sep|>{"floors": 1}<|tool_call_end|>',
        ONE,
    ),
    (
        "kimi eos",
        ToolFormat.KIMI,
        '<|tool_calls_section_begin|><|tool_call_begin|>functions.move:0<|tool_call_argument_begin|>{"floors": 1}<|tool_call_end|><|tool_calls_section_end|><|im_end|>',
        ONE,
    ),
    (
        "kimi noend",
        ToolFormat.KIMI,
        '<|tool_call_begin|>functions.move:0<|tool_call_argument_begin|>{"floors": 1}<|tool_calls_section_end|>',
        ONE,
    ),
    (
        "kimi name colon",
        ToolFormat.KIMI,
        '<|tool_call_begin|>move:12<|tool_call_argument_begin|>{"floors": 1}<|tool_call_end|>',
        ONE,
    ),
    (
        "kimi fence",
        ToolFormat.KIMI,
        '<|tool_call_begin|>functions.move:0<|tool_call_argument_begin|>```json\n{"floors": 1}\n```<|tool_call_end|>',
        ONE,
    ),
    ("granite eot", ToolFormat.GRANITE, f"<|tool_call|>[{MOVE}]<|end_of_text|>", ONE),
    ("granite closing", ToolFormat.GRANITE, f"<tool_call>[{MOVE}]</tool_call>", ONE),
    (
        "granite 4 two tags",
        ToolFormat.GRANITE,
        f"<tool_call>{MOVE}</tool_call><tool_call>{LISTEN}</tool_call>",
        TWO,
    ),
    ("granite fence", ToolFormat.GRANITE, f"<|tool_call|>```json\n[{MOVE}]\n```", ONE),
    (
        "granite string args",
        ToolFormat.GRANITE,
        '<|tool_call|>[{"name": "move", "arguments": "{\\"floors\\": 1}"}]',
        ONE,
    ),
    ("granite py", ToolFormat.GRANITE, "<|tool_call|>[{'name': 'move', 'arguments': {'floors': 1}}]", ONE),
    ("py print", ToolFormat.PYTHONIC, "```tool_code\nprint(move(floors=1))\n```", ONE),
]


@pytest.mark.parametrize(
    ("form", "text", "expected"), [case[1:] for case in DEVIATIONS], ids=[case[0] for case in DEVIATIONS]
)
def test_calls_beside_the_template_are_parsed(
    form: ToolFormat, text: str, expected: list[tuple[str, dict[str, Any]]]
) -> None:
    calls = parse_calls(text, form, TOOLS)
    assert [(call.name, call.arguments) for call in calls] == expected


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


BEFORE = [
    (ToolFormat.HERMES, "I go up.\n<tool_call>\n{CALL}\n</tool_call>", "I go up."),
    (ToolFormat.HERMES, "<think>\nUp?\n</think>\n\n<tool_call>{CALL}</tool_call>", "<think>\nUp?\n</think>"),
    (ToolFormat.HERMES, "I go [up].", "I go [up]."),
    (ToolFormat.LLAMA3, "{CALL}", ""),
    (ToolFormat.LLAMA3, "<|python_tag|>{CALL}", ""),
    (ToolFormat.MISTRAL, "I go up.[TOOL_CALLS][{CALL}]", "I go up."),
    (ToolFormat.PYTHONIC, "I go up.\n[move(floors=1)]", "I go up."),
    (ToolFormat.PYTHONIC, "I go up.\n<function_calls>\nmove(floors=1)\n</function_calls>", "I go up."),
    (ToolFormat.QWEN, "Up.\n\n<tool_call>\n<function=move>\n</function>\n</tool_call>", "Up."),
    (
        ToolFormat.DEEPSEEK,
        deepseek("Up.<|tool calls begin|><|tool call begin|>move<|tool sep|>{}<|tool call end|>"),
        "Up.",
    ),
    (
        ToolFormat.KIMI,
        "Up.<|tool_calls_section_begin|><|tool_call_begin|>functions.move:0<|tool_call_argument_begin|>{}",
        "Up.",
    ),
]


@pytest.mark.parametrize(
    ("form", "text", "expected"), BEFORE, ids=[f"{each[0]}-{each[1][:30]}" for each in BEFORE]
)
def test_the_text_before_calls_is_found(form: ToolFormat, text: str, expected: str) -> None:
    call = '{"name": "move", "arguments": {"floors": 1}}'
    assert text_before_calls(text.replace("{CALL}", call), form, TOOLS) == expected


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
    (ToolFormat.QWEN, "<tool_call><function=move><parameter=label>half a te"),
    (ToolFormat.GLM, "<tool_call>move<arg_key>floors</arg_key><arg_val"),
    (ToolFormat.MISTRAL, "[TOOL_CALLS]move"),
    (ToolFormat.PYTHONIC, "[move(floors=1, floors=2)]"),
    (ToolFormat.PYTHONIC, "[move(floors=1); listen()]"),
    (ToolFormat.HERMES, '<tool_call>{{"name": "move", "arguments": {"floors": 1}}}</tool_call>'),
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


WRITTEN = {"say": {"text": '<tool_call>{"name": "listen", "arguments": {}}</tool_call>'}}


async def play(openai: Endpoint, *actions: dict[str, Any]) -> dict[str, Any]:
    """Lets a model call a tool twice and answers it; returns the last request."""
    async with openai.model(*actions, tool_format=ToolFormat.HERMES) as model:
        conversation = model.conversation("Be brief.")
        conversation.say("Listen.")
        for made in (await model.request(conversation, TOOLS)).calls:
            conversation.answer(made, "one")
            conversation.answer(made, "two")
        await model.request(conversation, TOOLS)
    return openai.bodies(model)[-1]


@pytest.mark.parametrize(
    "message",
    ["registry.ollama.ai/library/gemma:2b does not support tools", "tools are not supported by this model"],
)
async def test_a_model_without_tools_is_told_of_them_in_the_system_prompt(
    openai: Endpoint, message: str
) -> None:
    refused = {"status": 400, "body": {"error": {"message": message}}}
    last = await play(openai, refused, WRITTEN, {"say": {"text": "done"}})
    assert not {"tools", "tool_choice"} & last.keys()
    system, task, said, results = last["messages"]
    assert system["content"].startswith("Be brief.\n\nTools:\n")
    assert '"name": "listen"' in system["content"]
    assert [task["role"], said["role"], results["role"]] == ["user", "assistant", "user"]
    assert results["content"] == (
        "<tool_response>\none\n</tool_response>\n<tool_response>\ntwo\n</tool_response>"
    )


async def test_without_a_form_a_model_without_tools_is_an_error_with_a_hint(openai: Endpoint) -> None:
    refused = {"status": 404, "body": {"error": {"message": "No endpoints found that support tool use."}}}
    async with openai.model(refused) as model:
        conversation = model.conversation()
        conversation.say("Listen.")
        with pytest.raises(ModelError, match="choose their form: --tool-format"):
            await model.request(conversation, TOOLS)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."),
        (500, "Conversation roles must alternate user/assistant/user/assistant/..."),
    ],
)
async def test_a_server_that_refuses_results_receives_messages_of_the_user(
    openai: Endpoint, status: int, message: str
) -> None:
    refused = {"status": status, "body": {"error": {"message": message}}}
    last = await play(openai, WRITTEN, refused, {"say": {"text": "done"}})
    assert "tools" in last
    assert [message["role"] for message in last["messages"]] == ["system", "user", "assistant", "user"]


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
