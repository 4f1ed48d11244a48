from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.verification.gate_results import Gate
from codegym_mcp.verification.gates.random_calls import CallSource, check_random_calls
from codegym_mcp.verification.verification_context import VerificationContext
from tests.conftest import Declare

SOURCE = '''
"""Boxes have names. Answer with the number in the box {first}."""

META = {"title": "Named boxes", "public": ["first"]}


class Environment:
    def __init__(self, first: str, contents: dict[str, int]):
        self.contents = dict(contents)
        self.taken = []

    def list_boxes(self) -> list[str]:
        """List the names of all boxes."""
        return sorted(self.contents)

    def take(self, box: str) -> int:
        """Take a box away.

        Args:
            box: its name.
        """
        BODY


def reference(first: str, contents: dict[str, int]) -> int:
    return contents[first]


def solve(tools, first):
    return tools.take(box=first) if first in tools.list_boxes() else 0
'''
TASK = Task(id="one", config={"first": "oak", "contents": {"oak": 3, "elm": 4, "ash": 5}})


def with_body(declare: Declare, *lines: str) -> Environment:
    return declare(SOURCE.replace("BODY", "\n        ".join(lines)))


async def test_a_fault_that_needs_a_name_from_an_earlier_result_is_found(
    context: VerificationContext, declare: Declare
) -> None:
    environment = with_body(
        declare,
        "if box not in self.contents and box not in self.taken:",
        '    raise ValueError("no such box")',
        "self.taken.append(box)",
        "return self.contents.pop(box)",
    )
    (problem,) = await check_random_calls(context, environment, [CallSource(TASK)])
    assert problem.gate is Gate.RESULTS
    assert problem.call.startswith("take(box=")
    assert "KeyError" in problem.difference


async def test_the_same_calls_are_tried_every_time(context: VerificationContext, declare: Declare) -> None:
    environment = with_body(declare, "return self.contents.pop(box)")
    first = await check_random_calls(context, environment, [CallSource(TASK)])
    assert first == await check_random_calls(context, environment, [CallSource(TASK)])


async def test_an_environment_that_refuses_what_it_cannot_do_has_no_problem(
    context: VerificationContext, declare: Declare
) -> None:
    environment = with_body(
        declare,
        "if box not in self.contents:",
        '    raise ValueError("no such box")',
        "return self.contents.pop(box)",
    )
    assert not await check_random_calls(context, environment, [CallSource(TASK)])
