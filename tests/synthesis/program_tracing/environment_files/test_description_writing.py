"""Names and descriptions of tools that are helpers of the solution."""

import ast

import pytest

from codegym_mcp.synthesis.program_tracing.environment_files.description_writing import (
    describe_parameter,
    describe_tool,
)
from codegym_mcp.synthesis.program_tracing.environment_files.tool_types import ParameterUse
from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedTool
from codegym_mcp.synthesis.program_tracing.lifting.lifting_variations import Variation
from codegym_mcp.synthesis.program_tracing.lifting.tool_extraction import lift
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program, read_program
from codegym_mcp.synthesis.program_tracing.value_shapes import shape_of

COUNTING = """

def f(crates, room):
    count = 0
    for number in range(len(crates)):
        if fits(crates, number, room):
            count += 1
    return count
"""
COMPARES = "    return crates[crate] <= space"
LOOPS = "    for size in crates[crate:]:\n        if size > space:\n            return False\n    return True"


def helper_tool(body: str) -> tuple[LiftedTool, Program]:
    """Lifts a solution whose helper `fits` has this body, and returns the tool that the helper becomes."""
    program = read_program(f"def fits(crates, crate, space):\n{body}{COUNTING}", (), "f")
    shapes = {"crates": shape_of([[3, 4]]), "room": shape_of([3])}
    variables = {("f", name): shape for name, shape in shapes.items()}
    lifted = lift(program, ["crates"], variables, shapes, Variation("helpers are tools"))
    (tool,) = [each for each in lifted.tools if each.parameters]
    return tool, program


def test_a_tool_has_the_name_and_the_parameters_of_its_helper() -> None:
    tool, _ = helper_tool(COMPARES)
    assert (tool.name, tool.parameters) == ("fits", ["crate", "space"])


def test_the_docstring_of_a_helper_describes_its_tool() -> None:
    summary = "Returns whether a crate needs\n    at most `space` litres."
    tool, program = helper_tool(f'    """{summary}\n\n    More.\n    """\n{COMPARES}')
    assert describe_tool(tool, program) == "Returns whether a crate needs at most `space` litres."


def test_a_docstring_that_describes_no_truth_value_is_completed_where_only_the_truth_is_returned() -> None:
    tool, program = helper_tool('    """Returns the size of a crate."""\n    return crates[crate]')
    assert describe_tool(tool, program) == (
        "Returns the size of a crate. The result is true unless this is zero or empty."
    )


@pytest.mark.parametrize(
    ("body", "description"),
    [
        (COMPARES, "Tells whether `crates[crate]` is at most `space`."),
        (LOOPS, "Tells whether `fits(crates, crate, space)` is not zero or empty."),
        ("    return crates[crate]", "Tells whether `crates[crate]` is not zero or empty."),
    ],
)
def test_a_helper_without_docstring_is_described_by_its_code(body: str, description: str) -> None:
    tool, program = helper_tool(body)
    assert describe_tool(tool, program) == description


def test_a_parameter_that_selects_an_item_is_described_as_a_position() -> None:
    tool, program = helper_tool(COMPARES)
    number = ParameterUse("int")
    assert describe_parameter(tool, "crate", program, number) == "position in `crates`, counted from 0."
    assert describe_parameter(tool, "space", program, number) == "a whole number."


def test_a_bound_of_a_part_is_described_as_one() -> None:
    expression = ast.parse("bool(self.crates[start:end])", mode="eval").body
    tool, program = LiftedTool("t", ["start", "end"], expression, None, False, ""), helper_tool(COMPARES)[1]
    description = "Tells whether the part of `crates` from `start` to before `end` is not empty."
    assert describe_tool(tool, program) == description
    start, end = (describe_parameter(tool, each, program, ParameterUse("int")) for each in ("start", "end"))
    assert start == "position in `crates` at which the part begins, counted from 0."
    assert end == "position in `crates` before which the part ends, counted from 0."


def test_a_parameter_is_described_by_what_the_task_and_the_solution_say_of_it() -> None:
    tool, program = helper_tool(COMPARES)
    public = ParameterUse("int", is_public=True)
    letter = ParameterUse("str", examples=("L", "R"))
    assert (
        describe_parameter(tool, "space", program, public)
        == "a whole number, for example the `space` of the task."
    )
    assert describe_parameter(tool, "space", program, letter) == "a text, for example 'L' or 'R'."


@pytest.mark.parametrize(
    ("change", "description"),
    [
        ("self.stack.append(xs[0])", "Appends `xs[0]` to `stack`."),
        ("self.stack.pop()", "Removes the last item of `stack`."),
        ("self.stack.insert(place, x)", "Inserts `x` into `stack` at the position `place`."),
        ("heapq.heappush(self.heap, x)", "Pushes `x` onto the heap `heap`."),
        ("self.table.setdefault(x, 3)", "Executes `table.setdefault(x, 3)`."),
        ("self.room = left_room(self.room)", "Sets `room` to the room that is left."),
        ("self.grid[row][column] = 0", "Sets `grid[row][column]` to 0."),
        ("self.total += (a + b) * c", "Adds `(a + b) * c` to `total`."),
        ("del self.table[x]", "Removes `table[x]`."),
        (
            "self.low, self.high = 0, len(self.xs) - 1",
            "Sets `low` to 0 and `high` to the length of `xs` minus 1.",
        ),
        (
            "self.xs[:k] = reversed(self.xs[:k])",
            "Sets the part of `xs` from the beginning to before `k` to the"
            " reversed part of `xs` from the beginning to before `k`.",
        ),
        ("self.xs = sorted(self.xs, key=len)", "Sets `xs` to `sorted(xs, key=len)`."),
        ("self.xs = list(self.ys)", "Sets `xs` to `ys`."),
    ],
)
def test_a_change_is_described_in_a_sentence(change: str, description: str) -> None:
    solution = 'def left_room(room):\n    """Returns the room that is left."""\n    return room\n\ndef f(xs):\n    return left_room(xs)'
    program = read_program(solution, (), "f")
    (statement,) = ast.parse(change).body
    assert describe_tool(LiftedTool("t", [], None, statement, False, ""), program) == description
