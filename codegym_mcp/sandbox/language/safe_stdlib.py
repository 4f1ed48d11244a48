"""What environment code gets where a library's own would show too much, or would differ from run to run."""

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
    """`random.Random`, always seeded: without an argument it would take its seed from the system."""

    def seed(self, a: Any = None, version: int = 2) -> None:
        """Seeds the generator; without an argument, and with NaN, whose hash is an address, with 0."""
        super().seed(0 if a is None or (type(a) is float and math.isnan(a)) else a, version)


class GymEnv:
    """The base class that CodeGym's classes inherit from; it does nothing."""


class TypeHint:
    """Stands in for the names of `typing`.

    Annotations are read from the text and never run, so all that is left of `typing` at run time are aliases
    such as `Grid = List[List[int]]`, which only have to be accepted.
    """

    __slots__ = ()

    def __getitem__(self, item: Any) -> "TypeHint":
        return self

    def __or__(self, other: Any) -> "TypeHint":
        return self

    __ror__ = __or__


class RecordHint(TypeHint):
    """Stands in for `TypedDict`: at run time a record is a dict."""

    __slots__ = ()

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (dict,)

    def __call__(self, *arguments: Any, **keywords: Any) -> type:
        return dict


def portable_sum(items: Any, /, start: Any = 0) -> Any:
    """`sum`, with the same result in every version of Python: floats are added from left to right.

    Since Python 3.12, the builtin compensates rounding errors.
    """
    values = items if type(items) in (list, tuple) else list(items)
    total = builtins.sum(values, start)
    return functools.reduce(operator.add, values, start) if type(total) in (float, complex) else total


def cache(function: Any) -> Any:
    """`functools.cache`."""
    return lru_cache(None)(function)


def lru_cache(maxsize: Any = 128, typed: bool = False) -> Any:
    """`functools.lru_cache` for functions alone: a class would lend the wrapper its raw attributes."""
    if callable(maxsize):
        return lru_cache()(maxsize)

    def decorate(function: Any) -> Any:
        if type(function) is not FunctionType:
            raise TypeError("only functions can be cached here")
        return functools.lru_cache(maxsize, typed)(function)

    return decorate


def deepcopy(item: Any, /) -> Any:
    """`copy.deepcopy` without its memo, whose keys are addresses."""
    return copy.deepcopy(item)


def literal_eval(text: Any, /) -> Any:
    """`ast.literal_eval`, whose own message shows an address."""
    try:
        return ast.literal_eval(text)
    except ValueError:
        raise ValueError("malformed node or string") from None
