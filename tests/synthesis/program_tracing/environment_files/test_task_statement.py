"""Titles and texts of traced environments."""

import pytest

from codegym_mcp.synthesis.program_tracing.environment_files.environment_writing import ReferenceForm
from codegym_mcp.synthesis.program_tracing.environment_files.task_statement import task_text, title_of
from codegym_mcp.synthesis.program_tracing.lifting.lifting_variations import Variation
from codegym_mcp.synthesis.program_tracing.lifting.tool_extraction import lift
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import read_program
from codegym_mcp.synthesis.program_tracing.value_shapes import shape_of

STATEMENT = "Write a function to count the ripe apples. Some are green."


@pytest.mark.parametrize(
    ("id", "statement", "title"),
    [
        ("orchard-ladder", STATEMENT, "Orchard ladder"),
        ("31", STATEMENT, "Count the ripe apples"),
        ("Orchard/3", STATEMENT, "Count the ripe apples"),
        ("31", "", "ripe apples"),
    ],
)
def test_an_id_of_words_is_the_title_and_otherwise_the_statement_begins_it(
    id: str, statement: str, title: str
) -> None:
    assert title_of(id, statement, "ripe_apples") == title


SOLUTION = "def f(apples, least):\n    return [k for k in range(len(apples)) if apples[k] > least]"


def text_of(statement: str, answer: str = "list[int]") -> str:
    """Returns the task text of a solution with a hidden list and a public number."""
    program = read_program(SOLUTION, (), "f")
    shapes = {"apples": shape_of([[3, 4]]), "least": shape_of([3])}
    lifted = lift(program, ["apples"], {("f", k): v for k, v in shapes.items()}, shapes, Variation("test"))
    return task_text(statement, program, lifted, ReferenceForm(shapes, answer, False, False))


GOOGLE = """Find ripe apples.

Args:
    apples (list[int]): The weights
        of the apples.
    least: How much a ripe apple weighs.

Returns:
    list[int]: Positions of ripe apples, {} if none.

Raises:
    ValueError: Never.

Note:
    Some are green.
"""


@pytest.mark.parametrize(
    "statement",
    [
        GOOGLE,
        GOOGLE.replace("Args:", "Parameters\n----------").replace("Returns:", "Returns\n-------"),
    ],
)
def test_parameters_and_result_of_a_docstring_are_told_in_sentences(statement: str) -> None:
    assert text_of(statement) == (
        "Find ripe apples.\n\nNote:\n Some are green.\n\n"
        "- `apples`: The weights of the apples.\n- `least`: How much a ripe apple weighs.\n\n"
        "You are not shown apples; ask the tools about it. You know least = {least}.\n\n"
        "Answer: Positions of ripe apples, {{}} if none."
    )


def test_the_fields_of_a_docstring_are_told_in_sentences() -> None:
    text = text_of("Find ripe apples.\n\n:param apples: weights\n:type apples: list\n:return: the positions")
    assert text.startswith("Find ripe apples.\n\n- `apples`: weights\n\nYou are")
    assert text.endswith("Answer: The positions")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("list[int]", "a list of whole numbers, the result"),
        ("list[list[str]]", "a list of lists of texts, the result"),
        ("bool", "true or false, the result"),
        ("dict[str, int]", "the result"),
    ],
)
def test_a_statement_that_does_not_say_what_is_returned_is_completed_with_the_type(
    answer: str, words: str
) -> None:
    assert text_of("Find ripe apples.", answer).endswith(f"Answer with {words}.")
