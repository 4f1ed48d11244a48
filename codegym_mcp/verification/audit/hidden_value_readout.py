"""Measures whether reading every hidden value costs fewer calls than the oracle needs.

If it does, an agent can copy the hidden input call by call and compute the answer by itself; the other tools
have no purpose then.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.verification.audit.hidden_value_bisection import (
    ObservedCall,
    SearchedPlay,
    measure_search_costs,
)
from codegym_mcp.verification.recorded_play import RecordedPlay
from codegym_mcp.verification.verification_context import VerificationContext

_FEWEST_VALUES = 3
_FEW_PER_TOOL = 2
"""Tools that each show one value read an environment out that has at most so many values for each of them."""


@dataclass(frozen=True)
class ObservedCalls:
    """The hidden values of a task and the oracle's calls.

    Attributes:
        hidden: the hidden values of the configuration.
        calls: the oracle's calls that were not refused.
    """

    hidden: Sequence[Any]
    calls: Sequence[ObservedCall]


async def measure_read_out(
    context: VerificationContext, environment: Environment, plays: Sequence[RecordedPlay]
) -> float | None:
    """Returns how many calls it takes to read every hidden value, as a multiple of the oracle's calls.

    A tool that compares a hidden value with an argument reveals it too, with as many calls as a search takes.

    Returns:
        The median over the tasks, at least 0; less than 1 means that reading everything is cheaper than the
        oracle. None if no tool that the oracle uses reveals hidden values.
    """
    correct = [play for play in plays if play.correct]
    observed = [
        ObservedCalls(
            hidden=list(environment.hidden_values(play.task).values()),
            calls=[
                ObservedCall(step.name, step.arguments, step.result.value)
                for step in play.steps
                if not step.result.is_error
            ],
        )
        for play in correct
    ]
    searched = [
        SearchedPlay(play.task.config, list(hidden_leaves(each.hidden)), each.calls)
        for play, each in zip(correct, observed, strict=True)
    ]
    return read_out_ratio(observed, await measure_search_costs(context, environment, searched))


def read_out_ratio(
    observed: Sequence[ObservedCalls], search_costs: Mapping[str, int] | None = None
) -> float | None:
    """Returns the figure of `measure_read_out` for recorded calls.

    Args:
        search_costs: the number of calls that find one hidden value, by tool, of the tools that compare.
    """
    leaves = [Counter(hidden_leaves(each.hidden)) for each in observed]
    rates = [*_values_per_call(observed, leaves), *(1 / cost for cost in (search_costs or {}).values())]
    if not rates:
        return None
    ratios = [
        ceil(sum(known.values()) / max(rates)) / len(each.calls)
        for each, known in zip(observed, leaves, strict=True)
        if each.calls
    ]
    return round(median(ratios), 4) if ratios else None


def hidden_leaves(values: Iterable[Any]) -> Iterator[Any]:
    """Yields the numbers and texts in values; a text that is a whole value counts character by character."""
    for value in values:
        if isinstance(value, str):
            yield from value
        else:
            yield from _leaves(value)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif not isinstance(value, bool) and value is not None:
        yield value


def _values_per_call(observed: Sequence[ObservedCalls], leaves: Sequence[Counter[Any]]) -> list[float]:
    """Returns how many hidden values one call shows, for each tool that returns hidden values."""
    revealing: dict[str, list[int]] = {}
    shifted: dict[str, set[tuple[str, str]]] = {}
    selecting: dict[str, bool] = {}
    values: dict[str, set[Any]] = {}
    steady = _steady_tools(observed)
    if any(sum(known.values()) <= _FEW_PER_TOOL * len(steady) for known in leaves):
        steady = set()
    for each, known in zip(observed, leaves, strict=True):
        for call in each.calls:
            if call.name in steady:
                continue
            selecting[call.name] = selecting.get(call.name, False) or bool(call.arguments)
            found = list(_leaves(call.result))
            if len(found) == 1 and isinstance(call.result, str) and len(call.result) > 1:
                found = found if call.result in known else list(call.result)
            shifts = {shift for shift, value in _shifts(call) if value in known}
            shifted[call.name] = shifted.get(call.name, shifts) & shifts
            if any(value not in known for value in found):
                revealing[call.name] = [*revealing.get(call.name, []), 0]
            elif found:
                revealing.setdefault(call.name, []).append(len(found))
            values.setdefault(call.name, set()).update(found)
    return [
        # A tool without arguments shows another value only after a call that changes the environment.
        max(1.0, sum(counts) / len(counts)) / (1 if selecting[name] else 2)
        for name, counts in revealing.items()
        if len(values[name]) >= _FEWEST_VALUES and (0 not in counts or shifted[name])
    ]


def _steady_tools(observed: Sequence[ObservedCalls]) -> set[str]:
    """Returns the tools without arguments that show the same number throughout each play, like a count.

    Such a tool shows one value of an environment, however often it is called.
    """
    names = {call.name for each in observed for call in each.calls}
    return {name for name in names if all(_is_steady(name, each) for each in observed)}


def _is_steady(name: str, observed: ObservedCalls) -> bool:
    calls = [call for call in observed.calls if call.name == name]
    plain = all(isinstance(call.result, int | float) and not call.arguments for call in calls)
    return plain and all(call.result == calls[0].result for call in calls)


def _shifts(call: ObservedCall) -> Iterator[tuple[tuple[str, str], int | float | str]]:
    """Yields what a result is without an argument that was added to it or reduced by it."""
    result = call.result
    for name, value in call.arguments.items():
        if isinstance(value, str) and isinstance(result, str):
            yield (name, "before"), result.removeprefix(value)
            yield (name, "behind"), result.removesuffix(value)
        elif _is_number(value) and _is_number(result):
            yield (name, "added"), result - value
            yield (name, "subtracted"), result + value
            yield (name, "reduced"), value - result


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
