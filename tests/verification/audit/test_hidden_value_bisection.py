"""Hidden values that are found by tools that compare them with an argument."""

from typing import Any

import pytest

from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.verification.audit.hidden_value_bisection import (
    ObservedCall,
    SearchedPlay,
    measure_search_costs,
)

FILE = '''"""Find a place."""

META = {{"title": "Places"}}


class Environment:
    def __init__(self, values: list[{kind}]):
        self.values = values
        self.calls = 0

    def ask(self, position: int, value: {kind}) -> bool:
        """Tells something about a value.

        Args:
            position: the position.
            value: another value.
        """
        self.calls += 1
        return {result}


def reference(values: list[{kind}]) -> int:
    return len(values)


def solve(tools):
    return 0
'''
NUMBERS = [[512, 40, 731, 8], [90, 655, 13, 402], [77, 301, 998, 150]]


async def costs(
    context: Any, result: str, *, kind: str = "int", tasks: list[list[Any]] = NUMBERS
) -> dict[str, int]:
    """Returns the costs of the searches in an environment whose tool returns an expression."""
    source = FILE.format(kind=kind, result=result)
    environment = read_environment_source(source, name="places", path="places.py")
    plays = [
        SearchedPlay(
            {"values": values},
            values,
            [ObservedCall("ask", {"position": 1, "value": values[0]}, True)] * 4
            + [ObservedCall("ask", {"position": 2, "value": values[1]}, False)],
        )
        for values in tasks
    ]
    return await measure_search_costs(context, environment, plays)


@pytest.mark.parametrize(
    "result",
    [
        "self.values[position] > value",
        "value >= self.values[position]",
        "self.values[position] + 1 > value",
        "not self.values[position] <= value",
    ],
)
async def test_a_number_that_is_compared_is_found_by_bisection(context, result: str) -> None:
    assert await costs(context, result) == {"ask": 10}


async def test_decimals_take_more_calls(context) -> None:
    tasks = [[0.25, 3.75, 1.5], [2.25, 0.75, 1.25], [1.75, 2.5, 3.5]]
    assert await costs(context, "self.values[position] > value", kind="float", tasks=tasks) == {"ask": 9}


async def test_a_letter_of_a_small_alphabet_is_found_by_trying_all(context) -> None:
    tasks = [["a", "b", "c", "a"], ["b", "c", "a", "b"], ["c", "a", "b", "a"]]
    assert await costs(context, "self.values[position] == value", kind="str", tasks=tasks) == {"ask": 2}


@pytest.mark.parametrize(
    "result",
    [
        "self.values[position] % 2 == 0",
        "self.values[position] == value",
        "len(self.values) > value",
        "self.values[position] * value > 5000",
        "self.values[position] > self.values[value]",
    ],
)
async def test_other_tools_are_not_searched(context, result: str) -> None:
    assert await costs(context, result) == {}
