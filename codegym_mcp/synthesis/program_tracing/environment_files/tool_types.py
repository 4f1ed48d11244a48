"""The annotations of tools, learnt from the calls of oracles."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedProgram
from codegym_mcp.synthesis.program_tracing.oracle_play_record import Play
from codegym_mcp.synthesis.program_tracing.value_shapes import annotation, shape_of

_EXAMPLES = 4


@dataclass(frozen=True)
class ParameterUse:
    """How oracles use a parameter of a tool.

    Attributes:
        annotation: its annotation.
        examples: texts of the solution itself that were given.
        is_public: whether it has the name of a value that the task states.
    """

    annotation: str
    examples: tuple[str, ...] = ()
    is_public: bool = False


@dataclass(frozen=True)
class ToolTypes:
    """The annotations of a tool, from the calls that oracles made.

    Attributes:
        parameters: how each parameter is used.
        result: annotation of the result.
        positive: the parameters that are whole numbers and were never negative.
    """

    parameters: Mapping[str, ParameterUse]
    result: str
    positive: frozenset[str] = frozenset()


def tool_types(lifted: LiftedProgram, plays: Sequence[Play]) -> dict[str, ToolTypes]:
    """Learns the types of the tools from the calls of the oracle.

    Raises:
        RefusedProblemError: a tool takes or returns values without a common JSON form.
    """
    texts = _texts(lifted)
    arguments: dict[str, dict[str, list[Any]]] = {}
    results: dict[str, list[Any]] = {}
    for play in plays:
        for call in play.calls:
            results.setdefault(call.name, []).append(call.result)
            for name, value in call.arguments.items():
                arguments.setdefault(call.name, {}).setdefault(name, []).append(value)
    return {
        tool.name: ToolTypes(
            {
                each: ParameterUse(
                    annotation(shape_of(arguments[tool.name][each])),
                    _examples(arguments[tool.name][each], texts),
                    each in lifted.public,
                )
                for each in tool.parameters
            },
            annotation(shape_of(results[tool.name])),
            frozenset(each for each in tool.parameters if _is_positive(arguments[tool.name][each])),
        )
        for tool in lifted.tools
    }


def _is_positive(values: Sequence[Any]) -> bool:
    return all(type(value) is int and value >= 0 for value in values)


def _texts(lifted: LiftedProgram) -> set[str]:
    """Returns the texts in the oracle and their characters, which tell nothing about hidden values."""
    nodes = (each for statement in lifted.oracle for each in ast.walk(statement))
    found = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found | {character for text in found for character in text}


def _examples(values: Sequence[Any], texts: set[str]) -> tuple[str, ...]:
    """Returns the first different values that are texts of the solution; none if there is another one."""
    known = sorted({value for value in values if isinstance(value, str)})
    return tuple(known[:_EXAMPLES]) if known and all(value in texts for value in values) else ()
