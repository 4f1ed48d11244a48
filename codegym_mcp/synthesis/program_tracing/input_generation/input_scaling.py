"""Generates arguments like those of the tests, but larger, so that a task takes many calls."""

import copy
import re
from collections.abc import Sequence
from random import Random
from typing import Any

from codegym_mcp.synthesis.program_tracing.input_generation.input_invariants import Relations
from codegym_mcp.synthesis.program_tracing.input_generation.similar_values import SimilarValues, sorted_by

_MAX_CHARACTERS = 2_500
_ATTEMPTS = 4
_STRUCTURED = 0.35
"""Share of the calls that are made of a whole argument of a test: repeated, mirrored or sorted."""
_LARGE = 40


class InputScaler:
    """Generates calls from the calls of the tests. The same examples and seed give the same calls."""

    def __init__(self, examples: Sequence[tuple[Any, ...]], seed: str, statement: str = "") -> None:
        """
        Args:
            statement: the problem in words, whose preconditions are kept.
        """
        self._examples = list(examples)
        self._relations = Relations.of(self._examples)
        self._only_numbers = all(type(value) is int for call in self._examples for value in call)
        self._random = Random(seed)  # noqa: S311 - repeatable, not secret
        only_digits = _has_only_digits(examples) and bool(_DIGITS.search(statement))
        self._values = SimilarValues(self._random, only_digits=only_digits)

    def generate(self, count: int) -> list[tuple[Any, ...]]:
        """Returns at most `count` different calls."""
        found: dict[str, tuple[Any, ...]] = {}
        for _ in range(count * _ATTEMPTS):
            if len(found) >= count:
                break
            call = self._call()
            text = repr(call)
            if len(text) <= _MAX_CHARACTERS:
                found.setdefault(text, call)
        # Small ones come first, because the slower ones are not run after some have exceeded their time.
        return sorted(found.values(), key=lambda call: len(repr(call)))

    def _call(self) -> tuple[Any, ...]:
        base = self._random.choice(self._examples)
        size = self._random.choice((8, 12, 16, 20, 24))
        structured = self._random.random() < _STRUCTURED
        arguments = []
        for place, value in enumerate(base):
            samples = [call[place] for call in self._examples]
            made = self._restructured(value, samples, size) if structured else None
            arguments.append(self._values.value(value, samples, size) if made is None else made)
        if self._only_numbers:
            arguments = [self._enlarged(value) for value in arguments]
        self._relate(arguments)
        return tuple(arguments)

    def _enlarged(self, value: int) -> int:
        """Returns a greater number half of the time, because loops up to small numbers take few calls."""
        if 0 <= value < _LARGE and self._random.random() < 0.6:
            return value + self._random.randint(0, _LARGE)
        return value

    def _restructured(self, value: Any, samples: list[Any], size: int) -> Any:
        """Returns a text or list made of a whole argument of a test, or None for other values."""
        random = self._random
        if not isinstance(value, list | str) or not value:
            return None
        if isinstance(value, str) and all(len(each) <= 1 for each in samples if isinstance(each, str)):
            return None
        lists = [each for each in samples if isinstance(each, list)]
        rules = self._values.rules_of(lists) if isinstance(value, list) else None
        if rules is not None and (rules.distinct or rules.rectangular or rules.indices):
            return None
        choice = random.random()
        whole: Any = value
        longer = whole * max(1, -(-size // len(value)))
        if choice < 0.4:
            made = longer[:size] if isinstance(value, list) else longer
        elif choice < 0.7:
            half: Any = longer[: max(len(value), size // 2)]
            made = half + half[::-1]
        else:
            other: Any = random.choice([each for each in samples if type(each) is type(value)])
            made = (whole + other + whole)[:size]
        if isinstance(made, str):
            edits = random.choice((0, 0, 1, 2))
            alphabet = sorted(set("".join(each for each in samples if isinstance(each, str))))
            for _ in range(edits):
                made = self._values.edit_text(made, alphabet)
            return made
        made = copy.deepcopy(made)
        items = [item for each in lists for item in each]
        for _ in range(random.choice((0, 0, 1, 2))):
            made[random.randrange(len(made))] = self._values.value(random.choice(items), items, 4)
        if rules is not None and (rules.ascending or rules.descending):
            made = sorted_by(made, rules)
        return made

    def _relate(self, arguments: list[Any]) -> None:
        """Restores what holds between parameters, and plants members."""
        relations, random = self._relations, self._random
        for one, other in relations.equal_lengths:
            if isinstance(arguments[one], dict):
                continue
            length = min(len(arguments[one]), len(arguments[other]))
            arguments[one], arguments[other] = arguments[one][:length], arguments[other][:length]
        for one, other in relations.equal_lengths:
            if random.random() < 0.4:
                arguments[other] = self._changed_copy(arguments[one], arguments[other])
        for one, other in relations.members:
            container = arguments[other]
            if type(arguments[one]) not in {type(each) for each in _members_of(container)}:
                continue
            planted = (one, other) in relations.always_members or random.random() < 0.6
            if isinstance(container, list | tuple | dict | str) and len(container) and planted:
                arguments[one] = self._member(container, arguments[one])
        for one, other in relations.disjoint:
            kept = [item for item in arguments[one] if item not in arguments[other]]
            if random.random() < 0.4 and len(kept) > 1:
                arguments[one] = type(arguments[one])(kept)
        for one, other in relations.within_length:
            greatest = len(arguments[other]) - ((one, other) in relations.below_length)
            least = min(call[one] for call in self._examples)
            fitting = isinstance(arguments[one], int) and greatest >= least
            if fitting and not 0 <= arguments[one] <= greatest:
                arguments[one] = random.randint(min(least, greatest), greatest)
        lengths = {one for one, _ in relations.is_length}
        for one, other in relations.is_length:
            arguments[one] = len(arguments[other])
        for one, other in relations.ordered:
            both = isinstance(arguments[one], int) and isinstance(arguments[other], int)
            if not both or arguments[one] <= arguments[other] or {one, other} <= lengths:
                continue
            if one in lengths:
                arguments[other] = arguments[one]
            elif other in lengths:
                arguments[one] = arguments[other]
            else:
                arguments[one], arguments[other] = arguments[other], arguments[one]

    def _changed_copy(self, value: Any, other: Any) -> Any:
        """Returns a copy of a sequence with one or two members of another one."""
        if not isinstance(value, list) or len(value) != len(other):
            return other
        if {type(item) for item in value} != {type(item) for item in other}:
            return other
        made = copy.deepcopy(value)
        for _ in range(self._random.choice((0, 1, 2))):
            place = self._random.randrange(len(made)) if made else 0
            made[place : place + 1] = copy.deepcopy(other[place : place + 1])
        return made

    def _member(self, container: Any, value: Any) -> Any:
        if isinstance(container, str):
            length = min(len(container), len(value))
            start = self._random.randrange(len(container) - length + 1)
            return container[start : start + length]
        return self._random.choice(list(container))


_DIGITS = re.compile(r"\bdigits?\b", re.IGNORECASE)


def _has_only_digits(examples: Sequence[tuple[Any, ...]]) -> bool:
    """Returns whether all lists of numbers in calls hold digits, and there are such lists."""
    lists = [value for call in examples for value in call if isinstance(value, list | tuple) and value]
    return bool(lists) and all(type(item) is int and 0 <= item <= 9 for value in lists for item in value)


def _members_of(container: Any) -> list[Any]:
    if isinstance(container, str):
        return [container]
    return list(container) if isinstance(container, list | tuple | dict) else []
