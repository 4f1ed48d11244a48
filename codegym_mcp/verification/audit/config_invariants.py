"""Learns invariants of an environment's configurations from its tasks.

Examples: a list is always sorted, a number is always the length of a list, names always refer to entries
elsewhere. A relation that holds for every task is taken as an invariant.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import Any, NamedTuple

Path = tuple[str | int, ...]
Kind = tuple[str, ...]
"""A path with its list indices replaced by `[]`: all items of a list have the same kind."""
Rule = tuple[str, *tuple[Kind, ...]]

_ITEM = "[]"
_NEAR = (-1, 0, 1)
_LENGTH = "length "
_NAMED = "named elsewhere"
_VALUES = " values"


class SizeLink(NamedTuple):
    """A number that is always the length of a list or text, plus a constant difference.

    Attributes:
        number: the kind of the number.
        measured: the kind of the lists or texts, which all have the same length in one configuration.
        difference: what is added to the length, -1 to 1.
    """

    number: Kind
    measured: Kind
    difference: int


class Invariants:
    """The rules that hold for all of the given configurations.

    Args:
        configurations: configurations as plain data; at least one.

    Attributes:
        size_links: the numbers that follow the length of a list or text.
        alphabets: the characters that occur in the texts of each kind.
    """

    def __init__(self, configurations: Sequence[dict[str, Any]]) -> None:
        first, *others = (set(_rules(configuration)) for configuration in configurations)
        rules = first.intersection(*others)
        # The form of a name says nothing: another name that occurs elsewhere may take its place.
        names = {place for name, *places in rules if name == _NAMED for place in places}
        texts = {
            kind(path) for each in configurations for path, value in walk(each) if isinstance(value, str)
        }
        self._rules = {
            rule
            for rule in rules
            if rule[0] == _NAMED or not names & texts & set(rule[1:]) or _is_of_values(rule)
        }
        self.size_links = [
            SizeLink(kinds[0], kinds[1], int(name.removeprefix(_LENGTH)))
            for name, *kinds in sorted(self._rules)
            if name.startswith(_LENGTH)
        ]
        self.alphabets: dict[Kind, set[str]] = defaultdict(set)
        for configuration in configurations:
            for path, value in walk(configuration):
                if isinstance(value, str):
                    self.alphabets[kind(path)] |= set(value)

    def hold(self, configuration: dict[str, Any]) -> bool:
        """Returns whether a configuration satisfies all rules."""
        return self._rules <= set(_rules(configuration)) and all(
            set(value) <= self.alphabets[kind(path)]
            for path, value in walk(configuration)
            if isinstance(value, str) and kind(path) in self.alphabets and not self.names_others(kind(path))
        )

    def names_others(self, place: Kind) -> bool:
        """Returns whether the values of a kind always occur elsewhere in the configuration too."""
        return (_NAMED, place) in self._rules


def _is_of_values(rule: Rule) -> bool:
    """Returns whether a rule is about all values of a kind, not about the form of each."""
    return rule[0].endswith(_VALUES)


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
    sequences: dict[Kind, list[list[Any] | str]] = defaultdict(list)
    for path, value in walk(configuration):
        if isinstance(value, list | str):
            sequences[kind(path)].append(value)
    lengths, values = _measure(configuration)
    for rule, holds in _ORDERLY.items():
        yield from ((f"{rule} items", place) for place, found in sequences.items() if all(map(holds, found)))
        yield from ((f"{rule}{_VALUES}", place) for place, found in values.items() if holds(found))
    yield from _length_rules(lengths, values)
    yield from _orders(values)
    yield from _references(configuration)


def _measure(configuration: dict[str, Any]) -> tuple[dict[Kind, int], dict[Kind, list[Any]]]:
    """Returns the length of the lists and texts of each kind if it is the same for all, and all scalars."""
    lengths: dict[Kind, set[int]] = defaultdict(set)
    values: dict[Kind, list[Any]] = defaultdict(list)
    for path, value in walk(configuration):
        if isinstance(value, list | str):
            lengths[kind(path)].add(len(value))
        if not isinstance(value, list | dict):
            values[kind(path)].append(value)
    return {place: next(iter(found)) for place, found in lengths.items() if len(found) == 1}, values


def _length_rules(lengths: dict[Kind, int], values: dict[Kind, list[Any]]) -> Iterator[Rule]:
    """Yields kinds of equal length, and numbers that are a length or differ from it by one."""
    for place in lengths:
        yield "one length", place
    for (one, length), (other, same) in combinations(lengths.items(), 2):
        if length == same:
            yield "same length", one, other
    for place, number in _single_numbers(values):
        for measured, length in lengths.items():
            if number - length in _NEAR:
                yield f"{_LENGTH}{number - length:+}", place, measured


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
    for place, texts in places.items():
        if all(named[text] != {place} for text in texts):
            yield _NAMED, place


def _is_sorted(items: Sequence[Any]) -> bool:
    try:
        return all(a <= b for a, b in pairwise(items))
    except TypeError:
        return False


def _is_distinct(items: Sequence[Any]) -> bool:
    return all(item not in items[:place] for place, item in enumerate(items))


_ORDERLY = {"sorted": _is_sorted, "distinct": _is_distinct}
