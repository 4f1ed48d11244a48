"""Differences that repeated runs find, and the causes that are reported."""

from collections.abc import Callable

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.verification.gate_results import Gate, GateProblem, GateState
from codegym_mcp.verification.gates.all_gates import verify
from codegym_mcp.verification.verification_context import VerificationContext

SOURCE = '''
"""There are {boxes} boxes. Answer with the sum."""

META = {"title": "Boxes", "public": ["boxes"]}
NAMES = [f"box {number}" for number in range(40)]
USED = []


class Environment:
    def __init__(self, boxes: int, contents: list[int]):
        self.contents = contents

    def look(self, box: int) -> int:
        """Look into a box.

        Args:
            box: from 0.
        """
        if not 0 <= box < len(self.contents):
            raise ValueError("there is no such box")
        return self.contents[box]


def reference(boxes: int, contents: list[int]) -> int:
    REFERENCE


def solve(tools, boxes):
    SOLVE


def generate(random, difficulty):
    GENERATE
'''
REFERENCE = "return sum(contents)"
SOLVE = "return sum(tools.look(box=box) for box in range(boxes))"
GENERATE = 'return {"boxes": 12, "contents": [random.randint(1, 9) for box in range(12)]}'


async def problems_of(
    context: VerificationContext, declare: Callable[..., Environment], **parts: str
) -> list[GateProblem]:
    source = SOURCE
    for name, usual in (("REFERENCE", REFERENCE), ("SOLVE", SOLVE), ("GENERATE", GENERATE)):
        source = source.replace(name, parts.get(name.lower(), usual))
    verification = await verify(context, declare(source))
    assert verification.gates[Gate.DETERMINISTIC] is (
        GateState.FAILED if verification.problems else GateState.PASSED
    )
    return verification.problems


async def test_what_is_the_same_every_time_has_no_problem(context: VerificationContext, declare) -> None:
    assert not await problems_of(context, declare)


async def test_an_oracle_that_depends_on_the_order_of_a_set(context: VerificationContext, declare) -> None:
    (problem,) = await problems_of(
        context,
        declare,
        solve="order = {name: box for box, name in enumerate(NAMES[:boxes])}\n"
        "    return sum(tools.look(box=order[name]) for name in set(order))",
    )
    assert "The oracle acts differently with another hash seed" in problem.message
    assert problem.task == "d1-s0"
    assert problem.call.startswith("look(box=")
    assert problem.difference.startswith(f"first {problem.call}, then look(box=")


async def test_an_oracle_that_remembers_its_last_play(context: VerificationContext, declare) -> None:
    (problem,) = await problems_of(
        context,
        declare,
        solve="USED.append(boxes)\n    order = range(boxes) if len(USED) == 1 else reversed(range(boxes))\n"
        "    return sum(tools.look(box=box) for box in order)",
    )
    assert "The oracle acts differently after other episodes in the same process" in problem.message
    assert problem.difference == "first look(box=0), then look(box=11)"


async def test_an_oracle_that_makes_one_call_less(context: VerificationContext, declare) -> None:
    (problem,) = await problems_of(
        context,
        declare,
        solve="USED.append(boxes)\n    found = [tools.look(box=box) for box in range(boxes)]\n"
        "    if len(USED) == 1:\n        tools.look(box=0)\n    return sum(found)",
    )
    assert problem.call == "look(box=0)"
    assert problem.difference.startswith("first look(box=0), then the answer ")


async def test_a_reference_that_depends_on_the_order_of_a_set(context: VerificationContext, declare) -> None:
    first = "int(list(set(NAMES))[0][4:])"
    problems = await problems_of(
        context, declare, reference=f"return sum(contents) + {first}", solve=f"{SOLVE} + {first}"
    )
    assert len(problems) == 2
    assert "The oracle acts differently with another hash seed" in problems[0].message
    assert "The same answer is judged differently with another hash seed" in problems[1].message
    assert problems[1].difference == "first right, then wrong"


async def test_a_generator_that_depends_on_the_order_of_a_set(context: VerificationContext, declare) -> None:
    problems = await problems_of(
        context,
        declare,
        generate="return {'boxes': 12, 'contents': [int(name[4:]) for name in list(set(NAMES))[:12]]}",
    )
    assert len(problems) == 5
    assert "The generator makes a different task with another hash seed" in problems[0].message
    assert problems[0].call == "generate(difficulty=1, seed=0)"
