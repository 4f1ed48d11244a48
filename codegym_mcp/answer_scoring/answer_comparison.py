"""Compares a submitted answer with the reference answer, by the type that the environment declares.

Both are plain JSON data here; none of the environment's code runs.
"""

import math
from bisect import bisect
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from typing_extensions import get_type_hints, is_typeddict

from codegym_mcp.answer_scoring.bipartite_matching import has_perfect_matching

DEFAULT_TOLERANCE = 1e-6
"""Default tolerance of floats, absolute or relative."""


@dataclass(frozen=True)
class AnswerType:
    """The type of an answer, and the rule by which two answers are equal.

    Attributes:
        annotation: the declared type.
        any_order: whether the order of a list is ignored.
        tolerance: the maximum absolute difference of floats, or None for `DEFAULT_TOLERANCE`, absolute or
            relative.
    """

    annotation: Any
    any_order: bool = False
    tolerance: float | None = None

    def equal(self, reference: Any, answer: Any) -> bool:
        """Checks whether an answer equals the reference answer.

        `true` never equals 1, and 10.0 equals 10 only if a float is declared. Strings are compared without
        surrounding white space, sets and lists of any order by their members.
        """
        if self.any_order and isinstance(reference, list) and isinstance(answer, list):
            item = get_args(self.annotation)[0]
            return self._same_members(item, reference, answer)
        return self._equal(self.annotation, reference, answer)

    def _equal(self, kind: Any, left: Any, right: Any) -> bool:
        origin = get_origin(kind)
        if kind is Any:
            return self._equal_untyped(left, right)
        if origin is Annotated:
            return self._equal(get_args(kind)[0], left, right)
        if kind is float:
            return _is_number(left) and _is_number(right) and self._close(left, right)
        if kind is str:
            return type(left) is str and type(right) is str and left.strip() == right.strip()
        if kind in (int, bool, None, NoneType) or origin is Literal:
            return type(left) is type(right) and left == right
        if origin in (Union, UnionType):
            return any(self._equal(member, left, right) for member in get_args(kind))
        if is_typeddict(kind):
            fields = get_type_hints(kind)
            return (
                isinstance(left, dict)
                and isinstance(right, dict)
                and left.keys() == right.keys()
                and all(
                    name in fields and self._equal(fields[name], left[name], right[name]) for name in left
                )
            )
        if origin is dict:
            value = get_args(kind)[1]
            return (
                isinstance(left, dict)
                and isinstance(right, dict)
                and left.keys() == right.keys()
                and all(self._equal(value, left[key], right[key]) for key in left)
            )
        if not isinstance(left, list) or not isinstance(right, list):
            return False
        if origin is tuple:
            kinds = get_args(kind)
            return len(left) == len(right) == len(kinds) and all(map(self._equal, kinds, left, right))
        (item,) = get_args(kind)
        if origin is set:
            return self._same_set(item, left, right)
        return len(left) == len(right) and all(
            self._equal(item, a, b) for a, b in zip(left, right, strict=True)
        )

    def _equal_untyped(self, left: Any, right: Any) -> bool:
        if type(left) is not type(right):
            return False
        if isinstance(left, float):
            return self._close(left, right)
        if isinstance(left, str):
            return bool(left.strip() == right.strip())
        if isinstance(left, list):
            return len(left) == len(right) and all(map(self._equal_untyped, left, right))
        if isinstance(left, dict):
            return left.keys() == right.keys() and all(
                self._equal_untyped(left[key], right[key]) for key in left
            )
        return bool(left == right)

    def _close(self, left: float, right: float) -> bool:
        try:
            if self.tolerance is not None:
                # A tolerance of 0.01 must accept 0.30 for 0.31; their binary difference is slightly larger.
                return abs(left - right) <= self.tolerance * (1 + 1e-9)
            return math.isclose(left, right, rel_tol=DEFAULT_TOLERANCE, abs_tol=DEFAULT_TOLERANCE)
        except OverflowError:
            # An integer too large for a float is close only to itself.
            return left == right

    def _same_set(self, item: Any, left: Sequence[Any], right: Sequence[Any]) -> bool:
        """Checks whether each member of either set equals a member of the other."""
        if is_exact(item):
            return set(map(exact_key, left)) == set(map(exact_key, right))
        if item is float and _are_numbers(left, right):
            return self._near(sorted(left), sorted(right)) and self._near(sorted(right), sorted(left))
        return self._covers(item, left, right) and self._covers(item, right, left)

    def _near(self, left: Sequence[float], right: Sequence[float]) -> bool:
        """Checks whether each number on the left is close to one on the right; both are sorted."""
        for value in left:
            place = bisect(right, value)
            if not any(self._close(value, other) for other in right[max(place - 1, 0) : place + 1]):
                return False
        return True

    def _covers(self, item: Any, left: Sequence[Any], right: Sequence[Any]) -> bool:
        return all(any(self._equal(item, a, b) for b in right) for a in left)

    def _same_members(self, item: Any, left: Sequence[Any], right: Sequence[Any]) -> bool:
        """Checks whether the members can be paired one to one."""
        if len(left) != len(right):
            return False
        if is_exact(item):
            return Counter(map(exact_key, left)) == Counter(map(exact_key, right))
        if item is float and _are_numbers(left, right):
            return all(map(self._close, sorted(left), sorted(right)))
        return has_perfect_matching(len(left), lambda a, b: self._equal(item, left[a], right[b]))


NO_ANSWER = AnswerType(None)
"""The type of the answer of an environment whose final state alone is scored."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_numbers(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return all(map(_is_number, left)) and all(map(_is_number, right))


def is_exact(kind: Any) -> bool:
    """Checks whether values of the type are equal exactly if their keys are: no float, no ignored order."""
    origin = get_origin(kind)
    if origin is Literal:
        return all(value == value.strip() for value in get_args(kind) if isinstance(value, str))
    if origin is Annotated:
        return is_exact(get_args(kind)[0])
    if is_typeddict(kind):
        return all(map(is_exact, get_type_hints(kind).values()))
    if origin in (list, dict, tuple, Union, UnionType):
        return all(map(is_exact, get_args(kind)))
    return kind in (int, str, bool, None, NoneType)


def exact_key(value: Any) -> Hashable:
    """Returns the key by which a value of an exact type is compared."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return tuple(map(exact_key, value))
    if isinstance(value, dict):
        return frozenset((name, exact_key(member)) for name, member in value.items())
    return type(value), value
