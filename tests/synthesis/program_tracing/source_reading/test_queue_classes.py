"""Queues of the standard library in solutions are the containers that they hold."""

import ast
from typing import Any

import pytest

from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import read_program
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError

WALK = """
{imports}


def f(xs):
    waiting = {kind}()
    for x in xs:
        waiting.put(x)
    found = [waiting.qsize()]
    while not waiting.empty():
        found.append(waiting.get())
    return found
"""


def run(source: str, values: list[int]) -> Any:
    """Returns what the function of a program returns."""
    program = read_program(source, (), "f")
    assert "queue" not in ast.unparse(program.tree)
    scope: dict[str, Any] = {}
    exec(program.source, scope)
    return scope["f"](values)


@pytest.mark.parametrize(
    ("kind", "order"),
    [
        ("Queue", [3, 1, 2]),
        ("SimpleQueue", [3, 1, 2]),
        ("LifoQueue", [2, 1, 3]),
        ("PriorityQueue", [1, 2, 3]),
    ],
)
def test_values_leave_a_queue_in_its_order(kind: str, order: list[int]) -> None:
    source = WALK.format(imports=f"from queue import {kind}", kind=kind)
    assert run(source, [3, 1, 2]) == [3, *order]


def test_the_module_may_be_imported_as_a_whole() -> None:
    assert run(WALK.format(imports="import queue", kind="queue.Queue"), [5, 4]) == [2, 5, 4]


@pytest.mark.parametrize(
    "statement", ["waiting.get(timeout=1)", "waiting.join()", "waiting = []", "print_all(queue.Full)"]
)
def test_a_queue_that_is_used_in_another_way_is_refused(statement: str) -> None:
    source = WALK.format(imports="import queue", kind="queue.Queue")
    with pytest.raises(RefusedProblemError, match="needs queue"):
        read_program(source.replace("    return found", f"    {statement}\n    return found"), (), "f")
