from typing import Any, Literal, NotRequired

import pytest
from pydantic import TypeAdapter, with_config
from typing_extensions import TypedDict

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.environment_definition.tools import plain_schema, type_config
from codegym_mcp.verification.audit.answers_without_looking import count_values, measure_answers
from codegym_mcp.verification.audit.audit_measurements import Answers
from codegym_mcp.verification.audit.oracle_agreement import compare_oracle
from codegym_mcp.verification.verification_context import VerificationContext


@with_config(type_config)
class Pair(TypedDict):
    left: bool
    right: NotRequired[Literal["a", "b", "c"]]


@with_config(type_config)
class Tree(TypedDict):
    below: "Tree | None"


@pytest.mark.parametrize(
    ("annotation", "values"),
    [
        (bool, 2),
        (Literal["a", "b", "c"], 3),
        (bool | None, 3),
        (tuple[bool, Literal[1, 2, 3]], 6),
        (Pair, 8),
        (int, None),
        (list[bool], None),
        (bool | str, None),
        (dict[str, bool], None),
        (Tree, None),
        (Any, None),
    ],
)
def test_the_values_of_a_type_are_counted_where_there_are_few(annotation: Any, values: int | None) -> None:
    assert count_values(plain_schema(TypeAdapter(annotation))) == values


async def measure(context: VerificationContext, environment: Environment) -> Answers:
    return await measure_answers(
        context, environment, [await compare_oracle(context, environment, task) for task in environment.tasks]
    )


def with_bells(counter: Environment, *bells: int) -> Environment:
    return counter.with_tasks(
        tuple(Task(id=f"t{place}", config={"start": 0, "bell": bell}) for place, bell in enumerate(bells))
    )


async def test_the_commonest_answer_counts(context: VerificationContext, counter: Environment) -> None:
    measured = await measure(context, with_bells(counter, 3, 1, 4, 1, 5))
    assert measured == Answers(tasks=5, distinct=4, best_constant=0.4, commonest="1")


async def test_half_of_a_balanced_set_can_be_guessed(
    context: VerificationContext, counter: Environment
) -> None:
    assert (await measure(context, with_bells(counter, 1, 2, 1, 2))).best_constant == 0.5


async def test_without_tasks_there_is_nothing_to_guess(
    context: VerificationContext, counter: Environment
) -> None:
    assert await measure_answers(context, counter, []) == Answers()


async def test_where_several_answers_are_accepted_the_judge_is_asked(
    context: VerificationContext, declare
) -> None:
    environment = declare(
        '''
        """Answer with any number from the list."""

        META = {"title": "Any number"}


        class Environment:
            def __init__(self, numbers: list[int]):
                self.numbers = numbers

            def look(self) -> int:
                """Look at the first number."""
                return self.numbers[0]


        def reference(numbers: list[int]) -> int:
            return numbers[0]


        def accepts(answer, numbers):
            return answer in numbers


        def solve(tools):
            return tools.look()
        '''
    )
    tasks = [Task(id=str(n), config={"numbers": [n, 7]}) for n in (1, 2, 3)]
    tasks.append(Task(id="7", config={"numbers": [7, 8]}))
    measured = await measure(context, environment.with_tasks(tuple(tasks)))
    assert measured.distinct == 4
    assert measured.best_constant == 1
    assert measured.commonest == "7"
