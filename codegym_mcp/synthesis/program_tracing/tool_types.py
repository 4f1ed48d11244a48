"""The annotations of tools, learnt from the calls of oracles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codegym_mcp.synthesis.program_tracing.lifted_program import LiftedProgram
from codegym_mcp.synthesis.program_tracing.oracle_play_record import Play
from codegym_mcp.synthesis.program_tracing.value_shapes import annotation, shape_of


@dataclass(frozen=True)
class ToolTypes:
    """The annotations of a tool, from the calls that oracles made.

    Attributes:
        parameters: annotation of each parameter.
        result: annotation of the result.
        positive: the parameters that are whole numbers and were never negative.
    """

    parameters: Mapping[str, str]
    result: str
    positive: frozenset[str] = frozenset()


def tool_types(lifted: LiftedProgram, plays: Sequence[Play]) -> dict[str, ToolTypes]:
    """Learns the types of the tools from the calls of the oracle.

    Raises:
        RefusedProblemError: a tool takes or returns values without a common JSON form.
    """
    arguments: dict[str, dict[str, list[Any]]] = {}
    results: dict[str, list[Any]] = {}
    for play in plays:
        for call in play.calls:
            results.setdefault(call.name, []).append(call.result)
            for name, value in call.arguments.items():
                arguments.setdefault(call.name, {}).setdefault(name, []).append(value)
    return {
        tool.name: ToolTypes(
            {each: annotation(shape_of(arguments[tool.name][each])) for each in tool.parameters},
            annotation(shape_of(results[tool.name])),
            frozenset(each for each in tool.parameters if _is_positive(arguments[tool.name][each])),
        )
        for tool in lifted.tools
    }


def _is_positive(values: Sequence[Any]) -> bool:
    return all(type(value) is int and value >= 0 for value in values)
