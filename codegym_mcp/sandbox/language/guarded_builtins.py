"""The namespace in which restricted code runs: its builtins, and the guards that its syntax tree calls."""

import builtins
import datetime
import importlib
import itertools
import sys
import types
from abc import ABCMeta
from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

from RestrictedPython.Guards import safe_builtins
from RestrictedPython.transformer import INSPECT_ATTRIBUTES

from codegym_mcp.sandbox.language.allowed_modules import module_views
from codegym_mcp.sandbox.language.stdlib_replacements import GymEnv, literal_eval, portable_sum
from codegym_mcp.sandbox.language.text_without_addresses import (
    TEXT_BUILTINS,
    exception_arguments,
    formatted_value,
    modulo_operand,
    safe_format,
)

GUARDED: dict[str, tuple[type, str]] = {
    "format": (str, "use an f-string, or the function format"),
    "format_map": (str, "use an f-string"),
    "mro": (object, "classes cannot be inspected here"),
    "now": (datetime.date, "environments have no clock"),
    "obj": (AttributeError, "errors have only a message here"),
    "register": (ABCMeta, "abstract classes cannot be changed here"),
    "today": (datetime.date, "environments have no clock"),
    "utcnow": (datetime.date, "environments have no clock"),
}
"""The withheld attributes without a leading underscore: the type that has each, and the reason.

The policy does not guard any other public attribute, except `args`.
"""

CHECKED_ATTRIBUTES = frozenset({*GUARDED, "args"})
"""The attributes that restricted code reads through `get_attribute`."""

_MORE_BUILTINS = (
    "NotImplemented RecursionError all any ascii bin bytes classmethod dict enumerate filter format "
    "frozenset iter list map max min next property reversed set sorted staticmethod sum tuple zip"
).split()
_WITHHELD = (
    "_getattr_ delattr setattr "
    # They return addresses, or values that depend on the hash seed.
    "hash id "
    # The process that runs the environment handles them: EOFError means that the channel was closed.
    "BaseException GeneratorExit KeyboardInterrupt SystemExit EOFError"
).split()
_BASES = frozenset(
    {object, GymEnv, dict, list, set, tuple, frozenset, defaultdict, Counter, OrderedDict, deque}
)
_IMPORTED_BY_C = frozenset({"_strptime", "time"})


def _print(*values: Any, **options: Any) -> None:
    """Discards its arguments: a tool's only output is its result."""


def get_attribute(item: Any, name: str, /, *default: Any) -> Any:
    """Does what `getattr` does, for restricted code.

    Raises:
        AttributeError: the attribute does not exist, or is withheld.
    """
    if type(name) is not str:
        raise TypeError("attribute names are strings")
    if name[:1] == "_" or name in INSPECT_ATTRIBUTES:
        raise AttributeError(f"{name} is not available here")
    if name in GUARDED:
        owner, reason = GUARDED[name]
        if isinstance(item, owner) or (isinstance(item, type) and issubclass(item, owner)):
            raise AttributeError(f"{name} is not available here: {reason}")
    if name == "args" and isinstance(item, BaseException):
        return exception_arguments(item)
    return getattr(item, name, *default)


def has_attribute(item: Any, name: str, /) -> bool:
    """Does what `hasattr` does, for restricted code."""
    try:
        get_attribute(item, name)
    except AttributeError:
        return False
    return True


def fatal() -> Any:
    """Returns the types for a first `except`: all if the current exception is no `Exception`, else none."""
    return () if isinstance(sys.exc_info()[1], Exception) else BaseException


_SHARED_BUILTINS: dict[str, Any] = {
    **{name: value for name, value in safe_builtins.items() if name not in _WITHHELD},
    **{name: getattr(builtins, name) for name in _MORE_BUILTINS},
    "getattr": get_attribute,
    "hasattr": has_attribute,
    "literal_eval": literal_eval,
    "print": _print,
    "sum": portable_sum,
    **TEXT_BUILTINS,
}

BUILTINS = frozenset(_SHARED_BUILTINS)
"""The names that restricted code can use without importing or defining anything."""


def make_namespace() -> dict[str, Any]:
    """Builds the globals for one run of restricted code.

    Returns:
        A fresh namespace; no two of them share anything that can be changed.
    """
    own: set[type] = set()
    views = module_views()
    hashes = itertools.count()

    class OwnType(type):
        """The type of the environment's classes, whose hash is not an address but the same in every run."""

        def __hash__(cls) -> int:
            number: int = cls.__dict__.get("_number", 0)
            return number

    def build_class(body: Any, name: str, /, *bases: Any, **keywords: Any) -> Any:
        for base in types.resolve_bases(bases):
            if base not in own and base not in _BASES and not issubclass(base, Exception):
                raise TypeError(f"a class cannot inherit from {base.__name__} here")
        created: Any = builtins.__build_class__(body, name, *bases, metaclass=OwnType, **keywords)
        created._number = next(hashes)
        # The defaults depend on the address, which differs from run to run.
        if created.__repr__ is object.__repr__:
            created.__repr__ = lambda self: f"<{name}>"
        if created.__hash__ is object.__hash__:
            created.__hash__ = identity
        own.add(created)
        return created

    def identity(item: Any) -> int:
        return item.__dict__.setdefault("_identity", next(hashes))  # type: ignore[no-any-return]

    def guard_write(item: Any, /) -> Any:
        if type(item) in own:
            return item
        what = "classes" if isinstance(item, type) else f"objects of type {type(item).__name__}"
        raise TypeError(f"{what} cannot be changed here")

    def guarded_import(name: str, *rest: Any) -> Any:
        if name in views:
            return views[name]
        if name in _IMPORTED_BY_C:
            # C code of datetime imports the module by name, and then reads it from sys.modules.
            importlib.import_module(name)
            return None
        raise ImportError(f"import of {name} is not allowed")

    return {
        "__builtins__": {**_SHARED_BUILTINS, "__build_class__": build_class, "__import__": guarded_import},
        "__name__": "environment",
        "_fatal_": fatal,
        "_format_": safe_format,
        "_formatted_": formatted_value,
        "_modulo_operand_": modulo_operand,
        "_getattr_": get_attribute,
        "_write_": guard_write,
    }
