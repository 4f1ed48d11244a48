"""The shapes of expressions, as far as they can be told without running them."""

import ast
from collections.abc import Mapping

from codegym_mcp.synthesis.program_tracing.value_shapes import Kind, Shape

BOOL = Shape(frozenset({Kind.BOOL}))
INT = Shape(frozenset({Kind.INT}))
TEXT = Shape(frozenset({Kind.STR}), longest=9)
CONVERSIONS = frozenset({"sorted", "list", "reversed", "tuple", "set"})
"""Functions that return a container of the members of another one."""


def visible_shape(node: ast.expr, shapes: Mapping[str, Shape]) -> Shape | None:
    """Returns the shape of an expression of the caller, or None if it is not known.

    Args:
        shapes: the shapes of variables.
    """
    match node:
        case ast.Name(id=name):
            return shapes.get(name)
        case ast.Subscript(value=value, slice=ast.Constant(value=int(index))):
            shape = visible_shape(value, shapes)
            return shape.member(index) if shape is not None else None
        case ast.Subscript(value=value, slice=ast.Slice()):
            return visible_shape(value, shapes)
        case ast.Subscript(value=value):
            shape = visible_shape(value, shapes)
            return shape.member() if shape is not None else None
        case ast.Compare() | ast.BoolOp():
            return BOOL
        case ast.BinOp(left=left, right=right):
            sides = [shape for each in (left, right) if (shape := visible_shape(each, shapes)) is not None]
            return next((shape for shape in sides if not shape.is_scalar), next(iter(sides), None))
        case ast.Call(func=ast.Name(id="len" | "int" | "ord" | "sum" | "abs")):
            return INT
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp():
            return Shape(frozenset({Kind.LIST}))
    return None


def call_shape(name: str, argument: Shape | None) -> Shape | None:
    """Returns the shape of the result of a builtin function, or None if it is not known.

    Args:
        argument: the shape of the first argument, or None if it is not known.
    """
    if name in ("len", "int", "ord", "count", "sum", "abs"):
        return INT
    if name in ("bool", "isinstance", "any", "all"):
        return BOOL
    if name in ("str", "chr", "bin", "hex", "oct"):
        return TEXT
    if name in CONVERSIONS:
        kind = {"tuple": Kind.TUPLE, "set": Kind.SET}.get(name, Kind.LIST)
        members = argument.member() if argument is not None else None
        if argument is not None and argument.only(Kind.DICT):
            members = argument.keys
        return Shape(frozenset({kind}), items=members, longest=9)
    return None


def method_shape(name: str, shape: Shape | None) -> Shape | None:
    """Returns the shape of the result of a method of a value, or None if it is not known."""
    if name in ("split", "splitlines"):
        return Shape(frozenset({Kind.LIST}), items=TEXT, longest=9)
    if name in ("lower", "upper", "strip", "lstrip", "rstrip", "replace", "title", "swapcase", "capitalize"):
        return TEXT
    if name in ("count", "index", "find", "rfind"):
        return INT
    if name.startswith("is") or name in ("startswith", "endswith"):
        return BOOL
    if name == "keys" and shape is not None and shape.keys is not None:
        return Shape(frozenset({Kind.SET}), items=None)
    if name == "get" and shape is not None:
        return shape.items
    if name == "copy":
        return shape
    return None
