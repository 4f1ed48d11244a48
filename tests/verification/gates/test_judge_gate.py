from dataclasses import replace

import pytest

from codegym_mcp.environment_definition.environment import Environment, JudgeErrors
from codegym_mcp.verification.gate_results import Gate
from codegym_mcp.verification.gates.judge_gate import check_judged, find_unjudged
from codegym_mcp.verification.generated_tasks import generate_tasks
from codegym_mcp.verification.verification_context import VerificationContext
from tests.conftest import Declare

SOURCE = '''
"""There are {boxes} boxes. Answer with the numbers in them that are even."""

META = {"title": "Boxes", "public": ["boxes"]}


class Environment:
    def __init__(self, boxes: int, contents: list[int]):
        self.contents = contents

    def look(self, box: int) -> int:
        """Look into a box.

        Args:
            box: from 0.
        """
        if not 0 <= box < len(self.contents):
            raise ValueError("no such box")
        return self.contents[box]


def reference(boxes: int, contents: list[int]) -> list[int]:
    return [number for number in contents if number % 2 == 0]


def accepts(answer, boxes: int, contents: list[int]) -> bool:
    BODY


def solve(tools, boxes):
    found = [tools.look(box=box) for box in range(boxes)]
    return [number for number in found if number % 2 == 0]


def generate(random, difficulty):
    return {"boxes": 12, "contents": [2, *[random.randint(1, 9) for box in range(11)]]}
'''
RIGHT = "sorted(answer) == sorted(number for number in contents if number % 2 == 0)"


async def tasks_of(context: VerificationContext, environment: Environment) -> list[object]:
    generated, _ = await generate_tasks(context, environment, seeds=[0])
    return [each.task for each in generated]


def judged_by(declare: Declare, body: str) -> Environment:
    return declare(SOURCE.replace("BODY", body))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (f"return answer[0] % 2 == 0 and {RIGHT}", "IndexError"),
        (f"return contents[min(answer + [0])] > -1 and {RIGHT}", "IndexError"),
        (f"return len(answer) < 9 and {RIGHT} or None", "neither True nor False"),
        (f"return 10 ** answer[0] > 0 and {RIGHT} if answer else False", "longer than"),
    ],
    ids=["an empty answer", "a negative number", "no boolean", "a huge number"],
)
async def test_a_judge_that_fails_on_an_unusual_answer_is_a_problem(
    context: VerificationContext, declare: Declare, body: str, error: str
) -> None:
    environment = judged_by(declare, body)
    problems = await check_judged(context, environment, await tasks_of(context, environment))
    assert problems
    assert all(problem.gate is Gate.JUDGED for problem in problems)
    assert any(error in problem.difference for problem in problems), problems
    assert problems[0].call.startswith("submit_answer(answer=")


async def test_a_judge_that_decides_about_every_answer_has_no_problem(
    context: VerificationContext, declare: Declare
) -> None:
    environment = judged_by(declare, f"return {RIGHT}")
    assert not await check_judged(context, environment, await tasks_of(context, environment))


async def test_an_environment_may_say_that_errors_of_its_judge_mean_a_wrong_answer(
    context: VerificationContext, declare: Declare
) -> None:
    environment = judged_by(declare, f"return answer[0] % 2 == 0 and {RIGHT}")
    lenient = replace(environment, judge_errors=JudgeErrors.INCORRECT)
    assert not await find_unjudged(context, lenient, await tasks_of(context, lenient))


async def test_answers_that_are_compared_with_a_reference_need_no_judge(
    context: VerificationContext, declare: Declare
) -> None:
    source = SOURCE.replace(SOURCE[SOURCE.index("def accepts") : SOURCE.index("def solve")], "")
    environment = declare(source)
    assert not await find_unjudged(context, environment, await tasks_of(context, environment))
