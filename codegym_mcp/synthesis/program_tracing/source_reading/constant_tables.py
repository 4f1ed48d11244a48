"""Moves the tables of a function, containers of constants that never change, to the module.

The environment can then look up hidden values in them: `VALUES[letters[place]]` is one step, and reveals
neither the letter nor the table.
"""

import ast
from collections.abc import Iterator

from codegym_mcp.synthesis.program_tracing.syntax_nodes import assigned_names, free_name

_READING_METHODS = frozenset({"get", "index", "count", "find", "keys", "values", "items"})
_READING_FUNCTIONS = frozenset({"len", "enumerate", "zip", "reversed", "sorted", "max", "min", "sum", "set"})


def move_constant_tables(tree: ast.Module) -> None:
    """Moves the tables of all functions of a module before its functions."""
    taken = _names(tree, None)
    tables: list[ast.stmt] = []
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef):
            continue
        for statement in list(function.body):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_table(value):
                    if len(function.body) == 1 or not _is_only_looked_up(name, function):
                        continue
                    constant = name if name.isupper() else free_name(name.upper(), taken)
                    if constant in _names(tree, function):
                        continue
                    taken.add(constant)
                    tables.append(ast.Assign([ast.Name(constant, ast.Store())], value))
                    function.body.remove(statement)
                    _replace(name, constant, function)
    place = next((k for k, node in enumerate(tree.body) if isinstance(node, ast.FunctionDef)), 0)
    tree.body[place:place] = tables
    ast.fix_missing_locations(tree)


def _names(tree: ast.Module, without: ast.FunctionDef | None) -> set[str]:
    """Returns the names that a module uses outside of one function."""
    nodes = [each for node in tree.body if node is not without for each in ast.walk(node)]
    names = {each.id for each in nodes if isinstance(each, ast.Name)}
    names |= {each.arg for each in nodes if isinstance(each, ast.arg)}
    return names | {each.name for each in nodes if isinstance(each, ast.FunctionDef | ast.ClassDef)}


def _is_table(node: ast.expr) -> bool:
    match node:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return len(parts) > 1 and all(map(_is_constant, parts))
        case ast.Dict(keys=keys, values=values):
            return len(keys) > 1 and all(key is not None and _is_constant(key) for key in [*keys, *values])
    return False


def _is_constant(node: ast.expr) -> bool:
    match node:
        case ast.Constant() | ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            return True
        case ast.Tuple(elts=parts):
            return all(map(_is_constant, parts))
    # What a table contains could be changed through another name.
    return False


def _is_only_looked_up(name: str, function: ast.FunctionDef) -> bool:
    """Returns whether a variable is bound once, and each of its uses reads the container in place."""
    if list(assigned_names(function.body)).count(name) != 1:
        return False
    if any(isinstance(each, ast.arg) and each.arg == name for each in ast.walk(function)):
        return False
    names = [each for each in ast.walk(function) if isinstance(each, ast.Name) and each.id == name]
    reads = [each for each in names if isinstance(each.ctx, ast.Load)]
    if len(reads) != len(names) - 1:
        return False
    looked_up = {id(each) for each in _looked_up(function)}
    return bool(reads) and all(id(each) in looked_up for each in reads)


def _looked_up(function: ast.FunctionDef) -> Iterator[ast.expr]:
    """Yields the expressions that are only looked up in, counted or walked."""
    for node in ast.walk(function):
        match node:
            case ast.Subscript(value=value, ctx=ast.Load()):
                yield value
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[value]):
                yield value
            case ast.For(iter=value) | ast.comprehension(iter=value):
                yield value
            case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in _READING_METHODS:
                yield value
            case ast.Call(func=ast.Name(id=name), args=args) if name in _READING_FUNCTIONS:
                yield from args


def _replace(name: str, constant: str, function: ast.FunctionDef) -> None:
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == name:
            node.id = constant
