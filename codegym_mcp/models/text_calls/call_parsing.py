"""Parses tool calls that a model writes as text, for servers that do not parse them.

A call that is marked as one but cannot be read is returned with `arguments` None, so that it is recorded and
answered like any malformed call.
"""

import re
from collections.abc import Sequence

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.model_messages import ModelToolCall
from codegym_mcp.models.text_calls.call_parts import Written
from codegym_mcp.models.text_calls.tagged_grammars import WRAPPER
from codegym_mcp.models.text_calls.tool_formats import GRAMMARS, ToolFormat, deepseek_token
from codegym_mcp.models.tool_names import offered_name

_THOUGHTS = {
    r"<think>": "</think>",
    r"<thinking>": "</thinking>",
    r"<reasoning>": "</reasoning>",
    r"<seed:think>": "</seed:think>",
    r"\[THINK\]": "[/THINK]",
    r"\u25c1think\u25b7": "\u25c1/think\u25b7",
    r"<\|START_THINKING\|>": "<|END_THINKING|>",
    r"<\|channel>thought\b": "<channel|>",
    r"<\|inner_prefix\|>": "<|inner_suffix|>",
    r"<\|open\|>think<\|sep\|>": "<|close|>think<|sep|>",
}
"""Patterns of the beginnings of reasoning, and their ends."""
_THOUGHT_ENDS = tuple(_THOUGHTS.values())
_THOUGHT = re.compile(
    "|".join(f"(?P<begin{number}>{begin})" for number, begin in enumerate(_THOUGHTS))
    + f"|(?P<end>{'|'.join(map(re.escape, _THOUGHT_ENDS))})"
)
_MARKS = (
    r"<\|(?:im_end|eot_id|eom_id|eot|eom|end|end_of_text|endoftext|end_of_turn|return|END_OF_TURN_TOKEN"
    r"|end_of_msg|message_sep)\|>|</s>|<end_of_turn>|<turn\|>|\[e~\[|<seed:eos>"
    rf"|{deepseek_token('end of sentence')}"
)
"""Special tokens at the end of a turn that servers leave in the text."""
_END_MARKS = re.compile(rf"(?:\s|{_MARKS})+\Z")
_HEADER_MARKS = re.compile(
    r"<\|(?:start_header_id|header_start)\|>assistant<\|(?:end_header_id|header_end)\|>|<\|im_start\|>assistant\n"
    rf"|{_MARKS}|\s"
)
_WRAPPERS = re.compile(rf"(?:\s|```\w*|{WRAPPER}|{deepseek_token('tool calls begin')}|\]<\]minimax\[>\[)*\Z")
"""What stands before the first call and belongs to it."""


def parse_calls(text: str, form: ToolFormat, tools: Sequence[ToolView]) -> list[ModelToolCall]:
    """Parses the tool calls in a text.

    Args:
        text: the visible text of a reply. Reasoning and special tokens of the turn in it are ignored.
        tools: the tools that were offered; their schemas give the types of values written without quotes.
    """
    names = {tool.name for tool in tools}
    found = (call for _, calls in _passages(text, form, tools) for call in calls)
    return [
        ModelToolCall(
            f"call{number:05}", offered_name(name, names), arguments.raw, arguments.data, arguments.problem
        )
        for number, (name, arguments) in enumerate(found, start=1)
    ]


def text_before_calls(text: str, form: ToolFormat, tools: Sequence[ToolView]) -> str:
    """Returns the part of a reply's text that precedes its tool calls; the whole text if it has none."""
    passages = _passages(text, form, tools)
    return _WRAPPERS.sub("", text[: passages[0][0]]) if passages else text


def _passages(text: str, form: ToolFormat, tools: Sequence[ToolView]) -> list[tuple[int, list[Written]]]:
    """Returns where calls begin, and the calls there.

    What precedes the end of reasoning is reasoning, also if its beginning stands in the prompt.
    """
    text = _END_MARKS.sub("", text)
    thoughts = _Matches(_THOUGHT, text)
    grammars = [(grammar, _Matches(grammar.start, text)) for grammar in GRAMMARS[form]]
    passages: list[tuple[int, list[Written]]] = []
    position = visible = 0
    while True:
        thought = thoughts.next(position)
        starts = [(start, grammar) for grammar, matches in grammars if (start := matches.next(position))]
        first, grammar = min(starts, key=lambda start: start[0].start(), default=(None, None))
        if thought is not None and (first is None or thought.start() < first.start()):
            end = _thought_end(text, thought)
            position = end or thought.end()
            visible = end or visible
            if thought["end"] is not None:
                passages.clear()
        elif first is not None and grammar is not None:
            is_first = not _HEADER_MARKS.sub("", text[visible : first.start()])
            calls, position = grammar.read(text, first, tools, is_first=is_first)
            if calls:
                passages.append((first.start(), calls))
        else:
            return passages


class _Matches:
    """The matches of a pattern in a text, each searched for once."""

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self._pattern = pattern
        self._text = text
        self._found = pattern.search(text)

    def next(self, position: int) -> re.Match[str] | None:
        """Returns the first match from a position on, which is never less than in the call before."""
        if self._found is not None and self._found.start() < position:
            self._found = self._pattern.search(self._text, position)
        return self._found


def _thought_end(text: str, thought: re.Match[str]) -> int:
    """Returns where reasoning ends, or 0 if it has no end."""
    if thought["end"] is not None:
        return thought.end()
    number = next(number for number in range(len(_THOUGHTS)) if thought[f"begin{number}"] is not None)
    close = _THOUGHT_ENDS[number]
    end = text.find(close, thought.end())
    return end + len(close) if end >= 0 else 0
