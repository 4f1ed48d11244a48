from functools import partial

import pytest

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.verification.audit.adaptivity import measure_adaptivity
from codegym_mcp.verification.audit.oracle_agreement import compare_oracle
from codegym_mcp.verification.verification_context import VerificationContext
from tests.conftest import Declare

SOURCE = '''
"""There are {boxes} boxes, numbered from 0. Answer with the number of the first one that holds a 7, or with -1."""

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


def reference(boxes: int, contents: list[int]) -> int:
    return contents.index(7) if 7 in contents else -1


def solve(tools, boxes):
    BODY
'''
SCAN = (
    "found = [tools.look(box=box) for box in range(boxes)]\n    return found.index(7) if 7 in found else -1"
)
SEARCH = (
    "for box in range(boxes):\n        if tools.look(box=box) == 7:\n            return box\n    return -1"
)
INPUTS = [[1, 7, 2], [1, 2, 7], [7, 1, 1], [3, 3, 3]]


async def adaptivity(
    context: VerificationContext, environment: Environment, inputs: list[list[int]]
) -> float | None:
    tasks = [
        Task(id=str(number), config={"boxes": len(contents), "contents": contents})
        for number, contents in enumerate(inputs)
    ]
    comparisons = await context.run_all(partial(compare_oracle, context, environment), tasks)
    return measure_adaptivity(environment, comparisons)


@pytest.mark.parametrize(("solve", "share"), [(SCAN, 0), (SEARCH, 1)])
async def test_a_scan_is_not_adaptive_and_a_search_is(
    context: VerificationContext, declare: Declare, solve: str, share: float
) -> None:
    assert await adaptivity(context, declare(SOURCE.replace("BODY", solve)), INPUTS) == share


async def test_only_inputs_with_the_same_public_values_are_compared(
    context: VerificationContext, declare: Declare
) -> None:
    environment = declare(SOURCE.replace("BODY", SCAN))
    assert await adaptivity(context, environment, [[1], [1, 2], [1, 2, 3]]) is None
    search = declare(SOURCE.replace("BODY", SEARCH))
    assert await adaptivity(context, search, [[1, 7], [7, 1], [5, 5, 5], [6, 6, 6]]) == 0.5
