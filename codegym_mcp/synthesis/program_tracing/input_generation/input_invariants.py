"""What all arguments of the tests have in common, and generated arguments therefore keep."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, permutations
from typing import Any

from codegym_mcp.synthesis.program_tracing.value_shapes import Kind, kind_of

_SMALL_ALPHABET = 3


@dataclass(frozen=True)
class SequenceRules:
    """What the sequences at one place have in common.

    Attributes:
        ascending, descending: whether they are sorted.
        distinct: whether no value is repeated.
        lengths: the only length, or None.
        row_length: the only length of their rows within each sequence, or 0 if each has its own; None if the
            rows differ in length.
        square: whether there are as many rows as columns.
        closed: whether the values come from a small alphabet.
        palindromic: whether they read the same in both directions.
        indices: whether the values are positions within the sequence.
    """

    ascending: bool
    descending: bool
    distinct: bool
    length: int | None
    rectangular: bool
    square: bool
    closed: bool
    indices: bool

    @classmethod
    def of(cls, sequences: Sequence[Any]) -> "SequenceRules":
        """Learns the rules of sequences."""
        long = [each for each in sequences if len(each) > 2]
        flat = [item for each in sequences for item in each]
        rows = [each for each in sequences if each and all(_is_sequence(item) for item in each)]
        numbers = bool(flat) and all(type(item) is int for item in flat)
        return cls(
            ascending=bool(long) and all(_ordered(each) for each in sequences),
            descending=bool(long) and all(_ordered(each[::-1]) for each in sequences),
            distinct=len(flat) > 3 and all(_is_distinct(each) for each in sequences),
            length=len(sequences[0]) if len({len(each) for each in sequences}) == 1 else None,
            rectangular=bool(rows) and all(len({len(row) for row in each}) == 1 for each in rows),
            square=bool(rows)
            and not any(isinstance(row, tuple) for each in rows for row in each)
            and all(len({len(row) for row in each} | {len(each)}) == 1 for each in rows),
            closed=len(flat) >= 8 and len({repr(item) for item in flat}) <= _SMALL_ALPHABET,
            indices=numbers and len(flat) > 5 and all(0 <= x < len(each) for each in sequences for x in each),
        )


@dataclass(frozen=True)
class Relations:
    """What holds between the parameters of all calls, by the places of the parameters.

    Attributes:
        equal_lengths: pairs of containers of equal length.
        is_length: an int that is the length of a container.
        within_length: an int from 0 to the length of a container.
        below_length: whether such an int is always less than the length.
        members: a value that is a member of a container in some calls.
        always_members: such pairs of which the value is a member in all calls.
        disjoint: pairs of lists that have no common member in some calls.
        ordered: pairs of ints of which the first is never the greater.
    """

    equal_lengths: list[tuple[int, int]]
    is_length: list[tuple[int, int]]
    within_length: list[tuple[int, int]]
    below_length: set[tuple[int, int]]
    members: list[tuple[int, int]]
    always_members: set[tuple[int, int]]
    disjoint: list[tuple[int, int]]
    ordered: list[tuple[int, int]]

    @classmethod
    def of(cls, examples: Sequence[tuple[Any, ...]]) -> "Relations":
        """Learns what holds between parameters."""

        def pairs(test: Callable[[Any, Any], bool]) -> Iterator[tuple[int, int]]:
            for one, other in permutations(range(len(examples[0])), 2):
                if all(test(call[one], call[other]) for call in examples):
                    yield one, other

        def is_count(value: Any) -> bool:
            return type(value) is int

        within = list(pairs(lambda n, xs: is_count(n) and _sized(xs) and 0 <= n <= len(xs)))
        length = list(pairs(lambda n, xs: is_count(n) and _sized(xs) and n == len(xs)))
        below = set(pairs(lambda n, xs: is_count(n) and _sized(xs) and 0 <= n < len(xs)))
        members = [
            (one, other)
            for one, other in permutations(range(len(examples[0])), 2)
            if any(_contains(call[other], call[one]) for call in examples)
        ]
        several = len(examples) > 1
        lists = list(pairs(lambda a, b: isinstance(a, list | tuple) and isinstance(b, list | tuple)))
        disjoint = [
            (one, other)
            for one, other in lists
            if any(_is_disjoint(call[one], call[other]) for call in examples)
        ]
        equal = pairs(lambda a, b: _sized(a) and _sized(b) and len(a) == len(b) and type(a) is type(b))
        ordered = pairs(lambda a, b: is_count(a) and is_count(b) and a <= b) if several else iter(())
        return cls(
            equal_lengths=[pair for pair in equal if pair[0] < pair[1]],
            is_length=length if several else [],
            within_length=[pair for pair in within if pair not in length or not several],
            below_length=below,
            members=members,
            always_members=set(pairs(lambda value, container: _contains(container, value))),
            disjoint=[pair for pair in disjoint if pair[0] < pair[1]],
            ordered=list(ordered),
        )


class Preconditions:
    """What all calls of the tests have in common, which other calls keep too."""

    def __init__(self, examples: Sequence[tuple[Any, ...]]) -> None:
        self._examples = list(examples)
        self._relations = Relations.of(self._examples)
        self._columns = [list(column) for column in zip(*self._examples, strict=True)]
        self._rules = [_rules_of(column) for column in self._columns]

    def restored(self, arguments: Sequence[Any]) -> tuple[Any, ...] | None:
        """Returns arguments with the right lengths and order, or None if they break what the tests keep."""
        made = list(arguments)
        for place, rules in enumerate(self._rules):
            if rules is not None and (rules.ascending or rules.descending):
                try:
                    made[place] = type(made[place])(sorted(made[place], reverse=not rules.ascending))
                except TypeError:
                    return None
        for one, other in self._relations.is_length:
            made[one] = len(made[other])
        return tuple(made) if self._hold(made) else None

    def _hold(self, arguments: list[Any]) -> bool:
        for column, rules, value in zip(self._columns, self._rules, arguments, strict=True):
            if type(value) is int and min(map(_number, column)) >= 0 > value:
                return False
            if rules is not None and _rules_of([*column, value]) != rules:
                return False
        after, before = Relations.of([*self._examples, tuple(arguments)]), self._relations
        return all(
            getattr(after, name) == getattr(before, name)
            for name in ("equal_lengths", "is_length", "within_length", "always_members", "ordered")
        )


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0


def _rules_of(values: list[Any]) -> SequenceRules | None:
    """Returns the rules of lists of any length, or None for other values."""
    if not all(isinstance(value, list | tuple) for value in values):
        return None
    return replace(SequenceRules.of(values), length=None)


def _is_disjoint(one: Any, other: Any) -> bool:
    known = {repr(item) for item in other}
    return not any(repr(item) in known for item in one)


def _sized(value: Any) -> bool:
    return isinstance(value, list | tuple | str | dict)


def _contains(container: Any, value: Any) -> bool:
    if isinstance(container, str):
        return isinstance(value, str) and 0 < len(value) < len(container) and value in container
    if isinstance(value, dict | set | list | tuple) or not isinstance(container, list | tuple | dict):
        return False
    return value in container


def _is_sequence(value: Any) -> bool:
    return kind_of(value) in (Kind.LIST, Kind.TUPLE)


def _ordered(values: Sequence[Any]) -> bool:
    try:
        return all(one <= other for one, other in pairwise(values))
    except TypeError:
        return False


def _is_distinct(values: Sequence[Any]) -> bool:
    texts = [repr(item) for item in values]
    return len(texts) == len(set(texts))
