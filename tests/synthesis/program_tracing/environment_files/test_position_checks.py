"""Tools refuse positions that do not exist."""

import ast
from typing import Any

import pytest

from codegym_mcp.synthesis.program_tracing.environment_files.environment_writing import (
    write_class,
    write_program,
)
from codegym_mcp.synthesis.program_tracing.environment_files.position_checks import check_positions
from codegym_mcp.synthesis.program_tracing.environment_files.tool_types import ParameterUse, ToolTypes
from codegym_mcp.synthesis.program_tracing.lifting.lifting_variations import Variation
from codegym_mcp.synthesis.program_tracing.lifting.tool_extraction import lift
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import read_program
from codegym_mcp.synthesis.program_tracing.value_shapes import shape_of

GRID = [[3, 1, 4], [1, 5, 9]]


def tool_of(source: str, value: Any, *, positive: bool = True) -> Any:
    """Returns the only tool with parameters of a lifted function `f(xs)`, in an environment with the value."""
    program = read_program(source, (), "f")
    shapes = {"xs": shape_of([value])}
    recorded = {("f", "xs"): shapes["xs"], ("f", "i"): shape_of([1]), ("f", "j"): shape_of([1])}
    lifted = lift(program, ["xs"], recorded, shapes, Variation("test"))
    types = {
        tool.name: ToolTypes(
            dict.fromkeys(tool.parameters, ParameterUse("int")),
            "bool",
            frozenset(tool.parameters if positive else ()),
        )
        for tool in lifted.tools
    }
    scope: dict[str, Any] = {}
    exec(f"{write_program(program)}\n\n{write_class('Tools', program, lifted, shapes, types)}", scope)
    (tool,) = [tool for tool in lifted.tools if ast.unparse(tool.body).count(">")]
    return getattr(scope["Tools"](value), tool.name)


FLAT = "def f(xs):\n    return sum(xs[i] > 2 for i in range(len(xs)))"
HELPER = f"def above(xs, i):\n    return xs[i] > 2\n\n{FLAT.replace('xs[i] > 2', 'above(xs, i)')}"


@pytest.mark.parametrize("position", [-1, -3, 3, 99])
def test_a_position_outside_of_the_list_is_refused_with_the_range(position: int) -> None:
    with pytest.raises(ValueError, match="must be at least 0 and less than 3"):
        tool_of(FLAT, [3, 1, 4])(position)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_position_within_the_list_is_answered(position: int) -> None:
    assert tool_of(FLAT, [3, 1, 4])(position) is ([3, 1, 4][position] > 2)


def test_a_position_that_a_function_of_the_solution_takes_is_checked() -> None:
    source = HELPER.replace("return xs[i] > 2", "return xs[i] > 2 and xs[i] > 1")
    program = read_program(source, (), "f")
    shapes = {"xs": shape_of([[1]])}
    lifted = lift(
        program, ["xs"], {("f", "xs"): shapes["xs"], ("f", "i"): shape_of([1])}, shapes, Variation("t")
    )
    types = {
        tool.name: ToolTypes({"i": ParameterUse("int")}, "bool", frozenset({"i"})) for tool in lifted.tools
    }
    text = write_class("Tools", program, lifted, shapes, types)
    assert "if not 0 <= i < len(self.xs):" in text


def test_both_positions_in_nested_lists_are_checked() -> None:
    source = "def f(xs):\n    return sum(xs[i][j] > 2 for i in range(len(xs)) for j in range(len(xs[i])))"
    ask = tool_of(source, GRID)
    assert ask(1, 2) is True
    with pytest.raises(ValueError, match="less than 2"):
        ask(2, 0)
    with pytest.raises(ValueError, match="less than 3"):
        ask(0, -1)


def test_a_solution_that_counts_from_the_end_keeps_its_positions() -> None:
    assert tool_of(FLAT, [3, 1, 4], positive=False)(-1) is True


GUARDED = "def f(xs):\n    return sum(i < len(xs) and xs[i] > 2 for i in range(len(xs) + 1))"


def test_a_tool_that_checks_a_position_itself_answers_behind_the_end() -> None:
    tool = tool_of(GUARDED, [3, 1, 4])
    assert [tool(position) for position in range(4)] == [True, False, True, False]
    with pytest.raises(ValueError, match="must be at least 0"):
        tool(-1)


def test_a_function_that_checks_a_position_itself_answers_behind_the_end() -> None:
    source = (
        "def above(xs, i):\n    if i == len(xs):\n        return False\n    return xs[i] > 2\n\n"
        "def f(xs):\n    return sum(above(xs, i) for i in range(len(xs) + 1))"
    )
    program = read_program(source, (), "f")
    shapes = {"xs": shape_of([[3, 1, 4]])}
    recorded = {("f", "xs"): shapes["xs"], ("f", "i"): shape_of([1])}
    lifted = lift(program, ["xs"], recorded, shapes, Variation("test"))
    (tool,) = [tool for tool in lifted.tools if tool.parameters]
    lines = check_positions(tool, program, set(tool.parameters), shapes)
    assert [line.strip() for line in lines] == [
        "if i < 0:",
        'raise ValueError("i must be at least 0.")',
    ]


def test_a_change_that_a_function_of_the_solution_computes_has_its_parameters_and_checks() -> None:
    source = (
        "def with_item(xs, place, total):\n    return total + xs[place]\n\n"
        "def f(xs, total):\n    for k in range(len(xs)):\n        total = with_item(xs, k, total)\n    return total > 3"
    )
    program = read_program(source, (), "f")
    shapes = {"xs": shape_of([[1, 2]]), "total": shape_of([3])}
    recorded = {("f", name): shape for name, shape in shapes.items()}
    lifted = lift(program, ["xs", "total"], recorded, shapes, Variation("test", state=True))
    (tool,) = [each for each in lifted.tools if each.changes]
    assert tool.parameters == ["place"]
    assert check_positions(tool, program, {"place"}, shapes)[0].strip() == "if not 0 <= place < len(self.xs):"
