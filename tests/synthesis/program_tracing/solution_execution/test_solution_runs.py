"""Which calls of a solution are kept."""

from codegym_mcp.synthesis.program_tracing.solution_execution.solution_runs import (
    Evaluated,
    choose_inputs,
    evaluate,
)
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import read_program


def call(number: int, result: object, steps: int = 0) -> Evaluated:
    return Evaluated((number,), result, is_iterator=False, steps=steps)


def test_a_rare_result_is_kept_as_often_as_a_common_one() -> None:
    calls = [call(k, False) for k in range(20)] + [call(20 + k, True) for k in range(4)]
    chosen = choose_inputs(calls, 8)
    assert sum(each.result for each in chosen) == 4


def test_of_equal_results_every_other_one_takes_many_steps() -> None:
    calls = [call(k, 1, steps=k) for k in range(10)]
    assert [each.steps for each in choose_inputs(calls, 4)] == [0, 1, 8, 9]


def test_all_calls_are_kept_in_order_if_they_are_few() -> None:
    calls = [call(k, k % 2) for k in range(5)]
    assert choose_inputs(calls, 9) == calls


def test_different_results_are_spread_over_the_sizes() -> None:
    calls = [call(k, k) for k in range(12)]
    assert [each.arguments[0] for each in choose_inputs(calls, 4)] == [0, 3, 6, 9]


async def test_after_some_calls_that_take_too_many_steps_the_others_are_not_tried(context) -> None:
    source = "def f(n):\n    count = 0\n    for k in range(n * 1000):\n        count += 1\n    return count"
    calls = [(1,), *((60 + k,) for k in range(8)), (2,)]
    found = await evaluate(context, read_program(source, (), "f"), calls, 1)
    assert [each.arguments for each in found] == [(1,)]
    found = await evaluate(context, read_program(source, (), "f"), [*calls[2:], (3,)], 9)
    assert [each.arguments for each in found] == [(2,), (3,)]
