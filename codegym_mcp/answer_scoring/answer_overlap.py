"""Measures how much of an answer agrees with the reference answer. The reward does not depend on it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from typing_extensions import get_type_hints, is_typeddict

from codegym_mcp.answer_scoring.answer_comparison import AnswerType, exact_key, is_exact
from codegym_mcp.answer_scoring.bipartite_matching import count_pairs

_MOST_MATCHED = 500
"""Members that are equal only approximately are paired one by one, which takes quadratic time."""


def measure_overlap(declared: AnswerType, reference: Any, answer: Any) -> float | None:
    """Returns the share of two collections that agrees, from 0 to 1.

    It is the number of members that can be paired with an equal member of the other collection, divided by
    the size of the larger one. The members of a list that has an order are paired by their places, those of a
    mapping by their keys. Two empty collections agree entirely.

    Args:
        declared: the type of both, by which members are compared.

    Returns:
        None if not both are collections, or if more than 500 members would have to be compared in pairs.
    """
    kind = _resolve(declared, reference)
    if isinstance(reference, dict) and isinstance(answer, dict):
        return _share(_equal_by_key(declared, kind, reference, answer), reference, answer)
    if not isinstance(reference, list) or not isinstance(answer, list):
        return None
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        equal = sum(
            replace(declared, annotation=each).equal(left, right)
            for each, left, right in zip(kinds, reference, answer, strict=False)
        )
        return _share(equal, reference, answer)
    item = replace(declared, annotation=next(iter(get_args(kind)), Any), any_order=False)
    if get_origin(kind) is set:
        reference, answer = _distinct(item, reference), _distinct(item, answer)
    elif not declared.any_order:
        return _share(sum(map(item.equal, reference, answer)), reference, answer)
    if is_exact(item.annotation):
        pairs = (Counter(map(exact_key, reference)) & Counter(map(exact_key, answer))).total()
    elif max(len(reference), len(answer)) > _MOST_MATCHED:
        return None
    else:
        left, right = reference, answer
        pairs = count_pairs(len(left), len(right), lambda a, b: item.equal(left[a], right[b]))
    return _share(pairs, reference, answer)


def _resolve(declared: AnswerType, reference: Any) -> Any:
    """Returns the type of the reference, without annotations and as one member of a union."""
    kind = declared.annotation
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, UnionType):
            fitting = (
                each
                for each in get_args(kind)
                if replace(declared, annotation=each, any_order=False).equal(reference, reference)
            )
            kind = next(fitting, Any)
        else:
            return kind


def _equal_by_key(declared: AnswerType, kind: Any, reference: dict[str, Any], answer: dict[str, Any]) -> int:
    fields = get_type_hints(kind) if is_typeddict(kind) else {}
    value = get_args(kind)[1] if get_origin(kind) is dict else Any
    return sum(
        replace(declared, annotation=fields.get(key, value), any_order=False).equal(
            reference[key], answer[key]
        )
        for key in reference.keys() & answer.keys()
    )


def _distinct(item: AnswerType, members: Sequence[Any]) -> list[Any]:
    """Returns the members of a set, each once."""
    if is_exact(item.annotation):
        return list({exact_key(member): member for member in members}.values())
    distinct: list[Any] = []
    for member in members[: _MOST_MATCHED + 1]:
        if not any(item.equal(member, other) for other in distinct):
            distinct.append(member)
    return distinct + list(members[_MOST_MATCHED + 1 :])


def _share(pairs: int, reference: Any, answer: Any) -> float:
    larger = max(len(reference), len(answer))
    return round(pairs / larger, 4) if larger else 1.0
