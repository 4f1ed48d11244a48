"""Parameters that are always the length of a container, as `n` in `total(values, n)`.

What counts a hidden container belongs to the environment: the agent counts the members with a tool.
"""

import ast
import copy
import re
from collections.abc import Mapping, Sequence

from codegym_mcp.synthesis.program_tracing.solution_execution.solution_runs import Evaluated
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program
from codegym_mcp.synthesis.program_tracing.syntax_nodes import call_of

_ENOUGH_LENGTHS = 3
"""So many different lengths show that a number is no constant."""


def find_lengths(program: Program, inputs: Sequence[Evaluated], statement: str) -> dict[str, str]:
    """Returns the parameters that are the length of a list, tuple or text in all inputs, with the name of it.

    A parameter that the statement names stays as it is.
    """
    found: dict[str, str] = {}
    for place, name in enumerate(program.parameters):
        numbers = [each.arguments[place] for each in inputs]
        if not all(type(number) is int for number in numbers) or len(set(numbers)) < _ENOUGH_LENGTHS:
            continue
        if re.search(rf"\b{re.escape(name)}\b", statement):
            continue
        for other, container in enumerate(program.parameters):
            values = [each.arguments[other] for each in inputs]
            if all(_measures(number, value) for number, value in zip(numbers, values, strict=True)):
                found[name] = container
                break
    return found


def _measures(number: int, value: object) -> bool:
    return isinstance(value, list | tuple | str) and number == len(value)


def count_lengths(function: ast.FunctionDef, lengths: Mapping[str, str]) -> ast.FunctionDef:
    """Returns a function that counts the containers itself before it does anything else."""
    counted: list[ast.stmt] = [
        ast.Assign([ast.Name(name, ast.Store())], call_of("len", ast.Name(container, ast.Load())))
        for name, container in lengths.items()
    ]
    changed = copy.deepcopy(function)
    changed.body = [*counted, *changed.body]
    return ast.fix_missing_locations(changed)
