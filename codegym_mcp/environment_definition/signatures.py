"""Reads the parameters of a method: names, types, descriptions and defaults."""

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from codegym_mcp.environment_definition.annotations import read_annotation
from codegym_mcp.environment_definition.docstrings import Docstring
from codegym_mcp.environment_definition.tools import Parameter, Tool
from codegym_mcp.errors import InvalidArgumentsError, SourceError


def refuse_stars(node: ast.FunctionDef, path: str) -> None:
    """Refuses parameters that cannot be passed by name.

    Raises:
        SourceError: the function has such parameters.
    """
    if node.args.vararg or node.args.kwarg or node.args.posonlyargs:
        raise SourceError(
            path, node.lineno, f"{node.name} has * or / parameters", hint="Give every parameter a name."
        )


def read_parameters(
    method: ast.FunctionDef, docstring: Docstring | None, records: Mapping[str, Any], path: str
) -> tuple[Parameter, ...]:
    """Reads the parameters of a method, without self.

    Args:
        method: the method.
        docstring: its docstring, or None if its parameters need no description.
        records: the TypedDict classes of the file, by name.
        path: how error messages name the source.

    Raises:
        SourceError: a parameter has no type or no description, or its default does not have its type.
        AnnotationError: a type is not supported.
    """
    refuse_stars(method, path)
    arguments, defaults = method.args.args[1:], method.args.defaults
    if [each.arg for each in method.args.args[:1]] != ["self"] or len(defaults) > len(arguments):
        raise SourceError(
            path,
            method.lineno,
            f"the first parameter of {method.name} is not self",
            hint="Add self, without a default.",
        )
    pairs = [
        *zip(arguments, [None] * (len(arguments) - len(defaults)) + list(defaults), strict=True),
        *zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True),
    ]
    parameters = []
    for argument, default in pairs:
        parameter = _read_parameter(method, argument, docstring, records, path)
        parameters.append(parameter if default is None else _with_default(parameter, default, path))
    return tuple(parameters)


def _read_parameter(
    method: ast.FunctionDef,
    argument: ast.arg,
    docstring: Docstring | None,
    records: Mapping[str, Any],
    path: str,
    /,
) -> Parameter:
    name = argument.arg
    if argument.annotation is None:
        raise SourceError(
            path, argument.lineno, f"the parameter {name} of {method.name} has no type", hint="Annotate it."
        )
    documented = docstring.arguments.get(name) if docstring is not None else None
    if docstring is not None and (documented is None or not documented.text):
        raise SourceError(
            path,
            argument.lineno,
            f"the parameter {name} of {method.name} has no description",
            hint="Add one under Args: in the docstring.",
        )
    return Parameter(
        name, read_annotation(argument.annotation, records), documented.text if documented else ""
    )


def _with_default(parameter: Parameter, default: ast.expr, path: str) -> Parameter:
    """Returns the parameter with its default as JSON data for the schema; the code keeps the value."""
    name = parameter.name
    try:
        value = _as_json(ast.literal_eval(default))
    except (ValueError, TypeError):
        raise SourceError(
            path,
            default.lineno,
            f"the default of {name} is not a literal that JSON can represent",
            hint="Write a constant.",
        ) from None
    try:
        Tool(name, "", "", (parameter,), None).validate_arguments({name: value})
    except InvalidArgumentsError as error:
        raise SourceError(
            path,
            default.lineno,
            f"the default of {name} does not have the declared type",
            hint=f"{error.message} Change the type or the default.",
        ) from None
    return replace(parameter, default=value)


def _as_json(literal: Any) -> Any:
    """Returns a literal as JSON data: tuples and sets become lists."""
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
