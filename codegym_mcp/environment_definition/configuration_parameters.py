"""Reads the configuration of an environment: one parameter for each value, or one `Config` for all."""

import ast
from typing import Any, NotRequired, get_origin

from codegym_mcp.environment_definition.signatures import read_parameters
from codegym_mcp.environment_definition.source_definitions import SourceDefinitions
from codegym_mcp.environment_definition.tools import Parameter, Tool

CONFIG = "config"
_RECORD = "Config"


def read_configuration(
    definitions: SourceDefinitions, cls: ast.ClassDef, init: ast.FunctionDef | None
) -> tuple[Tool, bool]:
    """Reads the parameters of `Environment.__init__`.

    Args:
        cls: the class `Environment`.
        init: its method `__init__`.

    Returns:
        The types of the values, and whether functions take them as one parameter `config: Config`.

    Raises:
        SourceError: `__init__` is missing, or its parameters break the contract.
        AnnotationError: a type is not supported.
    """
    if init is None:
        raise definitions.error(
            cls, "Environment has no __init__", "Define it; its parameters are the configuration."
        )
    if init.decorator_list:
        raise definitions.error(init, "__init__ has a decorator", "Remove it.")
    record = definitions.records.get(_RECORD)
    parameters = read_parameters(init, None, definitions.records, definitions.path)
    one_config = record is not None and any(each.annotation is record for each in parameters)
    if one_config:
        if [each.name for each in parameters] != [CONFIG]:
            taken = ", ".join(each.name for each in parameters)
            raise definitions.error(
                init,
                f"__init__ takes ({taken}), and one of these is a Config",
                "Take config: Config alone, or one parameter for each value.",
            )
        parameters = _fields(definitions, record)
    configuration = Tool(
        name="configuration", title="Configuration", description="", parameters=parameters, returns=None
    )
    return configuration, one_config


def _fields(definitions: SourceDefinitions, record: Any) -> tuple[Parameter, ...]:
    """Returns the fields of `Config` as parameters."""
    fields: dict[str, Any] = record.__annotations__
    for name, kind in fields.items():
        if get_origin(kind) is NotRequired:
            raise definitions.error(
                definitions.classes[_RECORD],
                f"the field {name} of Config is optional",
                f"Give {name} a type that includes None instead.",
            )
    return tuple(Parameter(name, kind) for name, kind in fields.items())
