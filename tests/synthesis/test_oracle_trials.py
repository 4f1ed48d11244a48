"""Generated oracles are tried on every task."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.synthesis.environment_draft import Draft
from codegym_mcp.synthesis.oracle_trials import (
    agree_against_reference,
    difficulty,
    find_unsolvable,
    fixed_tasks,
    try_oracle,
)
from codegym_mcp.synthesis.prompt_rendering import LEAST_CALLS, MOST_CALLS
from codegym_mcp.verification.verification_context import VerificationContext

OFF_BY_ONE = (
    "def solve(tools, jars):\n    return 1 + sum(tools.weigh(jar=jar)['grams'] for jar in range(jars))\n"
)
OFF_TOO = "def solve(tools, jars):\n    total = 1\n    for jar in range(jars):\n        total += tools.weigh(jar=jar)['grams']\n    return total\n"
OTHERWISE_OFF = (
    "def solve(tools, jars):\n    return 2 + sum(tools.weigh(jar=jar)['grams'] for jar in range(jars))\n"
)


def tasks(*sizes):
    return [Task(id=f"{size} jars", config={"jars": size, "grams": list(range(size))}) for size in sizes]


async def test_plays_are_divided_by_their_outcome(context, draft, solve) -> None:
    trial = await try_oracle(context, draft.with_oracle(solve, "jars"), tasks(9, 10, 256, 257))
    assert [play.task.id for play in trial.fit] == ["10 jars", "256 jars"]
    assert [play.task.id for play in trial.too_long] == ["257 jars"]
    assert not trial.wrong
    assert not trial.hindered
    assert trial.describe_calls().splitlines()[-1] == "257 jars: more than 256 calls"


async def test_an_oracle_that_fails_is_wrong_and_not_too_long(context, draft) -> None:
    failing = "def solve(tools, jars):\n    return tools.weigh(jar=-1)['grams']\n"
    trial = await try_oracle(context, draft.with_oracle(failing, "jars"), tasks(10))
    assert len(trial.wrong) == 1


async def test_the_better_oracle_solves_more_or_calls_less(context, draft, solve) -> None:
    twice = solve.replace("range(jars)", "2 * list(range(jars))").replace("sum(", "sum(1 / 2 * ")
    wrong = await try_oracle(context, draft.with_oracle(OFF_BY_ONE, "jars"), tasks(10, 11))
    slow = await try_oracle(context, draft.with_oracle(twice.replace("1 / 2 *", ""), "jars"), tasks(10, 11))
    good = await try_oracle(context, draft.with_oracle(solve, "jars"), tasks(10, 11))
    assert good.rank > slow.rank
    assert good.rank > wrong.rank


async def test_oracles_written_apart_that_agree_against_the_reference_are_found(
    context, draft, solve
) -> None:
    played = tasks(10, 11)
    off, too, otherwise, good = [
        await try_oracle(context, draft.with_oracle(each, "jars"), played)
        for each in (OFF_BY_ONE, OFF_TOO, OTHERWISE_OFF, solve)
    ]
    found = agree_against_reference([off, too, otherwise])
    assert found is not None
    assert found[0].answer == sum(range(10)) + 1
    assert found[1] == 2
    assert agree_against_reference([off, otherwise]) is None
    # The very same program twice is one opinion.
    assert agree_against_reference([off, off]) is None
    # Where an oracle is right, the task can be solved as it is.
    assert agree_against_reference([off, too, good]) is None


async def test_wrong_oracles_that_agree_on_a_task_by_chance_say_nothing_of_the_reference(
    context, draft
) -> None:
    # Both say 10 for ten jars, and something else for all others.
    played = tasks(10, 11, 12, 13)
    count = await try_oracle(
        context, draft.with_oracle("def solve(tools, jars):\n    return jars\n", "jars"), played
    )
    ten = await try_oracle(
        context, draft.with_oracle("def solve(tools, jars):\n    return 10\n", "jars"), played
    )
    assert agree_against_reference([count, ten]) is None


async def test_a_written_task_that_no_capable_oracle_solves_is_unsolvable_unless_it_is_too_long(
    context: VerificationContext, draft: Draft
) -> None:
    # Both are wrong about 20 jars, in different ways, and right about all others.
    oracles = [
        "def solve(tools, jars):\n    total = sum(tools.weigh(jar=jar)['grams'] for jar in range(jars))\n"
        f"    return total + {error} * (jars == 20)\n"
        for error in (1, 2)
    ]
    generated = [Task(id="d1-s1", config={"jars": 12, "grams": list(range(12))})]
    written = [
        Task(id=f"written-{size}", config={"jars": size, "grams": list(range(size))})
        for size in (11, 20, 257)
    ]
    trials = [
        await try_oracle(context, draft.with_oracle(oracle, "jars"), [*generated, *written])
        for oracle in oracles
    ]
    assert [task.id for task in find_unsolvable(trials)] == ["written-20"]
    assert [play.task.id for play in trials[0].without(find_unsolvable(trials)).wrong] == []
    # An oracle that does not solve the generated tasks proves nothing.
    incapable = await try_oracle(context, draft.with_oracle(OFF_BY_ONE, "jars"), [*generated, *written])
    assert find_unsolvable([incapable]) == []


async def test_tasks_are_kept_from_short_to_long_with_their_calls(context, draft, solve) -> None:
    trial = await try_oracle(context, draft.with_oracle(solve, "jars"), tasks(200, 10, 30))
    kept = fixed_tasks(trial.fit)
    assert [(task.id, task.oracle_calls, task.difficulty) for task in kept] == [
        ("t1", 10, 1),
        ("t2", 30, 2),
        ("t3", 200, 5),
    ]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [(10, 1), (19, 1), (20, 2), (36, 2), (37, 3), (69, 3), (70, 4), (133, 4), (134, 5), (256, 5)],
)
def test_difficulty_follows_from_the_calls(calls, expected) -> None:
    assert difficulty(calls) == expected


@given(st.integers(LEAST_CALLS, MOST_CALLS - 1))
def test_more_calls_are_never_easier(calls) -> None:
    assert 1 <= difficulty(calls) <= difficulty(calls + 1) <= 5
