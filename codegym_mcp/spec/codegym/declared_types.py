"""The types that a class in the CodeGym format declares, in annotations and in docstrings.

The annotation of a parameter is often only its kind (`list`) and the docstring says the rest
(`list[int]`), or there is no annotation at all. The rule:

- Of an annotation and a docstring that say the same kind, the finer one holds. Where they contradict each
  other, both are accepted, for nothing tells which one the code means.
- JSON has one kind of sequence, and its keys are strings: a set is a list here, and every key a string.
- What is not a type is `Any`: nothing is refused that the class does not plainly exclude.
- A class that computes with infinity passes it on as a number, which JSON has no way to write. There, the
  strings "Infinity" and "-Infinity" stand for the numbers, wherever a number, and no string, is declared.
"""

import ast
import re
import types
from typing import Any, Literal, Union, get_args, get_origin

from codegym_mcp.spec.annotations import AnnotationError, read_annotation

_WORDS = {
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


def declared_type(annotation: ast.expr | None, words: str) -> Any:
    """The type of a parameter.

    Args:
        annotation: as it stands in the source, if there is one.
        words: what the docstring gives as the type, or the empty string.

    Returns:
        A typing object that pydantic understands; `Any` where nothing is known.
    """
    annotated = Any if annotation is None else _read(annotation)
    documented = _read_words(words)
    if documented is Any or annotated == documented:
        return annotated
    if annotated is Any:
        return documented
    if _kind(annotated) is _kind(documented):
        return annotated if documented in _KINDS.values() else documented
    return Union[annotated, documented]  # noqa: UP007


def _read_words(words: str) -> Any:
    text = re.sub(r",\s*optional$", "", words.strip()).replace(" or ", " | ")
    try:
        return _read(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # "list of pairs" is at least a list.
        first = re.match(r"\w*", text)
        name = first.group() if first else ""
        return _KINDS.get(_WORDS.get(name, name), Any)


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
        return ast.Name(_WORDS.get(node.id, node.id), ast.Load())

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
    """Whether code names infinity: `float("inf")` or `math.inf`."""
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str(text))]):
                if text.strip().lower().lstrip("+-") in ("inf", "infinity"):
                    return True
            case ast.Attribute(attr="inf") | ast.Name(id="inf"):
                return True
    return False


def takes_infinity(annotation: Any) -> bool:
    """Whether a value of this type may hold a number, and a string in it cannot be meant as one."""
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
    """The type, with the words for infinity wherever it has a number."""
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
