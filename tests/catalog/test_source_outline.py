"""An outline tells the same definitions as the whole tree of a source, and the same errors of syntax."""

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegym_mcp.bundled_environments import bundled_path
from codegym_mcp.catalog.source_outline import parse_outline
from codegym_mcp.errors import SourceError
from codegym_mcp.source_parsing import parse_source

BUNDLED = sorted(bundled_path().glob("*.py"))
PLAIN = '''"""A task."""

META = {"title": "A\\nB"}

def helper(a, *, b=1):
    return (a +
b)

class Environment:
    def __init__(
        self, start: int
    ):
        self.start = start

    def look(self, at: str) -> str:
        """Looks.

Text at the margin.
        """
        def inner():
            return "def"
        # A comment.
  # Another one, further left.
        return inner()

    def turn(self):
        pass

def solve(tools): return [
    1,
]
if META:
    def other(): pass

def generate(random, difficulty):
    x = 1
    return x
'''
IN_STRINGS = '''"""A task.

def is_a_word():
    in the task text
"""
class Environment:
    def look(self):
        return """
def looks_like_a_function():
    pass
"""

    async def wait(self):
        pass

    def look(self): # twice
        return 1
'''
DAMAGE = ('"', "'", '"""', "\n", "(", ")", "    ", ":", "#", "\\", "def f():\n", "")
SOURCES = (PLAIN, IN_STRINGS)


def without_bodies(tree: ast.Module) -> str:
    """Returns a tree as text, without the bodies of the functions of the module and its classes."""
    for block in (tree, *(node for node in tree.body if isinstance(node, ast.ClassDef | ast.If))):
        for node in block.body:
            if isinstance(node, ast.FunctionDef):
                node.body, node.end_lineno, node.end_col_offset = [], 0, 0
    for part in ast.walk(tree):
        # What encloses a function ends with it.
        part.__dict__.pop("end_lineno", None)
        part.__dict__.pop("end_col_offset", None)
    return ast.dump(tree, include_attributes=True)


def outcome(source: str, *, whole: bool) -> str:
    """Returns the definitions of a source, or why it is refused."""
    parse = parse_source if whole else parse_outline
    try:
        return without_bodies(parse(source, "source.py"))
    except SourceError as error:
        return str(error)


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_an_outline_has_every_definition_at_its_line_and_less_than_half_of_the_nodes(path: Path) -> None:
    source = path.read_text()
    assert outcome(source, whole=False) == outcome(source, whole=True)
    whole, outline = (sum(1 for _ in ast.walk(parse(source, ""))) for parse in (parse_source, parse_outline))
    assert outline < whole / 2


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "end",
    ["", "    return 1 +\n", "x = '''\n", "def f(:\n    pass\n", "class Environment:\n    def f(self):\n"],
)
def test_errors_are_those_of_the_whole_source(source: str, end: str) -> None:
    assert outcome(source + end, whole=False) == outcome(source + end, whole=True)


@pytest.mark.parametrize("source", SOURCES)
def test_an_error_in_any_line_is_found_at_that_line(source: str) -> None:
    lines = source.splitlines(keepends=True)
    for line in range(len(lines) + 1):
        broken = "".join([*lines[:line], "    ) (\n", *lines[line:]])
        assert outcome(broken, whole=False) == outcome(broken, whole=True)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_source_that_was_damaged_anywhere_is_read_as_the_whole_source_is(data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(SOURCES))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(source)))
        put = data.draw(st.sampled_from(DAMAGE))
        source = source[:place] + put + source[place + data.draw(st.integers(0, 3)) :]
    assert outcome(source, whole=False) == outcome(source, whole=True)


def test_a_source_that_no_file_can_contain_is_refused_with_its_line() -> None:
    for bad in ("\0", "\ud800"):
        with pytest.raises(SourceError, match=r"source\.py:2: the text contains"):
            parse_outline(f"x = 1\ny = '{bad}'\n", "source.py")
