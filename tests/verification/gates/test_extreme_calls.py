from codegym_mcp.verification.gate_results import Gate, GateState
from codegym_mcp.verification.gates.all_gates import verify
from codegym_mcp.verification.verification_context import VerificationContext

SOURCE = '''
"""There are {boxes} boxes. Answer with the sum."""

META = {"title": "Boxes", "public": ["boxes"]}


class Environment:
    def __init__(self, boxes: int, contents: list[int]):
        self.contents = contents
        self.opened = 0

    def look(self, box: int) -> int:
        """Look into a box.

        Args:
            box: from 0.
        """
        BODY


def reference(boxes: int, contents: list[int]) -> int:
    return sum(contents)


def solve(tools, boxes):
    return sum(tools.look(box=box) for box in range(boxes))


def generate(random, difficulty):
    return {"boxes": 12, "contents": [random.randint(1, 9) for box in range(12)]}
'''
LOOK = "return self.contents[box % len(self.contents)]"


async def verify_with(context: VerificationContext, declare, body: str):
    return await verify(context, declare(SOURCE.replace("BODY", body)))


async def test_a_tool_that_exceeds_a_limit_for_the_oracle_is_reported_once(
    context: VerificationContext, declare
) -> None:
    verification = await verify_with(
        context, declare, "while box == 3:\n            box = 3\n        " + LOOK
    )
    assert verification.gates[Gate.LIMITS] is GateState.FAILED
    # The oracle was let down: nothing is said of it.
    assert verification.gates[Gate.SOLVED] is GateState.UNDECIDED
    (problem,) = verification.problems
    assert problem.call == "look(box=3)"
    assert problem.difference == "It took longer than 0.3 seconds."


async def test_a_refusal_that_is_too_long_exceeds_a_limit(context: VerificationContext, declare) -> None:
    body = f"if box > 99:\n            raise ValueError('no' * 50_000)\n        {LOOK}"
    verification = await verify_with(context, declare, body)
    (problem,) = verification.problems
    assert problem.gate is Gate.LIMITS
    assert problem.difference == "Its result has 100000 bytes, 65536 are allowed."


async def test_extreme_arguments_are_tried_after_the_calls_of_the_oracle(
    context: VerificationContext, declare
) -> None:
    # Only after a usual call does the tool get as far as to fail.
    body = (
        "self.opened += 1\n        if self.opened == 1 and box > 11:\n            raise ValueError('early')\n"
        "        return self.contents[box]"
    )
    verification = await verify_with(context, declare, body)
    assert verification.gates[Gate.RESULTS] is GateState.FAILED
    (problem,) = verification.problems
    assert "IndexError" in problem.difference


async def test_two_kinds_of_problem_of_one_tool_are_both_reported(
    context: VerificationContext, declare
) -> None:
    body = (
        "if box < 0:\n            return 'none'\n        while box > 99:\n            box += 1\n        "
        + LOOK
    )
    verification = await verify_with(context, declare, body)
    assert {problem.gate for problem in verification.problems} == {Gate.LIMITS, Gate.RESULTS}
