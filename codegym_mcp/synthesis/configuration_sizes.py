"""Learns from generated configurations which numbers are sizes, and finds contradicting ones."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from codegym_mcp.verification.audit.config_invariants import Kind, kind, walk

_DIFFERENCES = {-1: "one less than that", 0: "the same", 1: "one more than that"}
"""What a number may be in comparison with a size, for people."""


class _SizeRule(NamedTuple):
    """A number that has always the same difference from the size of something."""

    measured: Kind
    difference: int
    number: Kind


class SizeRules:
    """The numbers that are sizes in all of the given configurations.

    A number that is the same in all configurations is not one of them, because it may equal a size by chance.

    Args:
        configurations: configurations as plain data; at least one.
    """

    def __init__(self, configurations: Sequence[dict[str, Any]]) -> None:
        first, *others = (set(_rules(configuration)) for configuration in configurations)
        values: dict[Kind, set[int]] = defaultdict(set)
        for configuration in configurations:
            for place, number in _numbers(configuration).items():
                values[place].add(number)
        self._numbers: dict[tuple[Kind, int], list[Kind]] = defaultdict(list)
        for rule in sorted(first.intersection(*others)):
            if len(values[rule.number]) > 1:
                self._numbers[rule.measured, rule.difference].append(rule.number)

    def contradictions(self, configuration: dict[str, Any]) -> list[str]:
        """Returns a sentence for each list, text or object that has another size than it always has.

        If several numbers have always been its size, one of them suffices: a generator may use one size for
        two things that are independent of each other.
        """
        numbers, measured = _numbers(configuration), _measure(configuration)
        found = []
        for (place, difference), names in self._numbers.items():
            sizes = {len(value) for value in measured.get(place, ())}
            given = [name for name in names if name in numbers]
            if sizes and given and all(sizes != {numbers[name] - difference} for name in given):
                found.append(_describe(given[0], numbers[given[0]], place, measured[place], difference))
        return found


def _describe(number: Kind, value: int, place: Kind, measured: Sequence[Any], difference: int) -> str:
    sizes = sorted({len(each) for each in measured})
    size = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    unit = "characters" if isinstance(measured[0], str) else "items"
    sentence = f"{_format(number)} is {value}, but {_format(place)} has {size} {unit}"
    if difference:
        sentence += f", and {_format(number)} is always {_DIFFERENCES[difference]}"
    return f"{sentence}."


def _rules(configuration: dict[str, Any]) -> Iterator[_SizeRule]:
    sizes = {place: {len(value) for value in values} for place, values in _measure(configuration).items()}
    for number, value in _numbers(configuration).items():
        for measured, found in sizes.items():
            (size, *others) = found
            if not others and value - size in _DIFFERENCES:
                yield _SizeRule(measured, value - size, number)


def _numbers(configuration: dict[str, Any]) -> dict[Kind, int]:
    """Returns the whole numbers that a configuration has once."""
    values: dict[Kind, list[Any]] = defaultdict(list)
    for path, value in walk(configuration):
        if not isinstance(value, list | dict):
            values[kind(path)].append(value)
    return {place: found[0] for place, found in values.items() if len(found) == 1 and type(found[0]) is int}


def _measure(configuration: dict[str, Any]) -> dict[Kind, list[Any]]:
    """Returns the lists, texts and objects of each kind."""
    measured: dict[Kind, list[Any]] = defaultdict(list)
    for path, value in walk(configuration):
        if isinstance(value, list | str | dict):
            measured[kind(path)].append(value)
    return measured


def _format(place: Kind) -> str:
    """Returns a kind for people, for example `rows[].cells`."""
    return ".".join(place).replace(".[]", "[]")
