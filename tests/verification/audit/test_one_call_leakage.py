"""What a look shows, on looks that are made up."""

from collections.abc import Sequence
from typing import Any

import pytest

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.verification.audit.audit import audit
from codegym_mcp.verification.audit.grading_rules import Grade, Weakness
from codegym_mcp.verification.audit.one_call_leakage import (
    Probe,
    measure_answer_leakage,
    measure_input_leakage,
    probe_tools,
)
from codegym_mcp.verification.audit.oracle_agreement import compare_oracle
from codegym_mcp.verification.verification_context import VerificationContext

ANSWERS = (4, 8, 15, 16, 23)


@pytest.fixture
def row(declare) -> Environment:
    return declare(
        '''
        """There are {boxes} boxes. Answer with a number."""

        META = {"title": "Row", "public": ["boxes"]}


        class Environment:
            def __init__(self, boxes: int, contents: list[int], secret: int):
                self.contents = contents

            def look(self, box: int) -> int:
                """Look into a box.

                Args:
                    box: from 0.
                """
                return self.contents[box % len(self.contents)]

            def peek(self) -> dict[str, list[int]]:
                """Look into all boxes."""
                return {"numbers": self.contents}


        def reference(boxes: int, contents: list[int], secret: int) -> int:
            return secret


        def solve(tools, boxes):
            return tools.look(box=5) + len(tools.peek())
        '''
    )


def tasks(row: Environment) -> Sequence[Task]:
    configs = [
        {"boxes": 99, "contents": [n, n + 40, n + 50, n + 60], "secret": answer}
        for n, answer in enumerate(ANSWERS)
    ]
    return row.with_tasks(tuple(Task(id=str(n), config=each) for n, each in enumerate(configs))).tasks


def seen(*values: Any, tool: str = "look") -> list[list[Probe]]:
    """Returns one probe for each task."""
    return [[Probe(tool, "without arguments", {}, value)] for value in values]


def answers_shown(row: Environment, *values: Any) -> float:
    return measure_answer_leakage(row.answer, ANSWERS, seen(*values)).most.rate


def test_an_answer_is_shown_where_it_is_the_result(row: Environment) -> None:
    shown = measure_answer_leakage(row.answer, ANSWERS, seen(*ANSWERS))
    assert shown.most.rate == 1
    assert shown.most.call == "look()"
    assert shown.tasks == [True] * 5


@pytest.mark.parametrize(
    "dress", ["{0}", '{{"left": 3, "sum": {0}}}', "The sum of all 7 is {0}, says the clerk."]
)
def test_an_answer_in_a_text_is_shown_as_well(row: Environment, dress: str) -> None:
    assert answers_shown(row, *(dress.format(answer) for answer in ANSWERS)) == 1


def test_an_answer_that_lies_each_time_elsewhere_is_not_shown_but_found(row: Environment) -> None:
    lists = [[0] * place + [answer] for place, answer in enumerate(ANSWERS)]
    assert answers_shown(row, *lists) == 0


def test_what_is_right_for_few_tasks_is_chance(row: Environment) -> None:
    assert answers_shown(row, 4, 8, 0, 0, 0) == 0


def test_where_most_answers_are_the_same_one_of_them_shows_nothing(row: Environment) -> None:
    same = (7, 7, 7, 7, 2)
    assert measure_answer_leakage(row.answer, same, seen(7, 7, 7, 7, 7)).most.rate == 0
    assert measure_answer_leakage(row.answer, same, seen(7, 7, 7, 7, 2)).most.rate == 1


def test_the_whole_input_in_one_result_is_shown(row: Environment) -> None:
    made = tasks(row)
    shown = measure_input_leakage(row, made, ANSWERS, seen(*(task.config["contents"] for task in made)))
    assert shown.most.rate == 1
    assert shown.parts == [1.0] * 5


def test_a_part_of_the_input_is_measured_and_not_more(row: Environment) -> None:
    made = tasks(row)
    shown = measure_input_leakage(row, made, ANSWERS, seen(*(task.config["contents"][:3] for task in made)))
    assert shown.most.rate == 0
    assert shown.parts == [0.75] * 5


def test_public_values_and_the_answer_are_no_secret_input(row: Environment) -> None:
    made = tasks(row)
    values = [[task.config["boxes"], task.config["secret"]] for task in made]
    assert measure_input_leakage(row, made, ANSWERS, seen(*values)).parts == [0.0] * 5


async def test_every_tool_is_looked_at_from_the_beginning(
    context: VerificationContext, row: Environment
) -> None:
    (task, *_) = tasks(row)
    (looks,) = await probe_tools(context, row, [(await compare_oracle(context, row, task)).play])
    assert {look.tool for look in looks} == {"look", "peek"}
    assert Probe("look", "as the oracle", {"box": 5}, 40) in looks
    assert Probe("peek", "without arguments", {}, {"numbers": [0, 40, 50, 60]}) in looks


async def test_episodes_that_leave_no_state_show_none(context: VerificationContext, declare) -> None:
    bell = declare(
        '''
        """Ring the bell {times} times."""

        from typing import TypedDict

        META = {"title": "Bell", "public": ["times"]}


        class State(TypedDict):
            rung: int


        class Environment:
            def __init__(self, times: int, bells: list[int]):
                self.bells = bells
                self.rung = 0

            def ring(self) -> int:
                """Ring."""
                self.rung += 1
                return self.bells[self.rung]

            def final_state(self) -> State:
                return {"rung": self.rung}


        def accepts(state: State, times: int, bells: list[int]) -> bool:
            return state["rung"] == times


        def solve(tools, times):
            for _ in range(times):
                tools.ring()


        def generate(random, difficulty):
            return {"times": difficulty, "bells": []}
        '''
    )
    audited = await audit(context, bell)
    assert audited.grade is Grade.D
    assert [finding.weakness for finding in audited.findings] == [Weakness.UNSOLVED]
    assert audited.figures.state_in_one_call.rate == 0
