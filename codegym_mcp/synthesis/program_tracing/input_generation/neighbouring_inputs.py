"""Varies arguments of a solution a little, to find more inputs with a rare result or a late decision.

Whether a matrix is a magic square is false for nearly all random inputs, and decided by their first members.
Variations of the few other inputs often keep the result, or change it late. Where a solution accepts only few
inputs, for example matrices that can be multiplied, others of the same structure are made of those.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from codegym_mcp.synthesis.program_tracing.input_generation.input_invariants import Preconditions
from codegym_mcp.synthesis.program_tracing.input_generation.redrawn_values import (
    redraw_leaves,
    shuffle_leaves,
)
from codegym_mcp.synthesis.program_tracing.solution_execution.solution_runs import Evaluated

_FEW_RESULTS = 6
"""So many different results, or fewer, call for more inputs."""
_ENOUGH = 24
"""So many calls, or fewer, call for more of the same structure."""
_SEEDS = 6
_REDRAWN = 0.7
"""Share of the variations that keep the structure, where there are few calls."""
_MAX_CHARACTERS = 2_500


def neighbours(
    evaluated: Sequence[Evaluated], examples: Sequence[tuple[Any, ...]], count: int, seed: str
) -> list[tuple[Any, ...]]:
    """Returns variations of calls with rare results and many steps, or of all calls if there are few.

    Args:
        examples: the calls of the tests, whose common properties the variations keep.
        evaluated: calls with their results.
        count: the greatest number of variations.

    Returns:
        Different calls, none of which was evaluated; none if there are many calls whose results differ much.
    """
    groups: dict[str, list[Evaluated]] = {}
    for each in evaluated:
        groups.setdefault(repr(each.result), []).append(each)
    is_scarce = len(evaluated) <= _ENOUGH
    if len(groups) > _FEW_RESULTS and not is_scarce:
        return []
    preconditions = Preconditions(examples)
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    known = {repr(each.arguments) for each in evaluated}
    found: dict[str, tuple[Any, ...]] = {}
    seeds = list(_in_turn([_slowest(group) for group in sorted(groups.values(), key=len)]))
    for number in range(count * 2):
        seed_call = seeds[number % len(seeds)].arguments
        if is_scarce and random.random() < _REDRAWN:
            varied = _redrawn(seed_call, random.choice(evaluated).arguments, random)
        else:
            varied = _varied(seed_call, random)
        arguments = preconditions.restored(varied)
        text = repr(arguments)
        if arguments is None or text in known or len(text) > _MAX_CHARACTERS:
            continue
        found.setdefault(text, arguments)
        if len(found) == count:
            break
    return list(found.values())


def _slowest(group: Sequence[Evaluated]) -> list[Evaluated]:
    return sorted(group, key=lambda each: -each.steps)[:_SEEDS]


def _in_turn(groups: Sequence[Sequence[Evaluated]]) -> Iterator[Evaluated]:
    for place in range(_SEEDS):
        yield from (group[place] for group in groups if place < len(group))


def _redrawn(arguments: tuple[Any, ...], others: tuple[Any, ...], random: Random) -> tuple[Any, ...]:
    """Returns arguments of the same structure with exchanged values, or with those of other arguments."""
    if random.random() < 0.5:
        return tuple(shuffle_leaves(value, random) for value in arguments)
    return tuple(redraw_leaves(value, other, random) for value, other in zip(arguments, others, strict=True))


def _varied(arguments: tuple[Any, ...], random: Random) -> tuple[Any, ...]:
    """Varies all arguments in the same way, or the members of one."""
    containers = [
        place for place, value in enumerate(arguments) if isinstance(value, list | tuple | str | dict)
    ]
    made = list(copy.deepcopy(arguments))
    choice = random.random()
    if choice < 0.35:
        return tuple(_renamed(made, random))
    if choice < 0.45 or not containers:
        return tuple(value + random.choice((-1, 1)) if type(value) is int else value for value in made)
    place = random.choice(containers)
    vary = random.choice((_reversed, _doubled, _edited, _edited, _exchanged))
    made[place] = vary(made[place], random)
    return tuple(made)


def _renamed(arguments: list[Any], random: Random) -> list[Any]:
    """Gives equal numbers and texts equal other ones, which keeps patterns."""
    leaves = list(dict.fromkeys(leaf for value in arguments for leaf in _leaves(value)))
    names: dict[Any, Any] = {}
    numbers = [leaf for leaf in leaves if type(leaf) is int]
    letters = [leaf for leaf in leaves if isinstance(leaf, str) and len(leaf) == 1]
    for known in (numbers, letters):
        others = random.sample(known, len(known))
        names |= dict(zip(known, others, strict=True))
    return [_with_names(value, names) for value in arguments]


def _leaves(value: Any) -> Iterator[Any]:
    match value:
        case str() if len(value) > 1:
            yield from value
        case list() | tuple():
            for item in value:
                yield from _leaves(item)
        case dict():
            for key, item in value.items():
                yield from _leaves(key)
                yield from _leaves(item)
        case int() | str():
            yield value


def _with_names(value: Any, names: dict[Any, Any]) -> Any:
    match value:
        case bool():
            return value
        case str():
            return "".join(str(names.get(letter, letter)) for letter in value)
        case int():
            return names.get(value, value)
        case list() | tuple():
            return type(value)(_with_names(item, names) for item in value)
        case dict():
            return {_with_names(key, names): _with_names(item, names) for key, item in value.items()}
    return value


def _reversed(value: Any, random: Random) -> Any:
    return value if isinstance(value, dict) else value[::-1]


def _doubled(value: Any, random: Random) -> Any:
    return value if isinstance(value, dict) else value + value


def _exchanged(value: Any, random: Random) -> Any:
    """Exchanges two members."""
    return _with_members(value, lambda items: _exchange(items, random))


def _exchange(items: list[Any], random: Random) -> list[Any]:
    one, other = random.randrange(len(items)), random.randrange(len(items))
    items[one], items[other] = items[other], items[one]
    return items


def _edited(value: Any, random: Random) -> Any:
    """Replaces a member in the second half by another one."""

    def edit(items: list[Any]) -> list[Any]:
        place = random.randrange(len(items) // 2, len(items))
        if isinstance(items[place], list | tuple) and items[place] and random.random() < 0.7:
            items[place] = _edited(items[place], random)
        else:
            items[place] = copy.deepcopy(random.choice(items))
        return items

    return _with_members(value, edit)


def _with_members(value: Any, change: Callable[[list[Any]], list[Any]]) -> Any:
    if not value or isinstance(value, dict):
        return value
    members = change(list(value))
    return "".join(members) if isinstance(value, str) else type(value)(members)
