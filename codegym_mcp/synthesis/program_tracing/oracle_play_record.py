"""What an oracle did on one input, and what that says about the environment."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool and its result, as JSON data."""

    name: str
    arguments: dict[str, Any]
    result: Any


@dataclass(frozen=True)
class Play:
    """The play of an oracle on one input.

    Attributes:
        arguments: the arguments of the solution.
        config: the arguments as JSON data, by parameter.
        answer: the right answer as JSON data.
        calls: the oracle's calls.
        correct: whether the oracle found the right answer.
        error: why the oracle failed, or the empty string.
    """

    arguments: tuple[Any, ...]
    config: dict[str, Any]
    answer: Any
    calls: tuple[ToolCall, ...]
    correct: bool
    error: str = ""

    @property
    def sequence(self) -> list[str]:
        """The calls without their results, as text."""
        return [f"{call.name} {json.dumps(call.arguments, sort_keys=True)}" for call in self.calls]


def repeated_share(play: Play, changing: set[str]) -> float:
    """Returns the share of calls that repeat an earlier one without a change in between."""
    seen: set[str] = set()
    repeated = 0
    for call, text in zip(play.calls, play.sequence, strict=True):
        if call.name in changing:
            seen.clear()
            continue
        repeated += text in seen
        seen.add(text)
    return repeated / len(play.calls) if play.calls else 0.0


def repeated_tools(plays: Sequence[Play], changing: set[str]) -> set[str]:
    """Returns the tools that oracles call twice in the same way, if no tool changes the environment."""
    if changing:
        return set()
    found: set[str] = set()
    for play in plays:
        seen: set[str] = set()
        for call, text in zip(play.calls, play.sequence, strict=True):
            if text in seen:
                found.add(call.name)
            seen.add(text)
    return found


def differ(one: Play, other: Play) -> bool:
    """Returns whether two plays differ in a tenth of their calls."""
    first, second = one.sequence, other.sequence
    common = min(len(first), len(second))
    if abs(len(first) - len(second)) > 0.1 * common:
        return True
    return sum(a != b for a, b in zip(first, second, strict=False)) > 0.1 * common


def differ_in_tools(one: Play, other: Play) -> bool:
    """Returns whether a tenth of the calls that two plays have in common are calls of different tools."""
    pairs = list(zip(one.calls, other.calls, strict=False))
    return sum(a.name != b.name for a, b in pairs) > 0.1 * len(pairs)
