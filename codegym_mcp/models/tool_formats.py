"""Parses tool calls that a model writes as text, for servers that do not parse them.

The formats are those of the models' public chat templates. A call that is marked as one but cannot be read is
returned with `arguments` None, so that it is recorded and answered like any malformed call.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.call_arguments import CallArguments
from codegym_mcp.models.model_messages import ModelToolCall
from codegym_mcp.models.pythonic_calls import read_python
from codegym_mcp.models.written_calls import Written, read_arguments, read_calls, read_unquoted_values
from codegym_mcp.models.written_values import json_length, strip_fence


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


Parser = Callable[[str, Sequence[ToolView]], Iterator[Written]]

_THOUGHTS = re.compile(
    r"<(think|thinking|reasoning)>(?:(?!<\1>).)*?</\1>|\[THINK\](?:(?!\[THINK\]).)*?\[/THINK\]", re.DOTALL
)
_REST_OF_THOUGHTS = re.compile(r"^.*</think>", re.DOTALL)
"""Thoughts whose beginning stands in the prompt."""
_TURN_MARKS = re.compile(
    r"<\|(?:im_end|eot_id|eom_id|eot|eom|end|end_of_text|endoftext|end_of_turn|return)\|>|</s>|<end_of_turn>"
    r"|<\uff5cend\u2581of\u2581sentence\uff5c>"
    r"|<\|(?:start_header_id|header_start)\|>assistant<\|(?:end_header_id|header_end)\|>|<\|im_start\|>assistant\n"
)
"""Special tokens of a turn that servers leave in the text."""


def parse_calls(text: str, form: ToolFormat, tools: Sequence[ToolView]) -> list[ModelToolCall]:
    """Parses the tool calls in a text.

    Args:
        text: the visible text of a reply. Reasoning and special tokens of the turn in it are ignored.
        tools: the tools that were offered; their schemas give the types of values written without quotes.
    """
    found = _PARSERS[form](_TURN_MARKS.sub("", _REST_OF_THOUGHTS.sub("", _THOUGHTS.sub("", text))), tools)
    return [
        ModelToolCall(f"call{number:05}", name, arguments.raw, arguments.data, arguments.problem)
        for number, (name, arguments) in enumerate(found, start=1)
    ]


def text_before_calls(text: str, form: ToolFormat, tools: Sequence[ToolView]) -> str:
    """Returns the part of a reply's text that precedes its tool calls; the whole text if it has none."""
    if not parse_calls(text, form, tools):
        return text
    thoughts = _REST_OF_THOUGHTS.match(text)
    begin = thoughts.end() if thoughts is not None else 0
    start = _STARTS[form].search(text, begin)
    return _WRAPPERS.sub("", text[: start.start() if start is not None else begin])


_TOOL_CALL_START, _TOOL_CALL_END = "<tool_call>", "</tool_call>"
_FUNCTION = re.compile(r"<function=([^>]*)>(.*?)(</function>|(?=<function=)|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([^>]*)>(.*?)(</parameter>|(?=<parameter=)|\Z)", re.DOTALL)
_ARGUMENT = re.compile(r"<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>", re.DOTALL)
_MISTRAL_MARK = "[TOOL_CALLS]"
_MISTRAL_NAME = re.compile(r"\s*([^\[{\s`]+)\s*(?:\[CALL_ID\][^\[{]*)?(?:\[ARGS\])?\s*")
_BAR, _BLOCK = "\uff5c", "\u2581"
"""DeepSeek's substitutes for the vertical bar and the space in special tokens."""
_DEEPSEEK_CALL = re.compile(
    r"<\|tool call begin\|>(.*?)<\|tool sep\|>(.*?)(?:<\|tool call end\|>|\Z)".replace(
        r"\|", rf"[{_BAR}|]"
    ).replace(" ", f"[{_BLOCK}_]"),
    re.DOTALL,
)
_KIMI_CALL = re.compile(
    r"<\|tool_call_begin\|>\s*(?:functions\.)?((?:(?!<\|tool_call_begin\|>).)*?)(?::\d+)?\s*<\|tool_call_argument_begin\|>(.*?)"
    r"(?:<\|tool_call_end\|>|\Z)",
    re.DOTALL,
)
_DEEPSEEK_NAME = re.compile(r"\s*([^\s`{]+)(.*)\Z", re.DOTALL)
_LLAMA3_OBJECT = re.compile(r"^[ \t]*(?:```(?:json)?\s*)?(?=\{)", re.MULTILINE)
_GRANITE_MARK = re.compile(r"<\|tool_call\|>|<tool_call>|functools")
_PYTHON_SPAN = re.compile(
    r"(?:<\|tool_call_start\|>|<\|python_(?:start|tag)\|>|<function_calls>)(.*?)"
    r"(?:<\|tool_call_end\|>|<\|python_end\|>|</function_calls>|\Z)|```tool_code\s(.*?)(?:```|\Z)",
    re.DOTALL,
)
_PYTHON_LIST = re.compile(r"^\[\s*[\w.-]+\(", re.MULTILINE)
_WRAPPERS = re.compile(r"(?:\s|```\w*)*\Z")
"""What stands before the first call and belongs to it."""
_STARTS: dict[ToolFormat, re.Pattern[str]] = {
    ToolFormat.HERMES: re.compile("<tool_call>"),
    ToolFormat.QWEN: re.compile("<tool_call>|<function="),
    ToolFormat.LLAMA3: re.compile(
        rf"<\|python_tag\|>|<function=|{_LLAMA3_OBJECT.pattern}|\A\s*\[", re.MULTILINE
    ),
    ToolFormat.MISTRAL: re.compile(re.escape(_MISTRAL_MARK)),
    ToolFormat.PYTHONIC: re.compile(
        rf"{_PYTHON_SPAN.pattern}|{_PYTHON_LIST.pattern}", re.DOTALL | re.MULTILINE
    ),
    ToolFormat.DEEPSEEK: re.compile(rf"<[{_BAR}|]tool[{_BLOCK}_]calls?[{_BLOCK}_]begin[{_BAR}|]>"),
    ToolFormat.GLM: re.compile("<tool_call>"),
    ToolFormat.KIMI: re.compile(r"<\|tool_calls_section_begin\|>|<\|tool_call_begin\|>"),
    ToolFormat.GRANITE: _GRANITE_MARK,
}
"""Where the calls begin. Without a match, the text after the reasoning is the calls."""


def _hermes(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    for body in _tagged(text):
        yield from read_calls(body)


def _qwen(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    bodies = _tagged(text) if _TOOL_CALL_START in text else [text]
    for body in bodies:
        functions = list(_FUNCTION.finditer(body))
        for function in functions:
            yield _read_function(function, tools)
        if not functions and _TOOL_CALL_START in text:
            yield from read_calls(body)


def _read_function(function: re.Match[str], tools: Sequence[ToolView]) -> Written:
    name = function[1].strip(" \n\"'")
    parameters = list(_PARAMETER.finditer(function[2]))
    if parameters and not parameters[-1][3] and not function[3]:
        return name, CallArguments(function[0], None, "the call is cut off")
    pairs = [(match[1].strip(" \n\"'"), _strip_newline(match[2])) for match in parameters]
    return name, read_unquoted_values(name, pairs, tools)


def _glm(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    for body in _tagged(text):
        name, mark, written = body.partition("<arg_key>")
        if _ARGUMENT.sub("", mark + written).strip():
            yield name.strip(), CallArguments(body, None, "the call is cut off or not in the form of GLM")
            continue
        pairs = [(pair[1].strip(), pair[2]) for pair in _ARGUMENT.finditer(body)]
        yield name.strip(), read_unquoted_values(name.strip(), pairs, tools)


def _llama3(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    names = {tool.name for tool in tools}
    functions = [match for match in _FUNCTION.finditer(text) if match[1].strip() in names]
    for function in functions:
        yield function[1].strip(), read_arguments(function[2])
    if functions:
        return
    rest = strip_fence(text.rpartition("<|python_tag|>")[2])
    if rest.startswith("{"):
        yield from (call for call in read_calls(rest) if call[0])
        return
    # Beside prose, and in a list, only the name of a tool shows that an object is a call.
    found = _LLAMA3_OBJECT.search(rest)
    if rest.startswith("["):
        yield from (call for call in read_calls(rest) if call[0] in names)
    elif found is not None:
        yield from (call for call in read_calls(rest[found.end() :].rstrip("` \n")) if call[0] in names)


def _mistral(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    start = text.find(_MISTRAL_MARK)
    while start >= 0:
        start += len(_MISTRAL_MARK)
        name = _MISTRAL_NAME.match(text, start)
        begin = name.end() if name else start
        written = text[begin:]
        length = json_length(written)
        written = written if length else written.partition(_MISTRAL_MARK)[0]
        if name is None:
            yield from read_calls(written)
        elif not written.strip() and "[ARGS]" not in name[0]:
            yield name[1], CallArguments(name[0], None, "the call is cut off")
        else:
            yield name[1], read_arguments(written)
        start = text.find(_MISTRAL_MARK, begin + length)


def _granite(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    mark = _GRANITE_MARK.search(text)
    if mark is not None and mark[0] == _TOOL_CALL_START:
        yield from _hermes(text, tools)
    elif mark is not None:
        yield from read_calls(text[mark.end() :])


def _deepseek(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    for match in _DEEPSEEK_CALL.finditer(text):
        name, written = match[1].strip(), match[2]
        named = _DEEPSEEK_NAME.match(written) if name == "function" else None
        if named is not None:
            name, written = named[1], named[2]
        yield name, read_arguments(written)


def _kimi(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    for match in _KIMI_CALL.finditer(text):
        yield match[1].strip(), read_arguments(match[2])


def _pythonic(text: str, tools: Sequence[ToolView]) -> Iterator[Written]:
    names = {tool.name for tool in tools}
    spans = [match[1] or match[2] or "" for match in _PYTHON_SPAN.finditer(text)]
    unmarked = strip_fence(text)
    behind_prose = _PYTHON_LIST.search(unmarked)
    if behind_prose is not None:
        unmarked = unmarked[behind_prose.start() :]
    for source in map(strip_fence, spans or [unmarked]):
        if source.startswith("[") or any(source.startswith(f"{name}(") for name in names) or spans:
            yield from read_python(source, names, marked=bool(spans))


def _tagged(text: str) -> Iterator[str]:
    """Returns what stands between `<tool_call>` and `</tool_call>`; an end in a JSON string is none."""
    start = text.find(_TOOL_CALL_START)
    while start >= 0:
        start += len(_TOOL_CALL_START)
        after = start + json_length(text[start:])
        ends = [text.find(mark, after) for mark in (_TOOL_CALL_END, _TOOL_CALL_START)]
        end = min((end for end in ends if end >= 0), default=len(text))
        yield text[start:end].strip()
        start = text.find(_TOOL_CALL_START, end)


def _strip_newline(text: str) -> str:
    """Removes the line breaks that the template puts around a value."""
    return text.removeprefix("\n").removesuffix("\n")


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
