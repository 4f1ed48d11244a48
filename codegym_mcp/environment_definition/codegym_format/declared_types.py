"""Determines the types that a class in the CodeGym format declares in annotations and docstrings.

The annotation of a parameter is often general (`list`) and the docstring more precise (`list[int]`), or the
annotation is missing. The rules:

- If the annotation and the docstring agree on the kind, the more precise one is used. If they contradict each
  other, values of both types are accepted.
- JSON has one kind of sequence, and its keys are strings: a set becomes a list, and every key a string.
- Text that is not a type becomes `Any`, so that no valid value is refused.
- JSON cannot represent infinity. In a class that computes with infinity, the strings "Infinity" and
  "-Infinity" stand for the numbers wherever a number, but no string, is declared.
"""

import ast
import re
import types
from typing import Any, Literal, Union, get_args, get_origin

from codegym_mcp.environment_definition.annotations import AnnotationError, read_annotation

_SYNONYMS = {
    "set": "list",
    "Set": "list",
    "frozenset": "list",
    "FrozenSet": "list",
    "array": "list",
    "string": "str",
    "integer": "int",
    "boolean": "bool",
    "number": "float",
}
_KINDS: dict[str, Any] = {"list": list[Any], "tuple": list[Any], "dict": dict[str, Any]}
_UNBOUNDED = Literal["Infinity", "-Infinity"]


def declared_type(annotation: ast.expr | None, documented: str) -> Any:
    """Returns the type of a parameter.

    Args:
        annotation: the annotation in the source, or None.
        documented: the type in the docstring, or an empty text.

    Returns:
        A typing object that pydantic understands; `Any` if nothing is known.
    """
    annotated = Any if annotation is None else _read(annotation)
    described = _read_text(documented)
    if described is Any or annotated == described:
        return annotated
    if annotated is Any:
        return described
    if _kind(annotated) is _kind(described):
        return annotated if described in _KINDS.values() else described
    return Union[annotated, described]  # noqa: UP007


def _read_text(documented: str) -> Any:
    text = re.sub(r",\s*optional$", "", documented.strip()).replace(" or ", " | ")
    try:
        return _read(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # "list of pairs" is a list.
        first = re.match(r"\w*", text)
        name = first.group() if first else ""
        return _KINDS.get(_SYNONYMS.get(name, name), Any)


def _read(node: ast.expr) -> Any:
    plain = _JsonKinds().visit(ast.parse(ast.unparse(node), mode="eval").body)
    try:
        return read_annotation(plain, {})
    except AnnotationError:
        outer = plain.value if isinstance(plain, ast.Subscript) else plain
        name = outer.attr if isinstance(outer, ast.Attribute) else getattr(outer, "id", "")
        return _KINDS.get(name.lower(), Any)


class _JsonKinds(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(_SYNONYMS.get(node.id, node.id), ast.Load())

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self.visit_Name(ast.Name(node.attr)) if getattr(node.value, "id", "") == "typing" else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if getattr(node.value, "id", "") in ("dict", "Dict") and isinstance(node.slice, ast.Tuple):
            node.slice.elts[:1] = [ast.Name("str", ast.Load())]
        return self.generic_visit(node)  # type: ignore[return-value]


def _kind(annotation: Any) -> Any:
    origin = get_origin(annotation) or annotation
    return list if origin is tuple else origin


def mentions_infinity(node: ast.AST) -> bool:
    """Checks whether code mentions infinity: `float("inf")` or `math.inf`."""
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str(text))]):
                if text.strip().lower().lstrip("+-") in ("inf", "infinity"):
                    return True
            case ast.Attribute(attr="inf") | ast.Name(id="inf"):
                return True
    return False


def takes_infinity(annotation: Any) -> bool:
    """Checks whether values of a type can contain numbers, but no strings."""
    members = list(_members(annotation))
    return str not in members and any(kind in members for kind in (int, float, Any))


def _members(annotation: Any) -> Any:
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        arguments = arguments[1:]
    if not arguments or get_origin(annotation) is Literal:
        yield annotation
    for argument in arguments:
        yield from _members(argument)


def with_infinity(annotation: Any) -> Any:
    """Returns the type with the strings for infinity added to each number."""
    if annotation in (int, float):
        return Union[annotation, _UNBOUNDED]  # noqa: UP007
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return dict[str, with_infinity(arguments[1])]  # type: ignore[misc]
    if origin in (list, tuple):
        return origin[tuple(map(with_infinity, arguments))]
    if origin in (Union, types.UnionType):
        return Union[tuple(map(with_infinity, arguments))]  # noqa: UP007
    return annotation
