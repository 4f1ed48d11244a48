"""Titles of traced environments."""

import pytest

from codegym_mcp.synthesis.program_tracing.task_statement import title_of

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
