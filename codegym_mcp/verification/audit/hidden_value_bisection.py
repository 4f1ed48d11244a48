"""Measures how many calls find a hidden value by tools that compare it with an argument.

A tool that tells whether a hidden number is less than an argument reveals the number to a bisection: with 2^k
possible numbers it takes k calls. A tool that tells whether a hidden value equals an argument reveals it when
all other values were tried.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log2
from typing import Any

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.errors import EnvironmentFailedError
from codegym_mcp.verification.process_without_episode import EnvironmentProcess
from codegym_mcp.verification.verification_context import VerificationContext

_PLAYS = 3
_CALLS = 2
"""Calls of a tool that are searched in each play."""
_ENOUGH = 3
"""Searches that must find a hidden value."""
_SMALL_ALPHABET = 8
_MAX_SPAN = 10**7
_MAX_DECIMALS = 6
_MARGIN = 2
"""How far from a hidden number a tool may begin to answer otherwise."""
_SAMPLES = 7


@dataclass(frozen=True)
class ObservedCall:
    """A call of a tool.

    Attributes:
        name: name of the tool.
        arguments: its arguments.
        result: what it returned, as JSON data.
    """

    name: str
    arguments: Mapping[str, Any]
    result: Any


@dataclass(frozen=True)
class SearchedPlay:
    """A play whose hidden values are searched for.

    Attributes:
        config: the configuration of the task.
        leaves: the hidden numbers and texts.
        calls: the oracle's calls.
    """

    config: dict[str, Any]
    leaves: Sequence[Any]
    calls: Sequence[ObservedCall]


async def measure_search_costs(
    context: VerificationContext, environment: Environment, plays: Sequence[SearchedPlay]
) -> dict[str, int]:
    """Searches for hidden values with the tools of an environment.

    Each search repeats a call of the oracle, in the state in which it was made, with other values of one
    argument.

    Returns:
        For each tool whose searches found hidden values the number of calls that one search takes.
    """
    hits: dict[tuple[str, str], list[_Hit]] = defaultdict(list)
    failed: set[tuple[str, str]] = set()
    alphabet = {leaf for play in plays for leaf in play.leaves}
    for play in _different(plays):
        for place, parameter in _searches(play):
            key = play.calls[place].name, parameter
            if key in failed:
                continue
            try:
                hit = await _search(context, environment, _Search(play, place, parameter), alphabet)
            except EnvironmentFailedError:
                hit = None
            if hit is None:
                failed.add(key)
            else:
                hits[key].append(hit)
    costs: dict[str, int] = {}
    for key, found in hits.items():
        # What a tool compares may be the hidden number plus or minus one, always in the same way.
        offsets = frozenset.intersection(*(hit.offsets for hit in found))
        certain = len(found) >= _ENOUGH and len({hit.value for hit in found}) > 1
        if key not in failed and certain and offsets:
            calls = max(hit.calls for hit in found)
            costs[key[0]] = min(calls, costs.get(key[0], calls))
    return costs


def _different(plays: Sequence[SearchedPlay]) -> Sequence[SearchedPlay]:
    return plays[:: max(1, len(plays) // _PLAYS)][:_PLAYS]


def _searches(play: SearchedPlay) -> Iterator[tuple[int, str]]:
    """Yields the places of calls of tools that answer with a choice, and the parameter to vary."""
    seen: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for place, call in enumerate(play.calls):
        if not _is_choice(call.result):
            continue
        for parameter, value in call.arguments.items():
            others = {name: each for name, each in call.arguments.items() if name != parameter}
            known = seen[call.name, parameter]
            if isinstance(value, bool | list | dict | None) or others in known or len(known) >= _CALLS:
                continue
            known.append(others)
            yield place, parameter


def _is_choice(result: Any) -> bool:
    return isinstance(result, bool | str) or result in (-1, 0, 1)


@dataclass(frozen=True)
class _Hit:
    value: Any
    calls: int
    offsets: frozenset[int] = frozenset({0})


@dataclass(frozen=True)
class _Search:
    play: SearchedPlay
    place: int
    parameter: str


async def _search(
    context: VerificationContext, environment: Environment, search: _Search, alphabet: set[Any]
) -> _Hit | None:
    """Searches for one hidden value; returns None if what is found is not a hidden value.

    Args:
        alphabet: the hidden values of all tasks.
    """
    play, call = search.play, search.play.calls[search.place]
    earlier = [(each.name, dict(each.arguments)) for each in play.calls[: search.place]]
    async with EnvironmentProcess.start(context.pool, environment, play.config, context.limits) as process:
        await process.call_all(earlier)

        async def ask(value: Any) -> Any:
            outcome = await process.call(call.name, {**call.arguments, search.parameter: value})
            return outcome.value if outcome.status == "ok" else _REFUSED

        value = call.arguments[search.parameter]
        kinds = (str,) if isinstance(value, str) else (int,) if isinstance(value, int) else (int, float)
        here = {leaf for leaf in play.leaves if isinstance(leaf, kinds)}
        everywhere = {leaf for leaf in alphabet if isinstance(leaf, kinds)}
        if not here:
            return None
        hit = None if isinstance(value, str) else await _bisect(ask, here, everywhere)
        return hit or await _try_all(ask, everywhere)


_REFUSED = object()
_Ask = Callable[[Any], Awaitable[Any]]


async def _bisect(ask: _Ask, leaves: set[Any], alphabet: set[Any]) -> _Hit | None:
    """Finds the number at which a tool begins to answer otherwise.

    Args:
        leaves: the hidden numbers of the task.
        alphabet: those of all tasks, between which the number is searched for.
    """
    decimals = (len(repr(leaf).partition(".")[2]) for leaf in alphabet if isinstance(leaf, float))
    scale = 10 ** min(max(decimals, default=0), _MAX_DECIMALS)
    known = {round(leaf * scale) for leaf in leaves}
    low = round(min(alphabet) * scale) - _MARGIN
    high = round(max(alphabet) * scale) + _MARGIN
    if high - low > _MAX_SPAN * scale:
        return None

    async def at(number: int) -> Any:
        return await ask(number / scale if scale > 1 else number)

    below, above = await at(low), await at(high)
    if below is _REFUSED or above is _REFUSED or below == above:
        return None
    first, last = low, high
    while last - first > 1:
        middle = (first + last) // 2
        if await at(middle) == below:
            first = middle
        else:
            last = middle
    for number in range(low, high, max(1, (high - low) // _SAMPLES)):
        if (await at(number) == below) != (number <= first):
            return None
    offsets = frozenset(each for each in range(-_MARGIN, _MARGIN + 1) if first + each in known)
    return _Hit(first, ceil(log2(high - low)), offsets) if offsets else None


async def _try_all(ask: _Ask, leaves: set[Any]) -> _Hit | None:
    """Finds the only value of a small alphabet for which a tool answers otherwise."""
    if not 1 < len(leaves) <= _SMALL_ALPHABET:
        return None
    answers: dict[str, list[Any]] = defaultdict(list)
    for leaf in sorted(leaves):
        answers[repr(await ask(leaf))].append(leaf)
    if len(answers) != 2 or repr(_REFUSED) in answers:
        return None
    fewer = min(answers.values(), key=len)
    return _Hit(fewer[0], len(leaves) - 1) if len(fewer) == 1 else None
