"""Finds the tasks in the `__main__` block of a class in the CodeGym format, without running it.

The block creates instances from texts like `"CoinsEnv@{'coins': [1, 2]}"`. The texts are evaluated if they
consist of literals, f-strings and names bound to those. A text that depends on anything else, for example on
random data, is ignored: it would be another task in every run.
"""

import ast
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from codegym_mcp.environment_definition.codegym_format.task_options import PREFIX_END
from codegym_mcp.source_parsing import is_main_block

_MAX_LENGTH = 1 << 17
"""Maximum length of a value in characters."""
_MAX_STEPS = 1 << 18
"""Maximum number of nodes visited and characters written; it bounds loops in the source."""
_FROZEN = (str, int, float, type(None))
_READERS = frozenset(
    "abs bool dict enumerate float int len list max min print range repr reversed set sorted str sum tuple "
    "zip".split()
)


class _UnknownError(Exception):
    """A value that cannot be evaluated from the text."""


class _BudgetError(Exception):
    """The block needs more than the maximum number of steps."""


def find_cases(tree: ast.Module, entry: str) -> list[str]:
    """Returns the texts after the `@` from which the `__main__` block creates instances of a class.

    Args:
        tree: the module.
        entry: the class.
    """
    constants = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    mains = [
        statement for node in tree.body if is_main_block(node) for statement in getattr(node, "body", [])
    ]
    reader = _Reader(entry)
    try:
        for statement in (*constants, *mains):
            reader.take(statement)
    except (_BudgetError, RecursionError):
        # The tasks found so far are kept.
        pass
    return reader.cases


class _Reader:
    """Evaluates statements one after another, as far as they only bind names to values."""

    def __init__(self, entry: str) -> None:
        self.cases: list[str] = []
        self._entry = entry
        self._names: dict[str, Any] = {}
        self._left = _MAX_STEPS

    def take(self, statement: ast.stmt) -> None:
        match statement:
            case ast.For(target=target, iter=source, body=body):
                for item in self._known(source, list | tuple) or ():
                    self._bind(target, item)
                    for inner in body:
                        self.take(inner)
                self._forget_changed(statement)
            case (
                ast.Assign(targets=[target], value=value)
                | ast.AnnAssign(target=target, value=ast.expr() as value)
            ):
                self._find(value)
                known = self._known(value, object)
                self._forget_changed(statement)
                if known is not None:
                    self._bind(target, known)
            case ast.Expr(value=value):
                self._find(value)
                self._forget_changed(statement)
            case _:
                self._forget_changed(statement)

    def _find(self, expression: ast.expr) -> None:
        for node in ast.walk(expression):
            self._spend()
            match node:
                case ast.Call(
                    func=ast.Name(id=name) | ast.Attribute(value=ast.Name(id=name), attr="from_env_str")
                ) if name == self._entry:
                    for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                        text = self._known(argument, str)
                        if text and text.startswith(name + PREFIX_END):
                            self.cases.append(text.removeprefix(name + PREFIX_END))

    def _spend(self, steps: int = 1) -> None:
        self._left -= steps
        if self._left < 0:
            raise _BudgetError

    # --- names

    def _bind(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(id=name):
                self._names[name] = value
            case ast.Tuple(elts=parts) if isinstance(value, list | tuple) and len(parts) == len(value):
                for part, item in zip(parts, value, strict=True):
                    self._bind(part, item)
            case _:
                self._forget(_stored(target))

    def _forget_changed(self, statement: ast.stmt) -> None:
        """Forgets the names that a statement binds, and every value that it could have changed in place."""
        self._forget(_stored(statement))
        for node in ast.walk(statement):
            self._spend()
            if self._may_change(node):
                self._forget(name for name, value in self._names.items() if not isinstance(value, _FROZEN))
                return

    def _may_change(self, node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Name(id=name)):
                return name not in _READERS and name != self._entry
            case ast.Call(func=ast.Attribute(value=ast.Constant())):
                return False
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner))) if owner in self._names:
                return not isinstance(self._names[owner], _FROZEN)
            case ast.Call(func=ast.Attribute(attr="from_env_str" | "solve" | "dumps")):
                return False
            case ast.Attribute() | ast.Subscript():
                return not isinstance(node.ctx, ast.Load)
        return isinstance(node, ast.Call)

    def _forget(self, names: Iterable[str]) -> None:
        for name in list(names):
            self._names.pop(name, None)

    # --- values

    def _known(self, expression: ast.expr, kind: Any) -> Any:
        """The value of an expression; None where it is unknown or of another kind."""
        try:
            value = self._value(expression)
        except _UnknownError:
            return None
        return value if isinstance(value, kind) else None

    def _value(self, node: ast.expr) -> Any:
        self._spend()
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name) if name in self._names:
                return self._names[name]
            case ast.List(elts=parts):
                return [self._value(part) for part in parts]
            case ast.Tuple(elts=parts):
                return tuple([self._value(part) for part in parts])
            case ast.Set(elts=parts):
                return _made(set, [self._value(part) for part in parts])
            case ast.Dict(keys=keys, values=values) if None not in keys:
                pairs = zip(keys, values, strict=True)
                return _made(dict, [(self._value(key), self._value(value)) for key, value in pairs if key])
            case ast.JoinedStr(values=parts):
                return "".join([self._part(part) for part in parts])
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self._value(operand)
                if type(value) in (int, float):
                    return -value
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                first, second = self._value(left), self._value(right)
                if type(first) is type(second) and type(first) in (str, list, tuple):
                    self._spend(len(first) + len(second))
                    return first + second
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                first, times = self._value(left), self._value(right)
                if type(first) in (str, list) and type(times) is int:
                    self._spend(len(first) * max(times, 0))
                    return first * times
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="json"), attr="dumps"), args=[item], keywords=[]
            ):
                return self._written(json.dumps, item)
            case ast.Call(func=ast.Name(id="str" | "repr" as name), args=[item], keywords=[]):
                return self._written(str if name == "str" else repr, item)
        raise _UnknownError

    def _part(self, node: ast.expr) -> str:
        """A part of an f-string."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.FormattedValue(value=inner, conversion=conversion, format_spec=None):
                return self._written(repr if conversion == ord("r") else str, inner)
        raise _UnknownError

    def _written(self, write: Callable[[Any], str], node: ast.expr) -> str:
        text: str = _made(write, _checked(self._value(node)))
        self._spend(len(text))
        return text


def _made(make: Callable[[Any], Any], value: Any) -> Any:
    try:
        return make(value)
    except (TypeError, ValueError):
        raise _UnknownError from None


def _stored(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
            yield part.id


def _checked(value: Any) -> Any:
    """Returns the value if its text is short; a few lines of source can describe a very large one."""
    left = _MAX_LENGTH
    waiting = [value]
    while waiting:
        part = waiting.pop()
        left -= 1
        if isinstance(part, dict):
            left -= len(part)
            waiting += [*part, *part.values()] if left > 0 else []
        elif isinstance(part, list | tuple | set):
            left -= len(part)
            waiting += part if left > 0 else ()
        elif isinstance(part, str | bytes):
            left -= len(part)
        elif isinstance(part, int):
            left -= part.bit_length() // 3
        if left < 0:
            raise _UnknownError
    return value
