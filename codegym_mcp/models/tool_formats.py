"""Parses tool calls that a model writes as text, for servers that do not parse them.

The formats are those of the models' public chat templates. A call that is marked as one but cannot be read is
returned with `arguments` None, so that it is recorded and answered like any malformed call.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any

from codegym_mcp.episode_interface import ToolView
from codegym_mcp.models.call_arguments import CallArguments, parse_arguments
from codegym_mcp.models.model_messages import ModelToolCall


class ToolFormat(StrEnum):
    """The forms in which models write calls."""

    HERMES = "hermes"
    """`<tool_call>{"name": …, "arguments": {…}}</tool_call>`: Hermes, Qwen 2.5 and 3."""
    QWEN = "qwen"
    """`<tool_call><function=NAME><parameter=KEY>VALUE</parameter></function></tool_call>`: Qwen3-Coder; also
    the form of Hermes."""
    LLAMA3 = "llama3"
    """`{"name": …, "parameters": {…}}`, several separated by `;`: Llama 3.1 and later."""
    MISTRAL = "mistral"
    """`[TOOL_CALLS][{"name": …, "arguments": {…}}]` or `[TOOL_CALLS]NAME[ARGS]{…}`."""
    PYTHONIC = "pythonic"
    """`[name(key=value), …]`: Llama 3.2 and 4, LFM2, OLMo 3."""
    DEEPSEEK = "deepseek"
    """DeepSeek V3 and R1."""
    GLM = "glm"
    """`<tool_call>NAME<arg_key>KEY</arg_key><arg_value>VALUE</arg_value></tool_call>`: GLM 4.5 and later."""
    KIMI = "kimi"
    """`<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{…}<|tool_call_end|>`: Kimi K2."""
    GRANITE = "granite"
    """`<|tool_call|>[{"name": …, "arguments": {…}}]`: Granite; also `functools[…]`: Phi 4 mini."""


Written = tuple[str, CallArguments]
"""The name and the arguments of a call."""
Parser = Callable[[str, Sequence[ToolView]], Iterator[Written]]

_THOUGHTS = re.compile(r"^.*</think>", re.DOTALL)


def parse_calls(text: str, form: ToolFormat, tools: Sequence[ToolView]) -> list[ModelToolCall]:
    """Parses the tool calls in a text.

    Args:
        text: the visible text of a reply. Reasoning in it, up to `</think>`, is ignored.
        tools: the tools that were offered; their schemas give the types of values written without quotes.
    """
    found = _PARSERS[form](_THOUGHTS.sub("", text), tools)
    return [
        ModelToolCall(f"call_{number}", name, arguments.raw, arguments.data, arguments.problem)
        for number, (name, arguments) in enumerate(found, start=1)
    ]


_TOOL_CALL = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|(?=<tool_call>)|\Z)", re.DOTALL)
_FUNCTION = re.compile(r"<function=([^>]*)>(.*?)(?:</function>|(?=<function=)|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([^>]*)>(.*?)(?:</parameter>|(?=<parameter=)|\Z)", re.DOTALL)
_ARGUMENT = re.compile(r"<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>", re.DOTALL)
_MISTRAL_CALL = re.compile(r"\[TOOL_CALLS\]\s*([^\[{\s]+)\s*(?:\[CALL_ID\][^\[{]*)?(?:\[ARGS\])?\s*(?=\{)")
_BAR, _BLOCK = "\uff5c", "\u2581"
"""DeepSeek's substitutes for the vertical bar and the space in special tokens."""
_DEEPSEEK_CALL = re.compile(
    rf"<{_BAR}tool{_BLOCK}call{_BLOCK}begin{_BAR}>(.*?)<{_BAR}tool{_BLOCK}sep{_BAR}>(.*?)"
    rf"(?:<{_BAR}tool{_BLOCK}call{_BLOCK}end{_BAR}>|\Z)",
    re.DOTALL,
)
_KIMI_CALL = re.compile(
    r"<\|tool_call_begin\|>\s*(?:functions\.)?(.*?)(?::\d+)?\s*<\|tool_call_argument_begin\|>(.*?)"
    r"(?:<\|tool_call_end\|>|\Z)",
    re.DOTALL,
)
_FENCE = re.compile(r"^\s*(\S+)\s*```(?:json)?\s*(.*?)\s*(?:```\s*)?\Z", re.DOTALL)
_GRANITE_MARK = re.compile(r"<\|tool_call\|>|<tool_call>|functools")
_PYTHON_MARKS = re.compile(
    r"<\|tool_call_(?:start|end)\|>|<\|python_(?:start|end|tag)\|>|</?function_calls>|```(?:python)?"
)


def _hermes(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    for match in _TOOL_CALL.finditer(text):
        yield _read_object(match[1])


def _qwen(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    functions = list(_FUNCTION.finditer(text))
    if not functions:
        yield from _hermes(text, tools)
    for function in functions:
        name = function[1].strip()
        pairs = [(match[1].strip(), _strip_newline(match[2])) for match in _PARAMETER.finditer(function[2])]
        yield name, _read_values(name, pairs, tools)


def _glm(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    for match in _TOOL_CALL.finditer(text):
        name = match[1].partition("<arg_key>")[0].strip()
        pairs = [(pair[1].strip(), pair[2]) for pair in _ARGUMENT.finditer(match[1])]
        yield name, _read_values(name, pairs, tools)


def _llama3(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    rest = text.replace("<|python_tag|>", "").strip()
    if not rest.startswith("{"):
        return
    for written in _read_sequence(rest):
        name, arguments = _read_object(written)
        if name:
            yield name, arguments


def _mistral(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    matches = list(_MISTRAL_CALL.finditer(text))
    for match in matches:
        yield match[1], parse_arguments(_first_object(text[match.end() :]))
    rest = text.partition("[TOOL_CALLS]")[2]
    if not matches and rest:
        yield from _read_list(rest)


def _granite(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    mark = _GRANITE_MARK.search(text)
    if mark is not None:
        yield from _read_list(text[mark.end() :])


def _deepseek(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    for match in _DEEPSEEK_CALL.finditer(text):
        fenced = _FENCE.match(match[2]) if match[1].strip() == "function" else None
        if fenced is not None:
            yield fenced[1], parse_arguments(fenced[2])
        else:
            yield match[1].strip(), parse_arguments(match[2].strip())


def _kimi(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    for match in _KIMI_CALL.finditer(text):
        yield match[1].strip(), parse_arguments(match[2].strip())


def _pythonic(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    marked = bool(_PYTHON_MARKS.search(text))
    source = _PYTHON_MARKS.sub("", text).strip()
    names = {tool.name for tool in tools}
    if not source.startswith("[") and not any(source.startswith(f"{name}(") for name in names):
        return
    try:
        tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        name = re.match(r"\[?\s*([\w.]+)\(", source)
        if name is not None and (marked or name[1] in names):
            yield name[1], CallArguments(source, None, f"the call is not a Python expression: {error}")
        return
    for node in tree.elts if isinstance(tree, ast.List) else [tree]:
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), _read_keywords(node, source)


def _read_keywords(node: ast.Call, source: str) -> CallArguments:
    raw = ast.get_source_segment(source, node) or source
    if node.args:
        return CallArguments(raw, None, "arguments without names")
    try:
        values = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords}
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        return CallArguments(raw, None, f"an argument is not a literal: {error}")
    if None in values:
        return CallArguments(raw, None, "arguments without names")
    parsed = parse_arguments(values)
    return CallArguments(raw, parsed.data, parsed.problem)


def _read_object(written: str) -> Written:
    """Reads `{"name": …, "arguments" or "parameters": …}`."""
    try:
        call = json.loads(_first_object(written))
    except (ValueError, RecursionError) as error:
        name = re.search(r'"name"\s*:\s*"([^"\\]*)"', written)
        return name[1] if name else "", CallArguments(written, None, " ".join(str(error).split()))
    return _read_mapping(call, written)


def _read_mapping(call: Any, written: str) -> Written:
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return "", CallArguments(written, None, "the call has no name")
    return call["name"], parse_arguments(call.get("arguments", call.get("parameters")))


def _read_list(written: str) -> Iterator[Written]:
    """Reads a list of objects, or one object."""
    written = written.strip()
    try:
        calls, _ = json.JSONDecoder().raw_decode(written)
    except (ValueError, RecursionError):
        yield _read_object(written)
        return
    for call in calls if isinstance(calls, list) else [calls]:
        yield _read_mapping(call, written)


def _read_sequence(written: str) -> Iterator[str]:
    """Returns the objects of a text in which they follow each other, separated by `;` or spaces."""
    while written:
        first = _first_object(written)
        yield first
        written = written[len(first) :].lstrip("; \n\t,")
        if not written.startswith("{"):
            return


def _read_values(name: str, pairs: Sequence[tuple[str, str]], tools: Sequence[ToolView]) -> CallArguments:
    """Reads values that are written without quotes, by the types in the tool's schema."""
    schema = next((tool.input_schema for tool in tools if tool.name == name), {})
    properties = schema.get("properties", {})
    return parse_arguments({key: _read_value(text, properties.get(key, {})) for key, text in pairs})


def _read_value(text: str, schema: dict[str, Any]) -> Any:
    if schema.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return {"True": True, "False": False, "None": None}.get(text.strip(), text)


def _strip_newline(text: str) -> str:
    """Removes the line breaks that the template puts around a value."""
    return text.removeprefix("\n").removesuffix("\n")


def _first_object(text: str) -> str:
    """Returns the first JSON value of a text, or the whole text if it is not complete."""
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return text
    return text[:end]


_PARSERS: dict[ToolFormat, Parser] = {
    ToolFormat.HERMES: _hermes,
    ToolFormat.QWEN: _qwen,
    ToolFormat.LLAMA3: _llama3,
    ToolFormat.MISTRAL: _mistral,
    ToolFormat.PYTHONIC: _pythonic,
    ToolFormat.DEEPSEEK: _deepseek,
    ToolFormat.GLM: _glm,
    ToolFormat.KIMI: _kimi,
    ToolFormat.GRANITE: _granite,
}
