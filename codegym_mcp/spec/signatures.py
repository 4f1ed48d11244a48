"""Reads the parameters of a method: names, types, descriptions and defaults."""

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from codegym_mcp.errors import InvalidArgumentsError, SourceError
from codegym_mcp.spec.annotations import read_annotation
from codegym_mcp.spec.docstrings import Docstring
from codegym_mcp.spec.tools import Parameter, Tool


def refuse_stars(node: ast.FunctionDef, path: str) -> None:
    """Refuses parameters that have no name to be called by.

    Raises:
        SourceError: there are such.
    """
    if node.args.vararg or node.args.kwarg or node.args.posonlyargs:
        raise SourceError(
            path, node.lineno, f"{node.name} takes * or / parameters", hint="Name every parameter."
        )


def read_parameters(
    method: ast.FunctionDef, words: Docstring | None, records: Mapping[str, Any], path: str
) -> tuple[Parameter, ...]:
    """The parameters of a method, self apart.

    Args:
        method: the method.
        words: its docstring; None where its parameters need no description.
        records: the TypedDict classes of the file, by name.
        path: how error messages name the source.

    Raises:
        SourceError: a parameter lacks its type or its description, or its default is not of its type.
        AnnotationError: a type has no translation.
    """
    refuse_stars(method, path)
    arguments, defaults = method.args.args[1:], method.args.defaults
    if [each.arg for each in method.args.args[:1]] != ["self"] or len(defaults) > len(arguments):
        raise SourceError(
            path,
            method.lineno,
            f"the first parameter of {method.name} is not self",
            hint="Begin with a plain self.",
        )
    pairs = [
        *zip(arguments, [None] * (len(arguments) - len(defaults)) + list(defaults), strict=True),
        *zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True),
    ]
    read = []
    for argument, default in pairs:
        parameter = _read_parameter(method, argument, words, records, path)
        read.append(parameter if default is None else _with_default(parameter, default, path))
    return tuple(read)


def _read_parameter(
    method: ast.FunctionDef,
    argument: ast.arg,
    words: Docstring | None,
    records: Mapping[str, Any],
    path: str,
    /,
) -> Parameter:
    name = argument.arg
    if argument.annotation is None:
        raise SourceError(path, argument.lineno, f"{name} of {method.name} has no type", hint="Annotate it.")
    said = words.arguments.get(name) if words is not None else None
    if words is not None and (said is None or not said.text):
        raise SourceError(
            path,
            argument.lineno,
            f"{name} of {method.name} is not described",
            hint="Add it under Args: in the docstring.",
        )
    return Parameter(name, read_annotation(argument.annotation, records), said.text if said else "")


def _with_default(parameter: Parameter, default: ast.expr, path: str) -> Parameter:
    """The default as JSON, as it stands in the schema; the code itself has it as Python."""
    name = parameter.name
    try:
        value = _as_json(ast.literal_eval(default))
    except (ValueError, TypeError):
        raise SourceError(
            path,
            default.lineno,
            f"the default of {name} is not a literal of JSON's types",
            hint="Write the value out.",
        ) from None
    try:
        Tool(name, "", "", (parameter,), None).validate_arguments({name: value})
    except InvalidArgumentsError as error:
        raise SourceError(
            path,
            default.lineno,
            f"the default of {name} does not fit its type",
            hint=f"{error.message} Change the type or the default.",
        ) from None
    return replace(parameter, default=value)


def _as_json(literal: Any) -> Any:
    """A literal as it is after a journey through JSON."""
    match literal:
        case None | bool() | int() | float() | str():
            return literal
        case list() | tuple():
            return [_as_json(member) for member in literal]
        case set():
            return sorted(map(_as_json, literal))
        case dict() if all(isinstance(key, str) for key in literal):
            return {key: _as_json(member) for key, member in literal.items()}
    raise TypeError
