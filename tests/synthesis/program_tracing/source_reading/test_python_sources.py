"""Problems from Python files and installed packages."""

from pathlib import Path

import pytest

from codegym_mcp.errors import SourceError
from codegym_mcp.synthesis.problem_reader import CodingProblem, UnreadableProblem
from codegym_mcp.synthesis.program_tracing.source_reading.python_sources import (
    is_python_source,
    read_python_problems,
)

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


def package_folder(folder: Path, modules: dict[str, str]) -> str:
    """Writes a package and returns what names it on the command line."""
    name = f"package_{folder.name}".replace("-", "_")
    (folder / name).mkdir()
    for module, source in {"__init__": "", **modules}.items():
        (folder / name / f"{module}.py").write_text(source)
    return f"package:{name}"


def test_a_function_takes_what_it_imports_from_other_modules_of_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    name = package_folder(
        tmp_path,
        {
            "limits": "from math import floor\n\nLIMIT = floor(2.5)\n\ndef is_above(x):\n    return x > LIMIT",
            "counts": 'from .limits import is_above, no_such\n\ndef above(xs):\n    """\n    >>> above([3])\n    1\n    """'
            "\n    return sum(map(is_above, xs))",
            "loop": 'from .loop import first\n\ndef first(xs):\n    """\n    >>> first([1])\n    1\n    """\n    return xs[0]',
        },
    )
    found = {each.id.partition(".")[2]: each for each in read_python_problems(name)}
    above = found["counts:above"]
    assert isinstance(above, CodingProblem)
    assert "LIMIT = floor(2.5)" in above.solution
    assert "from math import floor" in above.solution
    assert "limits" not in above.solution
    assert above.solution.index("def is_above") < above.solution.index("def above")
    first = found["loop:first"]
    assert isinstance(first, CodingProblem)
    assert first.solution.count("def first") == 1


def test_imports_that_would_give_a_name_a_second_meaning_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    source = "def size(xs):\n    return len(xs)\n\ndef double(xs):\n    return size(xs) * 2"
    other = (
        'from .one import double\n\ndef size(xs):\n    return 7\n\ndef both(xs):\n    """\n    >>> both([1])\n    9\n    """'
        "\n    return double(xs) + size(xs)"
    )
    name = package_folder(tmp_path, {"one": source, "two": other})
    (both,) = [each for each in read_python_problems(name) if each.id.endswith(":both")]
    assert isinstance(both, CodingProblem)
    assert "from .one import double" in both.solution
    assert both.solution.count("def size") == 1
