"""The coding problems in `examples/problems.jsonl`: each solution passes its tests; there are many kinds."""

import ast
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.synthesis.problem_reader import CodingProblem, read_problems, unusable_reason
from codegym_mcp.synthesis.program_tracing.solution_execution.confined_programs import (
    ConfinedProgram,
    Failure,
)
from codegym_mcp.verification.verification_context import VerificationContext

FILE = Path(__file__).parents[2] / "examples" / "problems.jsonl"
RECORDS: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text().splitlines()]
PROBLEMS = [problem for problem in read_problems(FILE) if isinstance(problem, CodingProblem)]
PASSES = "\n\ndef handle(number):\n    TESTS[number]()\n    return 'passed'\n"


def functions(tests: tuple[str, ...]) -> str:
    """Writes each test as a function, and a list of them."""
    bodies = [f"def call_test_{number}():\n    {test}\n" for number, test in enumerate(tests)]
    return "\n\n".join([*bodies, f"TESTS = [{', '.join(f'call_test_{n}' for n in range(len(tests)))}]"])


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.id)
async def test_a_solution_passes_its_tests_in_a_confined_process(
    context: VerificationContext, problem: CodingProblem
) -> None:
    source = f"{problem.solution}\n\n{functions(problem.tests)}{PASSES}"
    results = await ConfinedProgram(context.pool, source).run(range(len(problem.tests)))
    failures = [result.reason for result in results if isinstance(result, Failure)]
    assert failures == []
    assert results == ["passed"] * len(problem.tests)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.id)
def test_a_problem_has_five_different_assertions_on_json_like_arguments(problem: CodingProblem) -> None:
    assert unusable_reason(problem) is None
    assert len(set(problem.tests)) >= 5
    for test in problem.tests:
        (statement,) = ast.parse(test).body
        assert isinstance(statement, ast.Assert)
        assert isinstance(statement.test, ast.Compare)
        assert isinstance(statement.test.left, ast.Call)
        for argument in statement.test.left.args:
            ast.literal_eval(argument)


def test_every_line_is_a_problem_with_its_own_id_and_licence() -> None:
    assert len(PROBLEMS) == len(RECORDS)
    assert len({problem.id for problem in PROBLEMS}) == len(PROBLEMS)
    assert {problem.license for problem in PROBLEMS} == {"MIT"}
    assert {problem.source for problem in PROBLEMS} == {"codegym-mcp examples"}


def test_there_are_many_problems_of_many_kinds_and_hard_ones() -> None:
    assert len(RECORDS) >= 64
    assert len(Counter(record["kind"] for record in RECORDS)) >= 14
    hard = [record["id"] for record in RECORDS if record.get("difficulty") == "hard"]
    assert len(hard) >= 12
    assert {record.get("difficulty", "hard") for record in RECORDS} == {"hard"}
