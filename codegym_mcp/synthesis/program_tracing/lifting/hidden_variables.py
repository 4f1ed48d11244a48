"""The variables of a function: which ones depend on hidden values, and which names are in use."""

import ast

from codegym_mcp.synthesis.program_tracing.syntax_nodes import assigned_names, free_name
from codegym_mcp.synthesis.program_tracing.value_shapes import Kind, Shape

_ENDLESS = 8


class HiddenVariables:
    """The variables of one function while it is rewritten.

    Attributes:
        shapes: the shapes of variables.
        names: the names that are in use.
        tainted: the names of variables that may depend on hidden values.
        bound: the names of variables that the function or a new loop assigns.
    """

    def __init__(self, function: ast.FunctionDef, hidden: set[str], shapes: dict[str, Shape]) -> None:
        self.shapes = shapes
        self.names = {each.id for each in ast.walk(function) if isinstance(each, ast.Name)}
        self.names |= {each.arg for each in ast.walk(function) if isinstance(each, ast.arg)}
        self.tainted = _tainted(function, hidden)
        self.bound = set(assigned_names(function.body)) | {each.arg for each in function.args.args}

    def is_hidden(self, node: ast.expr) -> bool:
        """Returns whether an expression depends on hidden values."""
        return any(isinstance(each, ast.Name) and each.id in self.tainted for each in ast.walk(node))

    def is_list(self, name: str) -> bool:
        """Returns whether a variable is a hidden list or tuple."""
        shape = self.shapes.get(name)
        return name in self.tainted and shape is not None and shape.kinds <= {Kind.LIST, Kind.TUPLE}

    def is_walked(self, node: ast.expr) -> bool:
        """Returns whether an expression is a hidden list, tuple or text, whose members are numbered."""
        match node:
            case ast.Name(id=name) if name in self.tainted:
                shape = self.shapes.get(name)
                return shape is not None and shape.is_indexed
        return False

    def is_sequence(self, node: ast.expr) -> bool:
        """Returns whether an expression is a hidden list or long text, possibly reversed."""
        match node:
            case ast.Subscript(value=ast.Name() as base, slice=ast.Slice(lower=None, upper=None)):
                return self.is_sequence(base)
            case ast.Name(id=name) if name in self.tainted:
                shape = self.shapes.get(name)
                return shape is not None and shape.is_indexed and not shape.is_scalar
        return False

    def fresh(self, wanted: str) -> str:
        """Returns a name that is not in use, and uses it. A variable `_` that is read has a name."""
        name = free_name(wanted.strip("_") or "item", self.names)
        self.names.add(name)
        return name


def _tainted(function: ast.FunctionDef, hidden: set[str]) -> set[str]:
    """Returns the names of variables that may depend on hidden values."""
    tainted = set(hidden)
    for _ in range(_ENDLESS):
        before = len(tainted)
        for node in ast.walk(function):
            match node:
                case ast.Assign(targets=targets, value=value):
                    pairs = [(target, value) for target in targets]
                case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                    pairs = [(target, value)]
                case _:
                    continue
            for target, value in pairs:
                if any(isinstance(each, ast.Name) and each.id in tainted for each in ast.walk(value)):
                    names = (each for each in ast.walk(target) if isinstance(each, ast.Name))
                    tainted |= {each.id for each in names if isinstance(each.ctx, ast.Store)}
        if len(tainted) == before:
            break
    return tainted
