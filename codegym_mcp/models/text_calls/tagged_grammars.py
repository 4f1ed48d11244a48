"""Grammars of tool calls in text whose arguments are tagged one by one and written without quotes."""

import html
import re
from collections.abc import Sequence
from typing import Any

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.call_arguments import CallArguments, parse_arguments
from codegym_mcp.models.text_calls.call_parts import (
    CUT_OFF,
    Written,
    read_arguments,
    read_unquoted_value,
    read_unquoted_values,
)
from codegym_mcp.models.text_calls.written_values import values_end

WRAPPER = r"<[^<>\s]*(?:tool[_\u2581]calls?|function_calls)[^<>]*>"
"""Marks around several calls."""
_CDATA = re.compile(r"\s*<!\[CDATA\[(.*)\]\]>\s*", re.DOTALL)
_BLANK = re.compile(r"\s*")


class TaggedArguments:
    """A call with a tag for each argument.

    A value ends at its closing tag if that is followed by another tag of the call; otherwise the tag is part
    of the value. A value without a closing tag ends at the next argument or at the end of the call.

    Args:
        call: pattern of the beginning, with the group `name`.
        call_end: pattern of the end.
        argument: pattern of the beginning of an argument, with the group `key` and perhaps `type`.
        argument_end: pattern of its end.
    """

    def __init__(self, call: str, call_end: str, argument: str, argument_end: str) -> None:
        self.start = re.compile(call)
        self._end = re.compile(call_end)
        self._argument = re.compile(argument)
        unnamed = re.sub(r"\?P<\w+>", "?:", argument)
        next_call = re.sub(r"\?P<\w+>", "?:", call)
        self._close = re.compile(argument_end)
        rest = rf"(?:{WRAPPER}\s*)*(?:{next_call}|\Z)"
        self._value_end = re.compile(
            rf"(?P<closed>{argument_end})(?=\s*(?:{unnamed}|{call_end}|{rest}))"
            rf"|(?={unnamed})|(?={call_end}\s*{rest})"
        )
        self._after = re.compile(rf"{call_end}|(?={next_call})|(?={WRAPPER})|\Z")

    def read(
        self, text: str, start: re.Match[str], tools: Sequence[ToolView], *, is_first: bool
    ) -> tuple[list[Written], int]:
        name = html.unescape(start["name"]).strip(" \n\"'")
        pairs: list[tuple[str, str, bool]] = []
        position = _skip_blank(text, start.end())
        if text.startswith("{", position):
            end = values_end(text, position)
            after = self._after.search(text, max(end, position))
            stop = after.end() if after is not None else len(text)
            return [(name, read_arguments(text[position : max(end, stop)]))], max(end, stop)
        while (argument := self._argument.match(text, position)) is not None:
            value = self._value_end.search(text, argument.end())
            if value is None:
                return [(name, CallArguments(text[start.start() :], None, CUT_OFF))], len(text)
            written = text[argument.end() : value.start()]
            if value["closed"] is None and self._close.search(written):
                position = argument.end()
                break
            pairs.append(
                (html.unescape(argument["key"]).strip(" \n\"'"), _value(written), _is_text(argument))
            )
            position = _skip_blank(text, value.end())
        after = self._after.search(text, position)
        stop = after.end() if after is not None else len(text)
        if (
            after is None
            or text[position : after.start()].strip()
            or (stop == len(text) == position and not pairs)
        ):
            problem = CUT_OFF if stop == len(text) else "the call is not in the form of its arguments"
            return [(name, CallArguments(text[start.start() : stop], None, problem))], stop
        return [(name, read_unquoted_values(name, pairs, tools))], stop


def _skip_blank(text: str, position: int) -> int:
    blank = _BLANK.match(text, position)
    return blank.end() if blank is not None else position


def _value(written: str) -> str:
    """Returns a value without the line breaks or the CDATA section that templates put around it."""
    section = _CDATA.fullmatch(written)
    if section is not None:
        return section[1]
    if written.startswith("\n") and written.endswith("\n"):
        return written[1:-1]
    return written


def _is_text(argument: re.Match[str]) -> bool:
    return argument.groupdict().get("type") in ("true", "string")


class NestedTags:
    """The form of MiniMax M3: every tag has a prefix, and objects and lists are tags within tags."""

    _TAG = re.compile(r"\]<\]minimax\[>\[\s*<(/?)([^<>]*)>")

    def __init__(self) -> None:
        self.start = re.compile(r"\]<\]minimax\[>\[\s*<invoke name=[\"'](?P<name>[^\"'>]*)[\"']\s*>")

    def read(
        self, text: str, start: re.Match[str], tools: Sequence[ToolView], *, is_first: bool
    ) -> tuple[list[Written], int]:
        name = start["name"]
        schema = next((tool.input_schema for tool in tools if tool.name == name), {})
        try:
            value, end = self._element(text, start.end(), "invoke", {"type": "object", **schema})
        except (ValueError, RecursionError):
            return [(name, CallArguments(text[start.start() :], None, CUT_OFF))], len(text)
        return [(name, parse_arguments(value if isinstance(value, dict) else {}))], end

    def _element(self, text: str, position: int, tag: str, schema: Any) -> tuple[Any, int]:
        """Reads an element behind its opening tag; returns its value and where it ends.

        Raises:
            ValueError: the element has no end.
        """
        children: list[tuple[str, Any]] = []
        while (found := self._TAG.search(text, position)) is not None:
            if found[1]:
                if found[2].strip() != tag:
                    break
                if not children and tag != "invoke":
                    return read_unquoted_value(text[position : found.start()], schema), found.end()
                is_list = all(name == "item" for name, _ in children) and children
                return [value for _, value in children] if is_list else dict(children), found.end()
            name = found[2].strip()
            value, position = self._element(text, found.end(), name, _child_schema(schema, name))
            children.append((name, value))
        raise ValueError("the element has no end")


def _child_schema(schema: Any, name: str) -> Any:
    if not isinstance(schema, dict):
        return {}
    if name == "item" and "items" in schema:
        return schema["items"]
    properties = schema.get("properties")
    return properties.get(name, {}) if isinstance(properties, dict) else {}
