"""The grammar of the tool calls of Gemma 4 and FunctionGemma: `call:NAME{key:value}` with strings in special
tokens."""

import json
import re
from collections.abc import Sequence

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.call_arguments import CallArguments
from codegym_mcp.models.text_calls.call_parts import CUT_OFF, Written, read_arguments

_QUOTE = r'(?:<escape>|<\|"\|>)'
_BEGIN = r"(?:<start_function_call>|<\|tool_call>)"
_END = r"(?:<end_function_call>|<tool_call\|>)"
_START = re.compile(rf"{_BEGIN}\s*call:\s*(?P<name>[^\s{{]+)\s*(?=\{{)")
_BODY = re.compile(rf"(?:{_QUOTE}.*?{_QUOTE}|(?!{_END}|{_BEGIN}).)*", re.DOTALL)
_CLOSE = re.compile(_END)
_STRING = re.compile(rf"({_QUOTE}.*?{_QUOTE})", re.DOTALL)
_KEY = re.compile(r"([{,]\s*)([^\s{}\[\],:\"]+)\s*:")
_BARE = re.compile(r"([:\[,]\s*)(?!true\b|false\b|null\b)([^\W\d][^{}\[\],:\"]*?)(?=\s*[\]},])")
_PLACE = re.compile('"\ue000(\\d+)"')


class BracedArguments:
    """Calls with braces around pairs of bare keys and values."""

    start = _START

    def read(
        self, text: str, start: re.Match[str], tools: Sequence[ToolView], *, is_first: bool
    ) -> tuple[list[Written], int]:
        body = _BODY.match(text, start.end())
        end = body.end() if body is not None else len(text)
        written = text[start.end() : end].strip()
        close = _CLOSE.match(text, end)
        if not written.endswith("}"):
            problem = CUT_OFF if close is None else "the call has no closing brace"
            arguments = CallArguments(written, None, problem)
        else:
            arguments = read_arguments(_to_json(written))
        return [(start["name"], arguments)], close.end() if close is not None else end


def _to_json(written: str) -> str:
    """Returns the pairs as JSON: keys, strings in special tokens, and bare words are quoted."""
    strings: list[str] = []

    def place(quoted: re.Match[str]) -> str:
        strings.append(json.dumps(re.sub(rf"\A{_QUOTE}|{_QUOTE}\Z", "", quoted[0]), ensure_ascii=False))
        return f'"\ue000{len(strings) - 1}"'

    structure = _STRING.sub(place, written)
    structure = _KEY.sub(lambda key: f"{key[1]}{json.dumps(key[2], ensure_ascii=False)}:", structure)
    structure = _BARE.sub(lambda word: f"{word[1]}{json.dumps(word[2], ensure_ascii=False)}", structure)
    return _PLACE.sub(lambda place: strings[int(place[1])], structure)
