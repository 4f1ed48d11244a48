"""Problems from Python files and installed packages."""

from pathlib import Path

import pytest

from codegym_mcp.errors import SourceError
from codegym_mcp.synthesis.problem_reader import CodingProblem, UnreadableProblem
from codegym_mcp.synthesis.program_tracing.python_sources import is_python_source, read_python_problems

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


def test_ten_thousand_functions_of_a_file_are_ten_thousand_problems(tmp_path: Path) -> None:
    path = tmp_path / "many.py"
    functions = [
        f"def g{k}(xs):\n    '''\n    >>> g{k}([{k}])\n    {k}\n    '''\n    return total(xs)"
        for k in range(10_000)
    ]
    path.write_text("\n\n".join(["def total(xs):\n    return sum(xs)", *functions]))
    _, *problems = read_python_problems(str(path))
    assert len(problems) == 10_000
    last = problems[-1]
    assert isinstance(last, CodingProblem)
    assert "def total" in last.solution
    assert "g9998" not in last.solution


def test_a_file_that_is_too_large_is_one_unreadable_problem(tmp_path: Path) -> None:
    path = tmp_path / "large.py"
    path.write_text("x = 1\n" * 1_000_000)
    (problem,) = read_python_problems(str(path))
    assert isinstance(problem, UnreadableProblem)
    assert problem.reason == "The file is larger than 4,000,000 bytes."
