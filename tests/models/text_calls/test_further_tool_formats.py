"""Calls in the forms of further chat templates, and properties that hold in every form."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models import ToolFormat
from codegym_mcp.models.text_calls.call_parsing import parse_calls, text_before_calls
from codegym_mcp.models.text_calls.tool_instructions import CALL_EXAMPLES

TOOLS = [
    ToolView(
        name="move",
        input_schema={
            "type": "object",
            "properties": {
                "floors": {"type": "integer"},
                "label": {"type": "string"},
                "stops": {"type": "array", "items": {}},
                "fast": {"type": "boolean"},
            },
        },
    ),
    ToolView(name="listen", input_schema={"type": "object", "properties": {}}),
]
ONE: list[tuple[str, dict[str, Any]]] = [("move", {"floors": 1})]
TWO = [*ONE, ("listen", {})]
MIXED = [("move", {"label": "Zo\u00eb <x> & {y}, 1", "floors": 2, "stops": [1, {"n": None}], "fast": True})]
DSML = "\uff5cDSML\uff5c"
NS = "]<]minimax[>["

CASES: dict[str, tuple[ToolFormat, str, list[tuple[str, dict[str, Any]]]]] = {
    "harmony": (
        ToolFormat.HARMONY,
        "<|channel|>analysis<|message|>Need to use functions.move.<|end|><|start|>assistant<|channel|>commentary "
        'to=functions.move <|constrain|>json<|message|>{"floors":1}<|call|>',
        ONE,
    ),
    "harmony, the recipient beside the role": (
        ToolFormat.HARMONY,
        '<|start|>assistant to=functions.move<|channel|>commentary json<|message|>{"floors":1}<|call|>',
        ONE,
    ),
    "harmony, the header begins in the prompt": (
        ToolFormat.HARMONY,
        ' to=functions.move<|channel|>commentary <|constrain|>json<|message|>{"floors":1}',
        ONE,
    ),
    "harmony, a preamble and two calls": (
        ToolFormat.HARMONY,
        "<|channel|>commentary<|message|>First up, then listen.<|end|><|start|>assistant<|channel|>commentary "
        'to=functions.move<|constrain|>json<|message|>{"floors":1}<|call|><|start|>assistant<|channel|>commentary '
        "to=functions.listen code<|message|>{}<|call|>",
        TWO,
    ),
    "harmony without its special tokens": (
        ToolFormat.HARMONY,
        "analysisWe go up.assistantcommentary to=functions.move json"
        '{"floors": 1}assistantcommentary to=functions.listen json{}assistantfinalDone.',
        TWO,
    ),
    "harmony, json glued to the name": (
        ToolFormat.HARMONY,
        'analysisGo.assistantcommentary to=functions.movejson{"floors": 1}',
        ONE,
    ),
    "functiongemma": (
        ToolFormat.GEMMA,
        "<start_function_call>call:move{label:<escape>Zo\u00eb <x> & {y}, 1<escape>,floors:2,"
        "stops:[1,{n:null}],fast:true}<end_function_call><start_function_response>",
        MIXED,
    ),
    "gemma 4": (
        ToolFormat.GEMMA,
        '<|channel>thought\nUp? call:listen{}<channel|><|tool_call>call:move{fast:true,floors:2,label:<|"|>Zo\u00eb '
        '<x> & {y}, 1<|"|>,stops:[1,{<|"|>n<|"|>:null}]}<tool_call|><turn|>',
        MIXED,
    ),
    "gemma 4, two calls": (
        ToolFormat.GEMMA,
        "<|tool_call>call:move{floors:1}<tool_call|><|tool_call>call:listen{}<tool_call|>",
        TWO,
    ),
    "gemma, words without marks": (
        ToolFormat.GEMMA,
        "<start_function_call>call:move{label:up,stops:[low, high]}<end_function_call>",
        [("move", {"label": "up", "stops": ["low", "high"]})],
    ),
    "gemma 3": (ToolFormat.GEMMA, "Up.\n```tool_code\nprint(move(floors=1))\n```<end_of_turn>", ONE),
    "gemma 3, a namespace": (ToolFormat.GEMMA, "```tool_code\nprint(default_api.move(floors=1))\n```", ONE),
    "gemma 3, an assignment": (ToolFormat.GEMMA, "```tool_code\nx = move(floors=1)\nprint(x)\n```", ONE),
    "gemma 3, json": (ToolFormat.GEMMA, '```json\n{"name": "move", "parameters": {"floors": 1}}\n```', ONE),
    "minimax m1": (
        ToolFormat.MINIMAX,
        '<think>Hm.</think>\n<tool_calls>\n{"name": "move", "arguments": {"floors": 1}}\n'
        '{"name": "listen", "arguments": {}}\n</tool_calls>',
        TWO,
    ),
    "minimax m2": (
        ToolFormat.MINIMAX,
        '\n<minimax:tool_call>\n<invoke name="move">\n<parameter name="label">Zo\u00eb <x> & {y}, 1</parameter>\n'
        '<parameter name="floors">2</parameter>\n<parameter name="stops">[1, {"n": null}]</parameter>\n'
        '<parameter name="fast">true</parameter>\n</invoke>\n</minimax:tool_call>[e~[\n',
        MIXED,
    ),
    "minimax m2, two calls": (
        ToolFormat.MINIMAX,
        '<minimax:tool_call>\n<invoke name="move">\n<parameter name="floors">1</parameter>\n</invoke>\n'
        '<invoke name="listen">\n</invoke>\n</minimax:tool_call>',
        TWO,
    ),
    "minimax m3": (
        ToolFormat.MINIMAX,
        f'{NS}<tool_call>{NS}<invoke name="move">{NS}<label>Zo\u00eb <x> & {{y}}, 1{NS}</label>{NS}<floors>2{NS}'
        f"</floors>{NS}<stops>{NS}<item>1{NS}</item>{NS}<item>{NS}<n>null{NS}</n>{NS}</item>{NS}</stops>"
        f"{NS}<fast>true{NS}</fast>{NS}</invoke>{NS}</tool_call>",
        MIXED,
    ),
    "deepseek v3.2": (
        ToolFormat.DEEPSEEK,
        f'\n\n<{DSML}function_calls>\n<{DSML}invoke name="move">\n<{DSML}parameter name="label" string="true">12'
        f'</{DSML}parameter>\n<{DSML}parameter name="floors" string="false">1</{DSML}parameter>\n</{DSML}invoke>\n'
        f'<{DSML}invoke name="listen">\n</{DSML}invoke>\n</{DSML}function_calls>',
        [("move", {"label": "12", "floors": 1}), ("listen", {})],
    ),
    "step 3": (
        ToolFormat.STEP,
        "<\uff5ctool_calls_begin\uff5c><\uff5ctool_call_begin\uff5c>function<\uff5ctool_sep\uff5c>"
        '<steptml:invoke name="move"><steptml:parameter name="floors">1</steptml:parameter></steptml:invoke>'
        "<\uff5ctool_call_end\uff5c><\uff5ctool_calls_end\uff5c>",
        ONE,
    ),
    "seed": (
        ToolFormat.QWEN,
        "<seed:think>Up.</seed:think><seed:tool_call>\n<function=move>\n<parameter=floors>1</parameter>\n"
        "</function>\n</seed:tool_call><seed:eos>",
        ONE,
    ),
    "minicpm 5": (
        ToolFormat.QWEN,
        '<function name="move"><param name="label"><![CDATA[a</param>\nb]]></param><param name="floors">1</param>'
        "</function>",
        [("move", {"label": "a</param>\nb", "floors": 1})],
    ),
    "hunyuan a13b": (
        ToolFormat.HUNYUAN,
        '<tool_calls>[{"name": "move", "arguments": {"floors": 1}}, {"name": "listen", "arguments": {}}]</tool_calls>',
        TWO,
    ),
    "hunyuan 3": (
        ToolFormat.HUNYUAN,
        "<tool_calls:opensource>\n<tool_call:opensource>move<tool_sep:opensource>\n<arg_key:opensource>floors"
        "</arg_key:opensource>\n<arg_value:opensource>1</arg_value:opensource>\n</tool_call:opensource>\n"
        "</tool_calls:opensource>",
        ONE,
    ),
    "kimi k3": (
        ToolFormat.KIMI,
        '<|open|>think<|sep|>Up.<|close|>think<|sep|><|open|>tools<|sep|><|open|>call tool="move" index="1"<|sep|>'
        '<|open|>argument key="label" type="string"<|sep|>12<|close|>argument<|sep|><|open|>argument key="floors" '
        'type="number"<|sep|>1<|close|>argument<|sep|><|close|>call<|sep|><|open|>call tool="listen" index="2"<|sep|>'
        "<|close|>call<|sep|><|close|>tools<|sep|><|close|>message<|sep|><|end_of_msg|>",
        [("move", {"label": "12", "floors": 1}), ("listen", {})],
    ),
    "kimi k3, json": (
        ToolFormat.KIMI,
        '<|open|>call tool="move" index="1"<|sep|><|open|>json type="object"<|sep|>{"floors": 1}'
        "<|close|>json<|sep|><|close|>call<|sep|>",
        ONE,
    ),
    "command a": (
        ToolFormat.COHERE,
        "<|START_THINKING|>I go up.<|END_THINKING|><|START_ACTION|>[\n"
        '    {"tool_call_id": "0", "tool_name": "move", "parameters": {"floors": 1}},\n'
        '    {"tool_call_id": "1", "tool_name": "listen", "parameters": {}}\n]<|END_ACTION|><|END_OF_TURN_TOKEN|>',
        TWO,
    ),
    "command r": (
        ToolFormat.COHERE,
        'Plan: go up.\nAction: ```json\n[\n    {\n        "tool_name": "move",\n        "parameters": '
        '{"floors": 1}\n    }\n]\n```',
        ONE,
    ),
    "nemotron": (
        ToolFormat.NEMOTRON,
        '<think>\n</think>\n<TOOLCALL>[{"name": "move", "arguments": {"floors": 1}}]</TOOLCALL>',
        ONE,
    ),
    "internlm": (
        ToolFormat.INTERNLM,
        'Up.<|action_start|><|plugin|>\n{"name": "move", "parameters": {"floors": 1}}<|action_end|>\n',
        ONE,
    ),
    "longcat": (
        ToolFormat.LONGCAT,
        '<longcat_tool_call>\n{"name": "move", "arguments": {"floors": 1}}\n</longcat_tool_call>\n'
        '<longcat_tool_call>\n{"name": "listen", "arguments": {}}\n</longcat_tool_call>',
        TWO,
    ),
    "apertus": (
        ToolFormat.APERTUS,
        '<|inner_prefix|>Up.<|tools_prefix|>[{"listen": {}}]<|inner_suffix|><|tools_prefix|>[{"move": {"floors": 1}}, '
        '{"listen": {}}]<|tools_suffix|>',
        TWO,
    ),
    "gigachat": (
        ToolFormat.GIGACHAT,
        'Up.<|message_sep|>\n\nfunction call<|role_sep|>\n{"name": "move", "arguments": {"floors": 1}}<|message_sep|>',
        ONE,
    ),
    "solar": (
        ToolFormat.SOLAR,
        "<|tool_call:start|>move\n<|tool_arg:start|>floors<|tool_arg:value|>1<|tool_arg:end|>\n<|tool_call:end|>\n"
        "<|tool_call:start|>listen\n<|tool_call:end|>",
        TWO,
    ),
    "xlam": (
        ToolFormat.XLAM,
        'Up:\n```json\n[{"name": "move", "arguments": {"floors": 1}}, {"name": "listen", "arguments": {}}]\n```',
        TWO,
    ),
    "phi 4 mini": (
        ToolFormat.GRANITE,
        '<|tool_call|>{"name": "move", "arguments": {"floors": 1}}<|/tool_call|><|tool_call|>{"name": "listen", '
        '"arguments": {}}<|/tool_call|><|end|>',
        TWO,
    ),
}


@pytest.mark.parametrize(("form", "text", "expected"), CASES.values(), ids=CASES.keys())
def test_calls_are_parsed(form: ToolFormat, text: str, expected: list[tuple[str, dict[str, Any]]]) -> None:
    assert [(call.name, call.arguments) for call in parse_calls(text, form, TOOLS)] == expected


BESIDE: dict[str, tuple[ToolFormat, str, list[tuple[str, dict[str, Any]]]]] = {
    "text behind an unmarked list": (ToolFormat.PYTHONIC, "[move(floors=1)]\nI go up.", ONE),
    "a mark in a Python string": (
        ToolFormat.PYTHONIC,
        "<|tool_call_start|>[move(label='<|tool_call_end|>')]<|tool_call_end|>",
        [("move", {"label": "<|tool_call_end|>"})],
    ),
    "reasoning that begins in the prompt": (
        ToolFormat.HERMES,
        'Perhaps <tool_call>{"name": "listen"}</tool_call>?</think><tool_call>{"name": "move", "arguments": '
        '{"floors": 1}}</tool_call>',
        ONE,
    ),
    "reasoning without an end": (
        ToolFormat.HERMES,
        '<think>Up.\n<tool_call>{"name": "move", "arguments": {"floors": 1}}</tool_call>',
        ONE,
    ),
    "the end of a value within a value": (
        ToolFormat.QWEN,
        "<function=move>\n<parameter=label>\na</parameter>b</function>c\n</parameter>\n</function>",
        [("move", {"label": "a</parameter>b</function>c"})],
    ),
    "arguments as an object in a tag": (ToolFormat.QWEN, '<function=move>{"floors": 1}</function>', ONE),
    "a tag without an end of a value": (
        ToolFormat.MINIMAX,
        '<invoke name="move"><parameter name="floors">1<parameter name="fast">true</parameter></invoke>',
        [("move", {"floors": 1, "fast": True})],
    ),
    "a function without an end": (
        ToolFormat.QWEN,
        "<function=move>\n<parameter=floors>\n1\n</parameter>\n",
        ONE,
    ),
    "two objects, a mark in the second": (
        ToolFormat.HERMES,
        '<tool_call>{"name": "listen"}\n{"name": "move", "arguments": {"label": "</tool_call>"}}</tool_call>',
        [("listen", {}), ("move", {"label": "</tool_call>"})],
    ),
    "an unknown tool in a namespace": (
        ToolFormat.HARMONY,
        "<|channel|>commentary to=functions.fly<|message|>{}<|call|>",
        [("functions.fly", {})],
    ),
}


@pytest.mark.parametrize(("form", "text", "expected"), BESIDE.values(), ids=BESIDE.keys())
def test_calls_beside_the_template_are_parsed(
    form: ToolFormat, text: str, expected: list[tuple[str, dict[str, Any]]]
) -> None:
    assert [(call.name, call.arguments) for call in parse_calls(text, form, TOOLS)] == expected


MALFORMED = {
    "harmony": (ToolFormat.HARMONY, "<|channel|>commentary to=functions.move<|message|>"),
    "harmony, no object": (
        ToolFormat.HARMONY,
        "<|channel|>commentary to=functions.move<|message|>up<|call|>",
    ),
    "gemma": (ToolFormat.GEMMA, "<start_function_call>call:move{label:<escape>half"),
    "gemma 4": (ToolFormat.GEMMA, "<|tool_call>call:move{floors:1<tool_call|>"),
    "minimax": (ToolFormat.MINIMAX, '<minimax:tool_call>\n<invoke name="move">\n<parameter name="label">ha'),
    "minimax, text between": (ToolFormat.MINIMAX, '<invoke name="move">floors: 1</invoke>'),
    "minimax m3": (ToolFormat.MINIMAX, f'{NS}<invoke name="move">{NS}<floors>1{NS}</floors>'),
    "qwen, no argument yet": (ToolFormat.QWEN, "<tool_call>\n<function=move>\n"),
    "qwen, an argument twice": (
        ToolFormat.QWEN,
        "<function=move><parameter=floors>1</parameter><parameter=floors>2</parameter></function>",
    ),
    "kimi k3": (ToolFormat.KIMI, '<|open|>call tool="move" index="1"<|sep|><|open|>argument key="label"'),
    "kimi k2": (ToolFormat.KIMI, "<|tool_call_begin|>functions.move:0<|tool_call_argument_begin|>"),
    "cohere": (ToolFormat.COHERE, '<|START_ACTION|>[{"tool_name": "move", "parameters": {"floors":'),
    "solar": (ToolFormat.SOLAR, "<|tool_call:start|>move\n<|tool_arg:start|>label<|tool_arg:value|>ha"),
}


@pytest.mark.parametrize(("form", "text"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_call_that_cannot_be_read_is_malformed(form: ToolFormat, text: str) -> None:
    (call,) = parse_calls(text, form, TOOLS)
    assert (call.name, call.arguments) == ("move", None)
    assert call.problem
    assert call.raw


MARKS = [
    *(
        "</tool_call>",
        "<tool_call>",
        "</parameter>",
        "</function>",
        "</invoke>",
        "</arg_value>",
        "<|call|>",
        "```",
    ),
    *(
        "<think>",
        "</think>",
        "<|im_end|>",
        "</s>",
        "<|end|>",
        "<end_function_call>",
        "<tool_call|>",
        "[TOOL_CALLS]",
    ),
    *(
        "<|tool_call_end|>",
        "<|START_ACTION|>",
        "<|tools_suffix|>",
        "]",
        "}",
        '"',
        "'",
        "\\",
        "\n",
        ",",
        ":",
        "&amp;",
    ),
]
WORDS = ["up", "Zo\u00eb", "\u6f22\u5b57", "\U0001f514", "\u2028", "1", "true", " "]
TEXTS = st.lists(st.sampled_from([*MARKS, *WORDS]), max_size=6).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.fixed_dictionaries(
    {}, optional={"floors": st.integers(), "label": TEXTS, "stops": st.lists(VALUES), "fast": st.booleans()}
)
JSON_FORMS = [form for form in ToolFormat if '"PARAMETER": 1}' in CALL_EXAMPLES[form]]
TAGGED_FORMS = {
    ToolFormat.QWEN: "<parameter=PARAMETER>\n1\n</parameter>\n",
    ToolFormat.GLM: "<arg_key>PARAMETER</arg_key>\n<arg_value>1</arg_value>\n",
    ToolFormat.MINIMAX: '<parameter name="PARAMETER">1</parameter>\n',
    ToolFormat.STEP: '<steptml:parameter name="PARAMETER">1</steptml:parameter>',
    ToolFormat.SOLAR: "<|tool_arg:start|>PARAMETER<|tool_arg:value|>1<|tool_arg:end|>\n",
}
"""The part of each example that is repeated for each argument."""
CLOSED_CALL = re.compile(r"</(?:parameter|arg_value)>\s*</|</tool_call>\s*<tool_call>")
"""Ends of values and calls that cannot be told apart from text without quotes."""


def write_json(form: ToolFormat, arguments: dict[str, Any], *, escaped: bool) -> str:
    """Writes a call in the form of the example, whose arguments are JSON."""
    written = json.dumps(arguments, ensure_ascii=escaped)
    return CALL_EXAMPLES[form].replace("NAME", "move").replace('{"PARAMETER": 1}', written)


def write_tagged(form: ToolFormat, arguments: dict[str, Any]) -> str:
    """Writes a call in the form of the example, with one part for each argument."""
    example = CALL_EXAMPLES[form].replace("NAME", "move")
    part = TAGGED_FORMS[form]
    assert part in example
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in arguments.items()}
    head, _, tail = part.rpartition("1")
    parts = [f"{head.replace('PARAMETER', key)}{value}{tail}" for key, value in values.items()]
    return example.replace(part, "".join(parts))


few = settings(max_examples=25)


@pytest.mark.parametrize("form", JSON_FORMS)
@few
@given(arguments=st.lists(ARGUMENTS, min_size=1, max_size=2), escaped=st.booleans())
def test_any_json_arguments_are_read_as_they_were_written(
    form: ToolFormat, arguments: list[dict[str, Any]], escaped: bool
) -> None:
    text = "\n".join(write_json(form, each, escaped=escaped) for each in arguments)
    assert [(call.name, call.arguments) for call in parse_calls(text, form, TOOLS)] == [
        ("move", each) for each in arguments
    ]


def is_unambiguous(arguments: dict[str, Any]) -> bool:
    return bool(arguments) and not CLOSED_CALL.search(json.dumps(arguments))


@pytest.mark.parametrize("form", TAGGED_FORMS)
@few
@given(arguments=st.lists(ARGUMENTS.filter(is_unambiguous), min_size=1, max_size=2))
def test_any_tagged_arguments_are_read_as_they_were_written(
    form: ToolFormat, arguments: list[dict[str, Any]]
) -> None:
    text = "Up.\n" + "\n".join(write_tagged(form, each) for each in arguments)
    found = parse_calls(text, form, TOOLS)
    assert [call.name for call in found] == ["move"] * len(arguments)
    for call, each in zip(found, arguments, strict=True):
        assert call.arguments is not None
        assert {**call.arguments, "label": None} == {**each, "label": None}
        assert call.arguments.get("label", "").strip() == each.get("label", "").strip()


@pytest.mark.parametrize("form", ToolFormat)
@few
@given(
    label=st.lists(st.sampled_from(WORDS), min_size=1).map("".join),
    fast=st.booleans(),
    share=st.floats(0, 1),
)
def test_a_call_that_is_cut_off_is_never_another_call(
    form: ToolFormat, label: str, fast: bool, share: float
) -> None:
    arguments: dict[str, Any] = {"label": label, "fast": fast}
    if form in JSON_FORMS:
        text = write_json(form, arguments, escaped=False)
    elif form in TAGGED_FORMS:
        text = write_tagged(form, arguments)
    else:
        text = CALL_EXAMPLES[form].replace("NAME", "move").replace("PARAMETER", "floors")
        arguments = {"floors": 1}
    for call in parse_calls(text[: int(len(text) * share)], form, TOOLS):
        if call.arguments is not None and call.name == "move":
            # The end of a call with tags may be missing, so that one behind a whole argument is read.
            assert call.arguments == arguments or (
                form in TAGGED_FORMS and call.arguments == {"label": label}
            )


@pytest.mark.parametrize("form", ToolFormat)
@few
@given(text=st.lists(st.sampled_from([*MARKS, *WORDS, *CALL_EXAMPLES.values()]), max_size=8).map("".join))
def test_no_text_is_an_error(form: ToolFormat, text: str) -> None:
    calls = parse_calls(text, form, TOOLS)
    assert all(call.problem or call.arguments is not None for call in calls)
    before = text_before_calls(text, form, TOOLS)
    assert text.startswith(before)
    assert bool(calls) or before == text


BEFORE = {
    ToolFormat.HARMONY: "<|channel|>analysis<|message|>Up.<|end|>",
    ToolFormat.GEMMA: "Up.",
    ToolFormat.MINIMAX: "<think>\nHm.\n</think>\n\nUp.",
    ToolFormat.STEP: "Up.",
    ToolFormat.COHERE: "<|START_THINKING|>Up.<|END_THINKING|>",
    ToolFormat.SOLAR: "Up.",
    ToolFormat.APERTUS: "<|inner_prefix|>Up.<|inner_suffix|>",
}


@pytest.mark.parametrize("form", BEFORE)
def test_the_text_before_calls_is_found(form: ToolFormat) -> None:
    call = CALL_EXAMPLES[form].replace("NAME", "move").replace("PARAMETER", "floors")
    assert text_before_calls(f"{BEFORE[form]}\n{call}", form, TOOLS) == BEFORE[form]
