"""Finds all faults of a generated file that can be found without running it, so that one repair mends them
all."""

import ast
from collections.abc import Iterator
from copy import deepcopy

from codegym_mcp.environment_definition.native_class_reader import read_native
from codegym_mcp.errors import SourceError

_MAX_FAULTS = 12
_MAX_LINE_CHARACTERS = 160
_CONTEXT_LINES = 2
_PLACEHOLDERS = {
    "META": 'META = {"title": "Draft", "public": []}',
    "generate": "def generate(random, difficulty):\n    return {}",
    "docstring": '"""A placeholder."""',
    "tool": 'def placeholder(self) -> int:\n    """A placeholder."""\n    return 0',
}


def find_faults(tree: ast.Module, source: str, path: str) -> list[SourceError]:
    """Returns every fault of an environment's source; the first one is the one that reading it reports.

    After each fault, the statement or method that has it is left out and the rest is read again.

    Args:
        tree: the syntax tree of `source`; it is not changed.
        path: how error messages name the source.
    """
    faults: list[SourceError] = []
    rest = deepcopy(tree)
    while len(faults) < _MAX_FAULTS:
        try:
            read_native(deepcopy(rest), source, name="draft", path=path)
        except SourceError as error:
            known = {(fault.line, fault.problem) for fault in faults}
            if (error.line, error.problem) in known:
                break
            faults.append(error)
            if error.line is None or not _leave_out(rest, error.line):
                break
        else:
            break
    return faults


def describe_faults(faults: list[SourceError], source: str) -> str:
    """Returns the faults one after another, each with the line of the source that it concerns."""
    lines = source.split("\n")
    return "\n".join("\n".join(_describe(fault, lines)) for fault in faults)


def _describe(fault: SourceError, lines: list[str]) -> Iterator[str]:
    yield str(fault)
    if fault.line is None or not 1 <= fault.line <= len(lines):
        return
    first = max(1, fault.line - _CONTEXT_LINES) if "not valid Python" in fault.problem else fault.line
    for number in range(first, fault.line + 1):
        yield f"    {number}: {lines[number - 1][:_MAX_LINE_CHARACTERS]}"


def _leave_out(tree: ast.Module, line: int) -> bool:
    """Leaves out or replaces the part of a module that holds a line; returns whether that was possible."""
    for index, node in enumerate(tree.body):
        if _contains(node, line):
            if isinstance(node, ast.ClassDef) and node.name == "Environment":
                return _leave_out_method(node, line)
            placeholder = _placeholder(node, index)
            if placeholder is None:
                # References, the oracle's stub and helpers are needed by the other parts.
                return _simplify(node)
            tree.body[index] = placeholder
            return True
    return False


def _leave_out_method(cls: ast.ClassDef, line: int) -> bool:
    for index, node in enumerate(cls.body):
        if isinstance(node, ast.FunctionDef) and _contains(node, line):
            if node.name == "__init__":
                return _simplify(node)
            cls.body[index] = _parse_placeholder("tool", node)
            return True
    return False


def _simplify(node: ast.stmt) -> bool:
    """Empties a function and annotates everything as int; returns whether that changed the function."""
    if not isinstance(node, ast.FunctionDef) or isinstance(node.body[0], ast.Pass):
        return False
    node.body = [ast.copy_location(ast.Pass(), node.body[0])]
    node.decorator_list = []
    for argument in (*node.args.args, *node.args.kwonlyargs):
        if argument.arg != "self":
            argument.annotation = ast.copy_location(ast.Name("int", ast.Load()), node)
    if node.name != "__init__":
        node.returns = ast.copy_location(ast.Name("int", ast.Load()), node)
    return True


def _placeholder(node: ast.stmt, index: int) -> ast.stmt | None:
    if index == 0 and isinstance(node, ast.Expr):
        return _parse_placeholder("docstring", node)
    if isinstance(node, ast.FunctionDef) and node.name == "generate":
        return _parse_placeholder("generate", node)
    return None


def _parse_placeholder(name: str, at: ast.stmt) -> ast.stmt:
    (node,) = ast.parse(_PLACEHOLDERS[name]).body
    for part in ast.walk(node):
        if hasattr(part, "lineno"):
            ast.copy_location(part, at)
    return node


def _contains(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)
