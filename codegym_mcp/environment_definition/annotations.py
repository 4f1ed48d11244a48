"""Translates the annotations of an environment's source into types, without running the source.

The annotations are read from the syntax tree. Pydantic creates validators and JSON Schemas from the resulting
typing objects.
"""

import ast
from collections.abc import Mapping
from typing import Any, NotRequired, Union

from typing_extensions import TypedDict

from codegym_mcp.environment_definition.json_types import json_literal, json_set

_PLAIN: dict[str, Any] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "None": None,
    "Any": Any,
    "object": Any,
    "list": list[Any],
    "dict": dict[str, Any],
    "tuple": list[Any],
    "set": json_set(Any),
}
_ALIASES = {
    "List": "list",
    "Dict": "dict",
    "Tuple": "tuple",
    "Set": "set",
    "frozenset": "set",
    "FrozenSet": "set",
}

SUPPORTED = (
    "int, float, str, bool, None, list, dict[str, …], tuple, set, Literal, Optional, unions, and TypedDict "
    "classes defined earlier in the same file"
)


class AnnotationError(Exception):
    """An annotation that is not supported.

    Attributes:
        line: the line of the annotation.
        text: what is wrong with it.
    """

    def __init__(self, node: ast.AST, text: str) -> None:
        super().__init__(text)
        self.line: int = getattr(node, "lineno", 1)
        self.text = text


def read_annotation(node: ast.expr, records: Mapping[str, Any]) -> Any:
    """Translates one annotation.

    Args:
        node: the annotation's expression.
        records: the TypedDict classes of the same file, by name.

    Returns:
        A typing object that pydantic understands.

    Raises:
        AnnotationError: the annotation is not supported (see `SUPPORTED`).
    """
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str(text)):
            return read_annotation(_parse(text, node), records)
        case ast.Name(id=name):
            if name in records:
                return records[name]
            name = _ALIASES.get(name, name)
            if name in _PLAIN:
                return _PLAIN[name]
        case ast.Attribute(value=ast.Name(id="typing"), attr=name):
            return read_annotation(ast.copy_location(ast.Name(name, ast.Load()), node), records)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return Union[read_annotation(left, records), read_annotation(right, records)]  # noqa: UP007
        case ast.Subscript(value=base, slice=inner):
            return _read_subscript(node, base, inner, records)
    raise AnnotationError(node, f"the annotation {ast.unparse(node)!r} is not supported")


def _read_subscript(node: ast.expr, base: ast.expr, inner: ast.expr, records: Mapping[str, Any]) -> Any:
    name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
    name = _ALIASES.get(name, name)
    items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Literal":
        return json_literal(_read_values(node, items))
    if name == "tuple" and len(items) == 2 and isinstance(items[1], ast.Constant) and items[1].value is ...:
        return list[read_annotation(items[0], records)]  # type: ignore[misc]
    arguments = tuple(read_annotation(item, records) for item in items)
    match name, arguments:
        case ("list", (item,)):
            return list[item]  # type: ignore[valid-type]
        case ("set", (item,)):
            return json_set(item)
        case ("tuple", _):
            return tuple.__class_getitem__(arguments)
        case ("dict", (key, value)) if key is str:
            return dict[str, value]  # type: ignore[valid-type]
        case ("dict", (_, _)):
            raise AnnotationError(
                node, "the keys of a dict must be strings, because the data is sent as JSON"
            )
        case ("Optional", (item,)):
            return Union[item, None]  # noqa: UP007
        case ("Union", (_, *_)):
            return Union[arguments]  # noqa: UP007
    raise AnnotationError(node, f"the annotation {ast.unparse(node)!r} is not supported")


def _read_values(node: ast.expr, items: list[ast.expr]) -> tuple[str | int | bool, ...]:
    try:
        values = tuple(ast.literal_eval(item) for item in items)
    except (ValueError, TypeError):
        values = ()
    if not values or not all(isinstance(value, str | int | bool) for value in values):
        raise AnnotationError(node, "Literal supports only strings, integers and booleans")
    return values


def _parse(text: str, node: ast.AST) -> ast.expr:
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError):
        raise AnnotationError(node, f"the annotation {text!r} is not an expression") from None
    for part in ast.walk(parsed):
        ast.copy_location(part, node)
    return parsed


def read_records(tree: ast.Module) -> dict[str, Any]:
    """Translates the TypedDict classes of a module, in their order. A class can only use earlier ones.

    Raises:
        AnnotationError: a field's annotation is not supported.
    """
    records: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and is_record(node, records):
            fields: dict[str, Any] = {}
            optional = any(
                keyword.arg == "total" and isinstance(keyword.value, ast.Constant) and not keyword.value.value
                for keyword in node.keywords
            )
            for base in node.bases:
                parent = records.get(getattr(base, "id", ""))
                fields.update(parent.__annotations__ if parent is not None else {})
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    annotation, required = item.annotation, not optional
                    if (
                        isinstance(annotation, ast.Subscript)
                        and getattr(annotation.value, "id", "") == "NotRequired"
                    ):
                        annotation, required = annotation.slice, False
                    kind = read_annotation(annotation, records)
                    fields[item.target.id] = kind if required else NotRequired[kind]
            record = make_record(node.name, fields)
            record.__doc__ = ast.get_docstring(node)
            records[node.name] = record
    return records


def make_record(name: str, fields: dict[str, Any]) -> Any:
    """Creates a TypedDict class at run time, which type checkers do not support directly."""
    make: Any = TypedDict
    return make(name, fields)


def is_record(node: ast.ClassDef, records: Mapping[str, Any]) -> bool:
    """Checks whether a class statement defines a TypedDict, directly or by inheriting from a known one."""
    names = {base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases}
    return "TypedDict" in names or bool(names & set(records))
