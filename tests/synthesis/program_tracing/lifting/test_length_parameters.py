"""Parameters that are lengths: when they are found, and what becomes of them."""

import ast

from codegym_mcp.synthesis.program_tracing.environment_files.environment_writing import write_oracle
from codegym_mcp.synthesis.program_tracing.lifting.length_parameters import find_lengths
from codegym_mcp.synthesis.program_tracing.lifting.tool_extraction import lift
from codegym_mcp.synthesis.program_tracing.play_selection.tool_granularity import VARIATIONS
from codegym_mcp.synthesis.program_tracing.solution_execution.solution_runs import Evaluated
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import read_program
from codegym_mcp.synthesis.program_tracing.value_shapes import shape_of

SOURCE = (
    "def f(marks, n, limit):\n    over = 0\n    for k in range(n):\n        if marks[k] > limit:\n"
    "            over += marks[k] - limit\n    return over"
)
MARKS = ([3, 9], [4, 1, 8], [2, 2, 2, 7])


def calls(*lengths: int) -> list[Evaluated]:
    return [
        Evaluated((marks, length, 3), 0, is_iterator=False)
        for marks, length in zip(MARKS, lengths, strict=True)
    ]


def test_a_number_that_is_always_the_length_of_a_list_is_found() -> None:
    program = read_program(SOURCE, (), "f")
    assert find_lengths(program, calls(2, 3, 4), "Sums what exceeds the limit.") == {"n": "marks"}


def test_a_number_that_sometimes_differs_from_the_length_is_none() -> None:
    assert find_lengths(read_program(SOURCE, (), "f"), calls(2, 3, 3), "Sums.") == {}


def test_a_number_that_the_statement_names_stays_as_it_is() -> None:
    assert find_lengths(read_program(SOURCE, (), "f"), calls(2, 3, 4), "Sums the first n marks.") == {}


def test_the_oracle_counts_the_list_and_the_agent_is_not_told_its_length() -> None:
    program = read_program(SOURCE, (), "f")
    parameters = {"marks": shape_of(MARKS), "n": shape_of([2]), "limit": shape_of([3])}
    variables = {("f", name): shape for name, shape in parameters.items()} | {("f", "over"): shape_of([0])}
    for variation in VARIATIONS:
        made = lift(program, ["marks"], variables, parameters, variation, lengths={"n": "marks"})
        assert made.public == ["limit"], variation.name
        assert "n = count_marks" in write_oracle(made)
        counts = [tool for tool in made.tools if ast.unparse(tool.body) == "return len(self.marks)"]
        assert len(counts) == 1
