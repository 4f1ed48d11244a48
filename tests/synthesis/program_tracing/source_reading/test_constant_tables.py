"""Tables of constants become constants of the module, where nothing can change them."""

import ast

import pytest

from codegym_mcp.synthesis.program_tracing.source_reading.constant_tables import move_constant_tables


def moved(source: str) -> str:
    """Moves the tables of a module."""
    tree = ast.parse(source)
    move_constant_tables(tree)
    return ast.unparse(tree)


def test_a_table_that_is_only_looked_up_is_moved() -> None:
    text = moved("def f(x):\n    worth = {'a': 1, 'b': 2}\n    return worth[x] if x in worth else 0")
    assert text.startswith("WORTH = {'a': 1, 'b': 2}")
    assert "return WORTH[x] if x in WORTH else 0" in text


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    seen = [1, 2]\n    seen.append(x)\n    return seen[0]",
        "def f(x):\n    seen = [1, 2]\n    seen[0] = x\n    return seen[1]",
        "def f(x):\n    rows = [[1, 2], [3, 4]]\n    rows[0][1] = x\n    return rows[0][1]",
        "def f(x):\n    seen = [1, 2]\n    other = seen\n    other.append(x)\n    return seen[2]",
        "def f(x):\n    seen = [1, 2]\n    return seen",
    ],
    ids=["grows", "is assigned", "holds lists", "has another name", "is returned"],
)
def test_a_container_that_could_change_stays(source: str) -> None:
    assert moved(source) == ast.unparse(ast.parse(source))
