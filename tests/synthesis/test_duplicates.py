"""Repeated environments and problems are found."""

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.synthesis.duplicates import Fingerprint, Fingerprints, find_repeated_problems
from codegym_mcp.synthesis.environment_draft import Draft
from codegym_mcp.synthesis.problem_reader import CodingProblem


def fingerprint(code, name="jars"):
    return Fingerprint.of(Draft.read(code, license="", origin="").without_oracle(name))


def test_an_environment_under_other_names_is_a_duplicate(code) -> None:
    renamed = code.replace("jar", "crate").replace("grams", "kilos").replace("weigh", "lift")
    other = renamed.replace("A shelf has", "In the hold of a ship there are").replace(
        "Answer with", "What is"
    )
    found = Fingerprints([fingerprint(code)]).find_duplicate(fingerprint(other, "crates"))
    assert found is not None
    assert found[0] == "jars"
    assert found[1] > 0.9


def test_the_same_task_text_is_a_duplicate_however_it_is_written(code) -> None:
    rewritten = code.replace(
        "    return sum(grams)\n",
        "    total = 0\n    for jar in range(jars):\n        while total < 0:\n            total += 1\n        total += grams[jar]\n    return total\n",
    )
    assert Fingerprints([fingerprint(code)]).find_duplicate(fingerprint(rewritten)) is not None


def test_the_bundled_environments_are_no_duplicates_of_each_other() -> None:
    known = Fingerprints()
    catalog = Catalog.load()
    for environment in catalog.environments():
        each = Fingerprint.of(environment)
        assert known.find_duplicate(each) is None
        known.known.append(each)
    assert len(known.known) == len(catalog)


def test_the_oracle_is_no_part_of_what_is_compared(draft, solve) -> None:
    one = Fingerprint.of(draft.with_oracle(solve, "jars"))
    assert one == Fingerprint.of(draft.without_oracle("jars"))


def problem(number, statement, solution):
    return CodingProblem(id=str(number), statement=statement, solution=solution)


def test_problems_are_the_same_by_statement_or_by_solution() -> None:
    solution = "def f(n):\n    return n + 1"
    commented = "def f(n):\n    # the next one\n    '''Next.'''\n    return (n + 1)"
    problems = [
        problem(1, "Find the next number.", solution),
        problem(2, "find  the next\nnumber.", "def g(n):\n    return n - -1"),
        problem(3, "What comes then?", commented),
        problem(4, "Find the number before.", "def f(n):\n    return n - 1"),
        problem(5, "Find it in another way.", "def g(n):\n    return n + 1"),
    ]
    assert find_repeated_problems(problems) == {"2": "1", "3": "1"}


def test_a_solution_that_does_not_parse_is_compared_as_text() -> None:
    problems = [problem(1, "a", "def ("), problem(2, "b", "def ("), problem(3, "c", "def [")]
    assert find_repeated_problems(problems) == {"2": "1"}
