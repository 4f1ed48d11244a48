"""Plays the oracle of a lifted solution in a confined process, with its tools in the same process."""

import json
import math
from collections.abc import Sequence
from typing import Any

from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.synthesis.program_tracing.environment_files.environment_writing import (
    write_class,
    write_oracle,
    write_program,
)
from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedProgram
from codegym_mcp.synthesis.program_tracing.oracle_play_record import Play, ToolCall
from codegym_mcp.synthesis.program_tracing.solution_execution.confined_programs import (
    ConfinedProgram,
    Failure,
)
from codegym_mcp.synthesis.program_tracing.solution_execution.solution_runs import Evaluated
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program
from codegym_mcp.synthesis.program_tracing.value_shapes import Kind, Shape, json_form, shape_of

MAX_CALLS = 256
"""Calls after which a play is ended."""
_TOLERANCE = 1e-6
_RECORDER = """
CALLS = []


def as_json(value):
    if isinstance(value, (set, frozenset)):
        return sorted([as_json(item) for item in value], key=repr)
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {key: as_json(value[key]) for key in value}
    if isinstance(value, (bool, int, float, str)) or value is None:
        return value
    return [as_json(item) for item in value]


def record(name, function, arguments):
    if len(CALLS) >= MOST_CALLS:
        raise RuntimeError("too many calls")
    sent = json.loads(json.dumps(as_json(arguments)))
    result = json.loads(json.dumps(as_json(function(**sent))))
    CALLS.append([name, sent, result])
    return result
"""
_HANDLER = """
def handle(request):
    CALLS.clear()
    config, public = request
    try:
        answer = solve(RecordedTools(LiftedTools(**config)), **public)
        found = untag_value(tag_value(answer))
    except Exception as problem:
        return {"error": f"{problem}"[:200] or "failed", "calls": CALLS}
    return {"answer": ANSWER(found), "calls": CALLS}


def ANSWER(value):
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        value = list(value.items())
    return as_json(value)
"""


class OraclePlayer:
    """Plays the oracle of one lifted solution."""

    def __init__(
        self, pool: SandboxPool, program: Program, lifted: LiftedProgram, shapes: dict[str, Shape]
    ) -> None:
        """Writes the program that plays.

        Raises:
            RefusedProblemError: the lifted solution is not in the dialect of environments.
        """
        self._program = program
        self._lifted = lifted
        methods = []
        for tool in lifted.tools:
            parameters = ", ".join(["self", *tool.parameters])
            pairs = ", ".join(f'"{each}": {each}' for each in tool.parameters)
            methods.append(
                f"    def {tool.name}({parameters}):\n"
                f'        return record("{tool.name}", self.tools.{tool.name}, {{{pairs}}})'
            )
        recorded = "\n".join(
            ["class RecordedTools:", "    def __init__(self, tools):", "        self.tools = tools", *methods]
        )
        parts = [
            write_program(program),
            write_class("LiftedTools", program, lifted, shapes),
            f"MOST_CALLS = {MAX_CALLS + 1}",
            _RECORDER,
            recorded,
            write_oracle(lifted)
            .replace("def solve(", "def solve_(", 1)
            .replace("def solve_(", "def play_oracle(", 1),
            _HANDLER.replace("solve(", "play_oracle("),
        ]
        self._confined = ConfinedProgram(pool, "\n\n".join(parts))

    async def play(self, inputs: Sequence[Evaluated]) -> list[Play]:
        """Plays the oracle on inputs."""
        configs = [self._config(each) for each in inputs]
        public = [{name: config[name] for name in self._lifted.public} for config in configs]
        responses = await self._confined.run(list(map(list, zip(configs, public, strict=True))))
        return [
            self._play(each, config, response)
            for each, config, response in zip(inputs, configs, responses, strict=True)
        ]

    def _config(self, evaluated: Evaluated) -> dict[str, Any]:
        pairs = zip(self._program.parameters, evaluated.arguments, strict=True)
        return {name: json_form(value) for name, value in pairs}

    def _play(self, evaluated: Evaluated, config: dict[str, Any], response: Any) -> Play:
        right = json_form(evaluated.result)
        if isinstance(response, Failure):
            return Play(evaluated.arguments, config, right, (), False, response.reason)
        calls = tuple(ToolCall(name, arguments, result) for name, arguments, result in response["calls"])
        error = response.get("error", "")
        correct = not error and same_answer(response["answer"], right) and _is_finite(response["answer"])
        return Play(evaluated.arguments, config, right, calls, correct, error)


def same_answer(one: Any, other: Any) -> bool:
    """Returns whether two answers are equal as JSON data; floats may differ by a millionth."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        if isinstance(one, int) and isinstance(other, int):
            return one == other
        return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_answer, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_answer(one[key], other[key]) for key in one)
    return bool(one == other)


def _is_finite(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def answer_shape(results: Sequence[Any]) -> Shape:
    """Returns the shape of the answers."""
    return shape_of(results)


def is_boolean(shape: Shape) -> bool:
    """Returns whether answers are only true or false."""
    return shape.kinds <= {Kind.BOOL}
