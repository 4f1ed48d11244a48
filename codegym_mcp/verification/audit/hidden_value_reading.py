"""Measures whether reading every hidden value costs fewer calls than the oracle needs.

If it does, an agent can copy the hidden input call by call and compute the answer by itself; the other tools
have no purpose then.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any

from codegym_mcp.spec.environment import Environment
from codegym_mcp.verification.recorded_play import RecordedPlay

_FEWEST_VALUES = 3


@dataclass(frozen=True)
class ObservedCalls:
    """The hidden values of a task and the results of the oracle's calls.

    Attributes:
        hidden: the hidden values of the configuration.
        results: for each call the tool, whether it had arguments, and the result.
    """

    hidden: Sequence[Any]
    results: Sequence[tuple[str, bool, Any]]


def measure_read_out(environment: Environment, plays: Sequence[RecordedPlay]) -> float | None:
    """Returns how many calls it takes to read every hidden value, as a multiple of the oracle's calls.

    Returns:
        The median over the tasks, at least 0; less than 1 means that reading everything is cheaper than the
        oracle. None if no tool that the oracle uses reveals hidden values as they are.
    """
    observed = [
        ObservedCalls(
            hidden=list(environment.hidden_values(play.task).values()),
            results=[
                (step.name, bool(step.arguments), step.result.value)
                for step in play.steps
                if not step.result.is_error
            ],
        )
        for play in plays
        if play.correct
    ]
    return read_out_ratio(observed)


def read_out_ratio(observed: Sequence[ObservedCalls]) -> float | None:
    """Returns the figure of `measure_read_out` for recorded calls."""
    leaves = [Counter(hidden_leaves(each.hidden)) for each in observed]
    per_call = _values_per_call(observed, leaves)
    if per_call is None:
        return None
    ratios = [
        ceil(sum(known.values()) / per_call) / len(each.results)
        for each, known in zip(observed, leaves, strict=True)
        if each.results
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


def _values_per_call(observed: Sequence[ObservedCalls], leaves: Sequence[Counter[Any]]) -> float | None:
    """Returns how many hidden values one call of the most revealing tool shows, or None."""
    revealing: dict[str, list[int]] = {}
    refuted: set[str] = set()
    selecting: dict[str, bool] = {}
    values: dict[str, set[Any]] = {}
    for each, known in zip(observed, leaves, strict=True):
        for name, has_arguments, result in each.results:
            selecting[name] = selecting.get(name, False) or has_arguments
            found = list(_leaves(result))
            if len(found) == 1 and isinstance(result, str) and len(result) > 1 and result not in known:
                found = list(result)
            if any(value not in known for value in found):
                refuted.add(name)
            elif found:
                revealing.setdefault(name, []).append(len(found))
                values.setdefault(name, set()).update(found)
    rates = [
        # A tool without arguments shows another value only after a call that changes the environment.
        sum(counts) / len(counts) / (1 if selecting[name] else 2)
        for name, counts in revealing.items()
        if name not in refuted and len(values[name]) >= _FEWEST_VALUES
    ]
    return max(rates, default=None)
