"""Text of values without memory addresses, which differ from run to run.

Python shows addresses in the default text of functions, generators, iterators and other objects. Environment
code gets the functions below instead of `str`, `repr`, `ascii` and `format`, and the language policy applies
them to f-strings, to `%` and to the arguments of exceptions. Text that an environment itself writes is not
changed.
"""

import operator
import re
from typing import Any

_MARK = " at 0x"
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]{6,16}(?=[>:,])")
_PLAIN_TYPES = frozenset({str, int, float, bool, type(None), bytes, complex})
"""Types whose text contains no address."""


def without_addresses(text: str) -> str:
    """Removes the addresses that Python shows, as in `<function f at 0x7f0000000000>`."""
    return _ADDRESS.sub("", text) if _MARK in text else text


class _TextType(type):
    """The type of `Text`: calls make plain strings, and type checks are those of `str`."""

    def __call__(cls, *arguments: Any, **options: Any) -> str:
        text = str(*arguments, **options)
        return text if arguments and type(arguments[0]) is str else without_addresses(text)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, str)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, str)


class Text(str, metaclass=_TextType):
    """`str` for restricted code: makes plain strings, without addresses."""

    __slots__ = ()


Text.__name__ = Text.__qualname__ = "str"
Text.__module__ = "builtins"


def safe_repr(value: Any, /) -> str:
    """Does what `repr` does."""
    text = repr(value)
    return text if type(value) is str else without_addresses(text)


def safe_ascii(value: Any, /) -> str:
    """Does what `ascii` does."""
    text = ascii(value)
    return text if type(value) is str else without_addresses(text)


def safe_format(value: Any, format_spec: str = "", /) -> str:
    """Does what `format` does."""
    text = format(value, format_spec)
    return text if type(value) is str else without_addresses(text)


_CONVERSIONS: dict[int, Any] = {ord("s"): Text, ord("r"): safe_repr, ord("a"): safe_ascii}


def formatted_value(value: Any, conversion: int) -> Any:
    """Returns what an f-string formats for `{value}`, given the conversion of its syntax tree."""
    if conversion == -1:
        return value if type(value) in _PLAIN_TYPES else Text(value)
    return _CONVERSIONS[conversion](value)


class _ShownOperand:
    """An operand of `%` whose text would contain an address."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __str__(self) -> str:
        return Text(self._value)

    def __repr__(self) -> str:
        return safe_repr(self._value)


def modulo_operand(value: Any) -> Any:
    """Returns the right operand of `%`; the left one can be a format."""
    if type(value) in _PLAIN_TYPES:
        return value
    if type(value) is tuple:
        return tuple(map(_shown, value))
    if type(value) is dict:
        return {key: _shown(item) for key, item in value.items()}
    return _shown(value)


def _shown(value: Any) -> Any:
    if type(value) in _PLAIN_TYPES or (_MARK not in str(value) and _MARK not in repr(value)):
        return value
    return _ShownOperand(value)


def safe_modulo(left: Any, right: Any, /) -> Any:
    """Does what `operator.mod` does."""
    return operator.mod(left, modulo_operand(right))


def exception_arguments(error: BaseException) -> tuple[Any, ...]:
    """Returns an exception's `args`, whose texts the interpreter may have written."""
    return tuple(without_addresses(value) if type(value) is str else value for value in error.args)


TEXT_BUILTINS: dict[str, Any] = {
    "str": Text,
    "repr": safe_repr,
    "ascii": safe_ascii,
    "format": safe_format,
}
"""The builtins that make text of a value, by name."""
