"""Learns from a problem's tests which arguments its solution takes, and what its variables hold."""

import ast
from dataclasses import dataclass
from typing import Any

from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.source_parsing import parse_source
from codegym_mcp.synthesis.problem_outcomes import Stage
from codegym_mcp.synthesis.program_tracing.solution_execution.confined_programs import (
    ConfinedProgram,
    Failure,
)
from codegym_mcp.synthesis.program_tracing.solution_execution.variable_recording import NOTE, record_variables
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.program_tracing.typed_json_values import decode
from codegym_mcp.synthesis.program_tracing.value_shapes import Shape, shape_of

_MAX_TESTS = 40
_RECORDER = """
RECORDED = []


def recorded_entry(*values, **named):
    by_name = [[name, tag_value(named[name])] for name in named]
    RECORDED.append([[tag_value(value) for value in values], by_name])
    result = {entry}(*values, **named)
    return result
"""
_HANDLER = """
def handle(request):
    RECORDED.clear()
    NOTED.clear()
    error = ""
    try:
        TESTS[request]()
    except AssertionError:
        error = "wrong"
    except Exception as problem:
        error = f"{problem}" or "failed"
    return {"calls": RECORDED[:20], "error": error, "noted": NOTED}
"""


@dataclass(frozen=True)
class MinedExamples:
    """What the tests of a problem show.

    Attributes:
        arguments: the different tuples of arguments.
        variables: the shape of each variable, by function and name.
    """

    arguments: list[tuple[Any, ...]]
    variables: dict[tuple[str, str], Shape]


async def mine_examples(pool: SandboxPool, program: Program, tests: tuple[str, ...]) -> MinedExamples:
    """Runs the tests of a problem in a confined process and records the calls of its solution.

    Raises:
        RefusedProblemError: no test calls the solution with arguments that an environment can hold.
    """
    functions, setup = _test_functions(program, tests)
    if not functions:
        raise RefusedProblemError("The problem has no tests that show its arguments.", Stage.PROBLEM)
    recorded = record_variables(program.tree)
    names = ", ".join(function.name for function in functions)
    parts = [
        NOTE,
        ast.unparse(recorded),
        _RECORDER.format(entry=program.entry.name),
        *map(ast.unparse, setup),
        *map(ast.unparse, functions),
        f"TESTS = [{names}]",
        _HANDLER,
    ]
    responses = await ConfinedProgram(pool, "\n\n".join(parts)).run(range(len(functions)))
    arguments: dict[str, tuple[Any, ...]] = {}
    noted: dict[tuple[str, str], list[Any]] = {}
    reason = ""
    for response in responses:
        if isinstance(response, Failure):
            reason = response.reason
            continue
        if response["error"] == "wrong":
            raise RefusedProblemError("The solution does not pass its tests.", Stage.PROBLEM)
        reason = response["error"] or reason
        for values, named in response["calls"]:
            try:
                call = _bind(program, [decode(value) for value in values], {k: decode(v) for k, v in named})
            except RefusedProblemError as error:
                reason = error.reason
                continue
            arguments.setdefault(repr(call), call)
        for function, name, value in response["noted"]:
            noted.setdefault((function, name), []).append(value)
    if not arguments:
        raise RefusedProblemError(f"No test shows usable arguments. {reason}".strip(), Stage.PROBLEM)
    return MinedExamples(list(arguments.values()), _shapes(noted))


def _shapes(noted: dict[tuple[str, str], list[Any]]) -> dict[tuple[str, str], Shape]:
    found = {}
    for place, values in noted.items():
        try:
            found[place] = shape_of(map(decode, values))
        except RefusedProblemError:
            continue
    return found


def _bind(program: Program, values: list[Any], named: dict[str, Any]) -> tuple[Any, ...]:
    """Returns a call's arguments in the order of the parameters, with defaults."""
    parameters, defaults = program.parameters, program.entry.args.defaults
    first_default = len(parameters) - len(defaults)
    found = list(values)
    for place, name in enumerate(parameters[len(values) :], start=len(values)):
        if name in named:
            found.append(named[name])
            continue
        try:
            found.append(ast.literal_eval(defaults[place - first_default]))
        except (ValueError, IndexError):
            raise RefusedProblemError(f"The default of {name} is not a constant.") from None
    return tuple(found)


def _test_functions(program: Program, tests: tuple[str, ...]) -> tuple[list[ast.FunctionDef], list[ast.stmt]]:
    """Returns a function for each assertion and call of the tests, and the other statements."""
    functions: list[ast.FunctionDef] = []
    setup: list[ast.stmt] = []
    for test in tests:
        try:
            body = parse_source(test, "test").body
        except SourceError:
            continue
        for node in body:
            renamed = _Renamer(program.entry.name).visit(node)
            if not isinstance(node, ast.Assert | ast.Expr):
                setup.append(renamed)
            elif len(functions) < _MAX_TESTS:
                function = ast.parse(f"def call_test_{len(functions)}():\n    pass").body[0]
                if isinstance(function, ast.FunctionDef):
                    function.body = [renamed]
                    functions.append(function)
    return functions, setup


class _Renamer(ast.NodeTransformer):
    def __init__(self, entry: str) -> None:
        self._entry = entry

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id.strip("_") == self._entry.strip("_"):
            return ast.copy_location(ast.Name("recorded_entry", node.ctx), node)
        return node
