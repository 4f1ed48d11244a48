"""Learns invariants of an environment's configurations from its tasks.

Examples: a list is always sorted, a number is always the length of a list, names always refer to entries
elsewhere. A relation that holds for every task is taken as an invariant.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import Any

Path = tuple[str | int, ...]
Kind = tuple[str, ...]
"""A path with its list indices replaced by `[]`: all items of a list have the same kind."""
Rule = tuple[str, *tuple[Kind, ...]]

_ITEM = "[]"
_NEAR = (-1, 0, 1)


class Invariants:
    """The rules that hold for all of the given configurations.

    Args:
        configurations: configurations as plain data; at least one.
    """

    def __init__(self, configurations: Sequence[dict[str, Any]]) -> None:
        first, *others = (set(_rules(configuration)) for configuration in configurations)
        self._rules = first.intersection(*others)

    def hold(self, configuration: dict[str, Any]) -> bool:
        """Returns whether a configuration satisfies all rules."""
        return self._rules <= set(_rules(configuration))


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yields every value within a value, with its path; containers come before their parts."""
    if path:
        yield path, value
    if isinstance(value, dict):
        for key, member in value.items():
            yield from walk(member, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from walk(item, (*path, place))


def kind(path: Path) -> Kind:
    """Returns the kind of a path."""
    return tuple(_ITEM if isinstance(part, int) else part for part in path)


def is_repeated(place: Kind) -> bool:
    """Returns whether one configuration can have several places of this kind."""
    return _ITEM in place


def _rules(configuration: dict[str, Any]) -> Iterator[Rule]:
    lists: dict[Kind, list[list[Any]]] = defaultdict(list)
    values: dict[Kind, list[Any]] = defaultdict(list)
    for path, value in walk(configuration):
        if isinstance(value, list):
            lists[kind(path)].append(value)
        elif not isinstance(value, dict):
            values[kind(path)].append(value)
    for rule, holds in _ORDERLY.items():
        yield from ((f"{rule} list", place) for place, found in lists.items() if all(map(holds, found)))
        yield from ((f"{rule} values", place) for place, found in values.items() if holds(found))
    yield from _lengths(lists, values)
    yield from _orders(values)
    yield from _references(configuration)


def _lengths(lists: dict[Kind, list[list[Any]]], values: dict[Kind, list[Any]]) -> Iterator[Rule]:
    """Yields lists of equal length, and numbers that are the length of a list or differ from it by one."""
    lengths = {place: len(found[0]) for place, found in lists.items() if len(found) == 1}
    for (one, length), (other, same) in combinations(lengths.items(), 2):
        if length == same:
            yield "same length", one, other
    for place, number in _single_numbers(values):
        for listed, length in lengths.items():
            if number - length in _NEAR:
                yield f"length {number - length:+}", place, listed


def _orders(values: dict[Kind, list[Any]]) -> Iterator[Rule]:
    """Yields pairs of numbers of which one is never larger than the other."""
    numbers = list(_single_numbers(values))
    for one, small in numbers:
        for other, large in numbers:
            if one != other and small <= large:
                yield "not above", one, other


def _single_numbers(values: dict[Kind, list[Any]]) -> Iterable[tuple[Kind, int]]:
    return ((place, found[0]) for place, found in values.items() if len(found) == 1 and type(found[0]) is int)


def _references(configuration: dict[str, Any]) -> Iterator[Rule]:
    """Yields the kinds whose values all occur elsewhere, as a key or as a value of another kind."""
    named: dict[str, set[Kind]] = defaultdict(set)
    places: dict[Kind, list[str]] = defaultdict(list)
    for path, value in walk(configuration):
        if isinstance(path[-1], str):
            named[path[-1]].add((*kind(path), "key"))
        if not isinstance(value, dict | list):
            named[str(value)].add(kind(path))
            places[kind(path)].append(str(value))
    for place, told in places.items():
        if all(named[text] != {place} for text in told):
            yield "named elsewhere", place


def _is_sorted(items: list[Any]) -> bool:
    try:
        return all(a <= b for a, b in pairwise(items))
    except TypeError:
        return False


def _is_distinct(items: list[Any]) -> bool:
    return all(item not in items[:place] for place, item in enumerate(items))


_ORDERLY = {"sorted": _is_sorted, "distinct": _is_distinct}
