"""Grammars of tool calls in text whose arguments are JSON.

A grammar finds where calls begin and reads them. Its marks are looked for behind the JSON values, so that a
mark within a string does not end a call.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.call_arguments import CallArguments
from codegym_mcp.models.text_calls.call_parts import CUT_OFF, Written, read_arguments, read_calls
from codegym_mcp.models.text_calls.written_values import FENCE, values_end

JSON_AHEAD = rf"(?=\s*(?:{FENCE})?\s*[\[{{])"
"""What precedes an object or a list, possibly in a code fence."""


_MEMBERS = "name|tool_name|function|type|id|arguments|parameters"
"""Members with which an object of a call begins."""


class CallGrammar(Protocol):
    """The grammar of tool calls in text."""

    @property
    def start(self) -> re.Pattern[str]:
        """Matches where calls may begin."""

    def read(
        self, text: str, start: re.Match[str], tools: Sequence[ToolView], *, is_first: bool
    ) -> tuple[list[Written], int]:
        """Reads the calls at a match of `start`.

        Args:
            tools: the tools that were offered.
            is_first: whether nothing but reasoning precedes the match.

        Returns:
            The calls, which may be none, and where they end.
        """


class MarkedJson:
    """Objects with name and arguments, in a list or one after the other, behind a mark.

    Args:
        begin: pattern of the mark before the calls.
        end: pattern of the mark behind them; by default the next mark before calls ends them.
    """

    def __init__(self, begin: str, end: str = r"(?!)") -> None:
        self.start = re.compile(begin, re.MULTILINE)
        self._stop = re.compile(f"(?P<end>{end})|{begin}", re.MULTILINE)

    def read(
        self, text: str, start: re.Match[str], tools: Sequence[ToolView], *, is_first: bool
    ) -> tuple[list[Written], int]:
        stop = self._stop.search(text, values_end(text, start.end()))
        until = stop.start() if stop is not None else len(text)
        after = stop.end() if stop is not None and stop["end"] is not None else until
        return list(read_calls(text[start.end() : until])), after


class NamedJson:
    """A header with the tool's name, and behind it the arguments as an object.

    Args:
        header: pattern of the header, with the group `name`.
        end: pattern of the mark behind the arguments, if there is one.
        optional: whether a call at the end of the text may be without arguments; otherwise it is cut off.
        glued: text that may follow the name without a space.
    """

    def __init__(self, header: str, end: str = r"(?!)", *, optional: bool = False, glued: str = "") -> None:
        self.start = re.compile(header)
        self._stop = re.compile(f"(?P<end>{end})|{header.replace('?P<name>', '?:')}")
        self._optional = optional
        self._glued = glued

    def read(
        self, text: str, start: re.Match[str], tools: Sequence[ToolView], *, is_first: bool
    ) -> tuple[list[Written], int]:
        name = start["name"]
        if self._glued and all(tool.name != name for tool in tools):
            name = name.removesuffix(self._glued)
        stop = self._stop.search(text, values_end(text, start.end()))
        until = stop.start() if stop is not None else len(text)
        after = stop.end() if stop is not None and stop["end"] is not None else until
        written = text[start.end() : until]
        if not self._optional and stop is None and not written.strip():
            return [(name, CallArguments(start[0], None, CUT_OFF))], after
        return [(name, read_arguments(written))], after


class BareJson:
    """Objects with name and arguments at the beginning of a line, without a mark.

    Where text precedes them, and in lists, only the name of a tool shows that an object is a call.
    """

    def __init__(self) -> None:
        self.start = re.compile(
            rf"(?:<\|python_tag\|>|^)[ \t]*(?:{FENCE})?\s*(?=\[?\s*\{{\s*[\"'](?:{_MEMBERS})[\"'])",
            re.MULTILINE,
        )

    def read(
        self, text: str, start: re.Match[str], tools: Sequence[ToolView], *, is_first: bool
    ) -> tuple[list[Written], int]:
        begin = start.end()
        end = values_end(text, begin)
        calls = read_calls(text[begin : end if end > begin else len(text)].rstrip("` \n"))
        if text[begin] == "{" and (is_first or start[0].startswith("<")):
            found = [call for call in calls if call[0]]
        else:
            names = {tool.name for tool in tools}
            found = [call for call in calls if call[0] in names]
        return found, max(end, begin + 1) if end > begin or not found else len(text)
