"""Replacements for functions of the standard library that would expose too much or differ from run to run."""

import ast
import builtins
import copy
import functools
import math
import operator
import random
from types import FunctionType
from typing import Any


class SeededRandom(random.Random):
    """`random.Random` that is always seeded: without a seed, the original uses the system's randomness."""

    def seed(self, a: Any = None, version: int = 2) -> None:
        """Seeds the generator; without an argument, and with NaN, whose hash is an address, with 0."""
        super().seed(0 if a is None or (type(a) is float and math.isnan(a)) else a, version)


class GymEnv:
    """The base class of classes in the CodeGym format; it does nothing."""


class TypeHint:
    """Replaces the names of `typing`.

    Annotations are read from the text and never run, so at run time `typing` is used only for aliases, for
    example `Grid = List[List[int]]`, which must be accepted.
    """

    __slots__ = ()

    def __getitem__(self, item: Any) -> "TypeHint":
        return self

    def __or__(self, other: Any) -> "TypeHint":
        return self

    __ror__ = __or__


class RecordHint(TypeHint):
    """Replaces `TypedDict`: at run time a record is a dict."""

    __slots__ = ()

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (dict,)

    def __call__(self, *arguments: Any, **keywords: Any) -> type:
        return dict


def portable_sum(items: Any, /, start: Any = 0) -> Any:
    """Does what `sum` does, with the same result in every version of Python: adds floats from left to right.

    Since Python 3.12, the builtin compensates rounding errors.
    """
    values = items if type(items) in (list, tuple) else list(items)
    total = builtins.sum(values, start)
    return functools.reduce(operator.add, values, start) if type(total) in (float, complex) else total


def cache(function: Any) -> Any:
    """Does what `functools.cache` does."""
    return lru_cache(None)(function)


def lru_cache(maxsize: Any = 128, typed: bool = False) -> Any:
    """Does what `functools.lru_cache` does, for functions only: of a class it would expose the attributes."""
    if callable(maxsize):
        return lru_cache()(maxsize)

    def decorate(function: Any) -> Any:
        if type(function) is not FunctionType:
            raise TypeError("only functions can be cached here")
        return functools.lru_cache(maxsize, typed)(function)

    return decorate


def deepcopy(item: Any, /) -> Any:
    """Does what `copy.deepcopy` does, without its memo, whose keys are addresses."""
    return copy.deepcopy(item)


def literal_eval(text: Any, /) -> Any:
    """Does what `ast.literal_eval` does, whose own error message contains an address."""
    try:
        return ast.literal_eval(text)
    except ValueError:
        raise ValueError("malformed node or string") from None
