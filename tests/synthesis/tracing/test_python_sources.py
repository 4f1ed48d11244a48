"""Problems from Python files and installed packages."""

from pathlib import Path

import pytest

from codegym_mcp.errors import SourceError
from codegym_mcp.synthesis.problem_reader import CodingProblem, UnreadableProblem
from codegym_mcp.synthesis.tracing.python_sources import is_python_source, read_python_problems

SOURCE = '''
LIMIT = 3


def above(values):
    """Counts the values above the limit.

    >>> above([1, 5, 9])
    2
    """
    return sum(value > LIMIT for value in values)


def untested(values):
    """Has no example."""
    return values


def _hidden(values):
    return values


def first(values):
    return values[0]


def test_first():
    assert first([4, 2]) == 4
'''


def test_functions_with_doctests_or_assertions_are_problems(tmp_path: Path) -> None:
    path = tmp_path / "counting.py"
    path.write_text(SOURCE)
    above, untested, first, test = read_python_problems(str(path), license="MIT")
    assert isinstance(above, CodingProblem)
    assert above.tests == ("above([1, 5, 9])",)
    assert "LIMIT = 3" in above.solution
    assert "untested" not in above.solution
    assert isinstance(untested, UnreadableProblem)
    assert isinstance(first, CodingProblem)
    assert first.tests == ("assert first([4, 2]) == 4",)
    assert isinstance(test, UnreadableProblem)


def test_a_file_that_does_not_parse_is_one_unreadable_problem(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("def f(:\n")
    (problem,) = read_python_problems(str(path))
    assert isinstance(problem, UnreadableProblem)


@pytest.mark.parametrize("name", ["package:no_such_package_here", "package:a b"])
def test_a_package_that_is_not_installed_is_refused(name: str) -> None:
    assert is_python_source(name)
    with pytest.raises(SourceError):
        read_python_problems(name)
