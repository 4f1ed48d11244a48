"""How often loops and functions of a program begin."""

import ast

import pytest

from codegym_mcp.synthesis.program_tracing.solution_execution.step_counting import count_steps


def test_each_round_of_a_loop_and_each_call_is_a_step() -> None:
    source = (
        "def g(n):\n    while n > 0:\n        n -= 1\n    return n\n\n"
        "def f(xs):\n    for x in xs:\n        g(x)\n    return len(xs)"
    )
    steps = [0]
    scope: dict[str, object] = {"STEPS": steps}
    exec(ast.unparse(count_steps(ast.parse(source))), scope)
    assert eval("f([2, 3])", scope) == 2
    assert steps == [1 + 2 + 2 + 5]


def test_a_program_ends_after_too_many_steps() -> None:
    scope: dict[str, object] = {"STEPS": [0]}
    exec(ast.unparse(count_steps(ast.parse("def f():\n    while True:\n        pass"))), scope)
    with pytest.raises(RuntimeError, match="too many steps"):
        eval("f()", scope)
