"""Which variables of a function have containers that it changes."""

import ast
from collections.abc import Iterable, Mapping

from codegym_mcp.synthesis.program_tracing.pure_functions import MUTATING_FUNCTIONS, MUTATING_METHODS


def changing_helpers(functions: Mapping[str, ast.FunctionDef]) -> dict[str, set[int]]:
    """Returns for each function the places of the parameters whose containers it changes."""
    found: dict[str, set[int]] = {name: set() for name in functions}
    for _ in range(len(functions) + 1):
        for name, function in functions.items():
            mutated = set(mutated_names(function.body, found))
            found[name] = {k for k, each in enumerate(function.args.args) if each.arg in mutated}
    return found


def mutated_names(body: list[ast.stmt], helpers: Mapping[str, set[int]]) -> Iterable[str]:
    """Yields the variables whose containers statements change, directly or through an alias."""
    aliases: dict[str, str] = {}
    for statement in body:
        for node in ast.walk(statement):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if not isinstance(value, ast.Call):
                    root = root_name(value)
                    if root is not None:
                        aliases[name] = root
                case ast.For(target=ast.Name(id=name), iter=source):
                    root = root_name(source)
                    if root is not None:
                        aliases[name] = root
    for statement in body:
        for node in ast.walk(statement):
            for name in _changed_by(node, helpers):
                seen: set[str] = set()
                current = name
                while current and current not in seen:
                    yield current
                    seen.add(current)
                    current = aliases.get(current, "")


def _changed_by(node: ast.AST, helpers: Mapping[str, set[int]]) -> Iterable[str]:
    match node:
        case ast.Subscript(ctx=ast.Store() | ast.Del(), value=value):
            yield root_name(value) or ""
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=args):
            if name in MUTATING_METHODS:
                yield root_name(value) or ""
            if name in MUTATING_FUNCTIONS and args:
                yield root_name(args[0]) or ""
        case ast.Call(func=ast.Name(id=name), args=args):
            if name in MUTATING_FUNCTIONS and args:
                yield root_name(args[0]) or ""
            for place in helpers.get(name, ()):
                if place < len(args):
                    yield root_name(args[place]) or ""


_KEEPING_PLACES = frozenset({"append", "add", "extend"})


def rearranged_names(body: list[ast.stmt]) -> Iterable[str]:
    """Yields the variables whose members are replaced, removed or moved."""
    for statement in body:
        for node in ast.walk(statement):
            match node:
                case ast.Subscript(ctx=ast.Store() | ast.Del(), value=ast.Name(id=name)):
                    yield name
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if (
                    method in MUTATING_METHODS - _KEEPING_PLACES
                ):
                    yield name
                case ast.Call(
                    func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Name(id=name), *_]
                ) if called in MUTATING_FUNCTIONS:
                    yield name


def root_name(node: ast.expr) -> str | None:
    """Returns the variable that an expression selects a part of, or None if it is another expression."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
