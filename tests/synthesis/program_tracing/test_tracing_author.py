"""Environments out of solutions: what is made, and the reason for what is refused."""

import ast

import pytest

from codegym_mcp.synthesis.problem_outcomes import Candidate, Stage
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.program_tracing.tracing_author import TracingAuthor
from codegym_mcp.synthesis.synthesis_options import SynthesisOptions, Tier
from codegym_mcp.verification.audit.grading_rules import Grade

HIGHEST = """
def is_higher(a, b):
    return a > b


def highest_places(heights):
    places = []
    best = 0
    for place in range(len(heights)):
        if is_higher(heights[place], heights[best]):
            best = place
            places.append(place)
    return places
"""
TESTS = (
    "assert highest_places([3, 1, 4, 1, 5]) == [2, 4]",
    "assert highest_places([2, 7, 1, 8]) == [1, 3]",
    "assert highest_places([9, 1]) == []",
)


async def trace(context, solution: str, tests: tuple[str, ...] = TESTS, **options: object) -> Candidate:
    """Makes the environment of a problem."""
    problem = CodingProblem(
        id="p", statement="Write a function to find record heights.", solution=solution, tests=tests
    )
    chosen = SynthesisOptions.model_validate({"grade": Grade.C, "tier": Tier.USABLE, **options})
    return await TracingAuthor(problem, context, chosen, lambda _, __: None).write()


async def test_a_solution_becomes_an_environment_that_passes_the_gates(context) -> None:
    candidate = await trace(context, HIGHEST)
    assert candidate.accepted is not None, candidate.reason
    assert candidate.accepted.audit.figures.oracle == 1
    assert len(candidate.accepted.tasks) >= 8
    assert candidate.tracing is not None
    (made,) = [each for each in ast.parse(candidate.accepted.source).body if isinstance(each, ast.ClassDef)]
    names = {each.name for each in made.body if isinstance(each, ast.FunctionDef)}
    assert "count_heights" in names
    assert any("is_higher" in name for name in names)


async def test_the_same_problem_gives_the_same_bytes(context) -> None:
    one, other = [await trace(context, HIGHEST) for _ in range(2)]
    assert one.accepted is not None
    assert one.model_dump_json() == other.model_dump_json()


@pytest.mark.parametrize(
    ("solution", "reason"),
    [
        ("def f(xs):\n    return len(xs", "not valid Python"),
        ("def f(xs):\n    while True:\n        pass", "seconds"),
        ("import numpy\n\ndef f(xs):\n    return numpy.sum(xs)", "numpy"),
        ("def f(xs):\n    return open('/etc/passwd').read()", "open"),
        ("def f(xs):\n    print(xs)\n    return xs", "print"),
        ("import random\n\ndef f(xs):\n    return random.choice(xs)", "random"),
        ("import time\n\ndef f(xs):\n    return time.time()", "time"),
        ("seen = []\n\ndef f(xs):\n    seen.append(1)\n    return len(seen) + len(xs)", "depends on more"),
        ("total = 0\n\ndef f(xs):\n    global total\n    total += 1\n    return total", "global"),
        ("import os\n\ndef f(xs):\n    return os.system('true')", "os"),
        ("def f(xs):\n    return ().__class__.__bases__", "underscore"),
        ("def f(xs):\n    return [0] * 10 ** 10", ""),
    ],
)
async def test_bad_code_is_refused_with_its_reason(context, solution: str, reason: str) -> None:
    candidate = await trace(context, solution, ("f([1, 2, 3])", "f([4, 5])"))
    assert candidate.accepted is None
    assert candidate.rejected_at in (Stage.PROBLEM, Stage.ENVIRONMENT)
    assert reason in candidate.reason


async def test_a_solution_that_fails_its_own_tests_is_refused(context) -> None:
    candidate = await trace(context, HIGHEST.replace("a > b", "a < b"))
    assert candidate.reason == "The solution does not pass its tests."


async def test_a_problem_below_the_wanted_tier_is_refused(context) -> None:
    candidate = await trace(
        context,
        "def f(xs):\n    total = 0\n    for x in xs:\n        total += x * x + 1\n    return total",
        ("f([1, 2, 3])", "f([4, 5])", "f([2, 9, 7])"),
        tier=Tier.NOT_BYPASSABLE,
    )
    assert candidate.rejected_at is Stage.AUDIT
    assert "not bypassable" in candidate.reason


async def test_values_that_are_compared_with_earlier_ones_stay_hidden(context) -> None:
    solution = (
        "def first_repeated(xs):\n    seen = set()\n    for x in xs:\n        if x in seen:\n"
        "            return x\n        seen.add(x)\n    return -1"
    )
    tests = (
        "assert first_repeated([4, 17, 9, 4, 17]) == 4",
        "assert first_repeated([1, 2, 3, 25]) == -1",
        "assert first_repeated([30, 8, 8]) == 8",
    )
    candidate = await trace(context, solution, tests, tier=Tier.STRICT)
    assert candidate.accepted is not None, candidate.reason
    assert "in self.seen" in candidate.accepted.source
    assert candidate.accepted.audit.figures.oracle_calls.least >= 10


async def test_a_number_that_a_comparison_gives_away_can_be_bypassed(context) -> None:
    solution = (
        "def steps(n):\n    count = 0\n    i = 1\n    while i <= n:\n        if n % i == 0:\n"
        "            count += i\n        i += 1\n    return count"
    )
    tests = ("assert steps(28) == 56", "assert steps(12) == 28", "assert steps(35) == 48")
    candidate = await trace(context, solution, tests, tier=Tier.NOT_BYPASSABLE)
    assert candidate.accepted is None


async def test_a_tool_over_a_list_that_takes_the_place_of_another_refuses_only_with_value_errors(
    context,
) -> None:
    solution = (
        "def counts(rows):\n    rows = [item for row in rows for item in row]\n    found = {}\n    for item in rows:\n"
        "        if item in found:\n            found[item] += 1\n        else:\n            found[item] = 1\n"
        "    return found"
    )
    tests = (
        "assert counts([[1, 2, 3, 2], [4, 5, 6, 2]]) == {1: 1, 2: 3, 3: 1, 4: 1, 5: 1, 6: 1}",
        "assert counts([[1, 2], [3, 4]]) == {1: 1, 2: 1, 3: 1, 4: 1}",
        "assert counts([[20, 30, 40], [20, 30]]) == {20: 2, 30: 2, 40: 1}",
    )
    candidate = await trace(context, solution, tests)
    assert candidate.accepted is not None, candidate.reason
