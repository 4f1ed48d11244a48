"""Environments out of solutions: what is made, and the reason for what is refused."""

import ast

import pytest

from codegym_mcp.synthesis.problem_outcomes import Candidate, Stage
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import read_program
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
        ("def f(xs):\n    return 'x' * 10 ** 9", "memory"),
        ("def f(xs):\n    held = []\n    while True:\n        held.append('x' * 10 ** 6)", "0.5 seconds"),
        ("def f(xs):\n    return f(xs)", "recursion"),
        ("import threading\n\ndef f(xs):\n    return threading.active_count()", "threading"),
        ("import socket\n\ndef f(xs):\n    return socket.gethostname()", "socket"),
        ("import subprocess\n\ndef f(xs):\n    return subprocess.run(['true'])", "subprocess"),
        ("import sys\n\ndef f(xs):\n    sys.exit(3)", "sys.exit"),
        ("import sys\n\ndef f(xs):\n    sys.stdout.write('x')", "sys.stdout"),
        ("from sys import stdout\n\ndef f(xs):\n    stdout.write('x')", "sys"),
        ("def f(xs):\n    quit()", "quit"),
        ("def f(xs):\n    raise SystemExit", "SystemExit"),
        ("import os\n\ndef f(xs):\n    os._exit(0)", "os"),
        ("import os\n\ndef f(xs):\n    return os.environ['HOME']", "os"),
        ("import builtins\n\ndef f(xs):\n    builtins.len = sum\n    return len(xs)", "builtins"),
        ("def f(xs):\n    globals()['y'] = 1\n    return len(xs)", "globals"),
        ("def f(xs):\n    return __import__('os').getpid()", "__import__"),
        ("def f(xs):\n    show = print\n    show(xs)\n    return len(xs)", "print"),
        ("def f(xs):\n    take = open\n    return take(1, 'w').write('x')", "open"),
        ("class A:\n    def __del__(self):\n        A()\n\ndef f(xs):\n    return A() and 1", "__del__"),
        ("LIMIT = 1 // 0\n\ndef f(xs):\n    return LIMIT + len(xs)", "ZeroDivisionError"),
        ("LIMIT = 0\nwhile True:\n    LIMIT += 1\n\ndef f(xs):\n    return LIMIT", "2 seconds"),
        ("LIMIT = [0] * 10 ** 11\n\ndef f(xs):\n    return LIMIT[0]", "memory"),
        ("def f(xs):\n    f.count = 1\n    return f.count", "cannot be changed"),
        ("from itertools import count\nIDS = count()\n\ndef f(xs):\n    return next(IDS)", "depends on more"),
        ("def f(xs):\n    return list({str(x) for x in xs})", "depends on more"),
        ("def f(xs):\n    while True:\n        yield 1", "does not end"),
        ("def f(xs):\n    ys = []\n    ys.append(ys)\n    return ys", "not JSON data"),
        ("def f(xs):\n    return float('nan')", "finite"),
        ("def f(xs):\n    return 10 ** 5000", "4300"),
        ("def f(xs):\n    return missing(xs)", "missing"),
        ("async def f(xs):\n    return len(xs)", "asynchronous"),
        ("def f(xs):\n    return '\0'", "cannot be read"),
        ("def f(xs):\n    return " + "-" * 3000 + "1", "nested too deeply"),
        ("x = 1", "No function"),
    ],
)
async def test_bad_code_is_refused_with_its_reason(context, solution: str, reason: str) -> None:
    candidate = await trace(context, solution, ("f([1, 2, 3])", "f([4, 5])"))
    assert candidate.accepted is None
    assert candidate.rejected_at in (Stage.PROBLEM, Stage.ENVIRONMENT)
    assert reason in candidate.reason


async def test_a_solution_may_use_the_names_of_the_program_in_which_it_runs(context) -> None:
    renamed = HIGHEST.replace("is_higher", "handle").replace("places = []", "places = json[:]")
    candidate = await trace(context, f"json = []\n{renamed}")
    assert candidate.accepted is not None, candidate.reason


def test_a_lambda_at_the_top_of_a_module_is_a_function() -> None:
    program = read_program("f = lambda xs, k=2: [x * k for x in xs]", ("f([1])",), "")
    assert program.parameters == ["xs", "k"]


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
