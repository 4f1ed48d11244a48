"""Variations of inputs keep what the tests have in common, and find rare results."""

from codegym_mcp.synthesis.program_tracing.input_generation.neighbouring_inputs import neighbours
from codegym_mcp.synthesis.program_tracing.solution_execution.solution_runs import Evaluated


def evaluated(*calls: tuple[tuple[object, ...], object, int]) -> list[Evaluated]:
    """Returns calls with their results and steps."""
    return [
        Evaluated(arguments, result, is_iterator=False, steps=steps) for arguments, result, steps in calls
    ]


def test_variations_of_a_rare_result_keep_patterns_of_equal_members() -> None:
    calls = evaluated((("abab",), True, 4), *((("abca" + "d" * k,), False, 1) for k in range(20)))
    made = neighbours(calls, [("abab",), ("abcd",)], 64, "seed")
    assert any(text != "abab" and text[0] == text[2] and text[1] == text[3] for (text,) in made)


def test_variations_keep_order_and_lengths() -> None:
    examples = [([1, 3, 5], 3), ([2, 4], 2), ([1, 2, 8, 9], 4)]
    calls = evaluated(*((each, True, 3) for each in examples), ((([7, 8, 9, 11], 4)), False, 1))
    made = neighbours(calls, examples, 64, "seed")
    assert made
    assert all(values == sorted(values) and length == len(values) for values, length in made)


def test_results_that_differ_much_need_no_variations() -> None:
    calls = evaluated(*((([k],), k, 1) for k in range(30)))
    assert neighbours(calls, [([1],)], 64, "seed") == []


def test_the_same_seed_gives_the_same_variations() -> None:
    calls = evaluated((([1, 2, 3],), True, 3), (([3, 1, 2],), False, 1))
    one, other = (neighbours(calls, [([1, 2, 3],), ([5, 1],)], 16, "seed") for _ in range(2))
    assert one == other


def test_where_few_inputs_are_accepted_others_have_their_structure() -> None:
    examples = [([[3, 4], [1, 2]], [[6], [5]]), ([[1, 0, 2], [0, 5, 3]], [[7], [9], [8]])]
    calls = evaluated(*((each, str(each), 3) for each in examples))
    made = neighbours(calls, examples, 64, "seed")
    assert sum(len(one[0]) == len(other) for one, other in made) > 12
