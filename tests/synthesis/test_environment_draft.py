"""Environments and oracles as a model writes them."""

import ast

import pytest

from codegym_mcp.errors import SourceError
from codegym_mcp.synthesis.environment_draft import Draft, environment_name
from codegym_mcp.synthesis.reply_extraction import UnusableReplyError


def test_licence_and_origin_are_the_problems_whatever_the_model_says(draft):
    environment = draft.without_oracle("jars")
    assert (environment.license, environment.origin) == ("MIT", "nowhere 1")
    assert environment.title == "Jars on a shelf"


def test_an_oracle_in_the_file_is_left_out(code, solve):
    draft = Draft.read(f"{code}\n\n{solve}", license="", origin="")
    assert "def solve" not in draft.source


def test_what_follows_the_licence_stays_in_its_place(code, draft):
    def dumped(source):
        return [ast.dump(node) for node in ast.parse(source).body if not isinstance(node, ast.Assign)]

    assert dumped(draft.source) == dumped(code)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("def generate(", "def make(", "no function generate"),
        ("-> Note:", ":", "says no type of result"),
        ("META = ", "ABOUT = ", "there is no META"),
        ("return sum(grams)", "return open('/etc/passwd')", "open"),
        ("from typing import TypedDict", "import os\nfrom typing import TypedDict", "os"),
        ("class Environment:", "class Environment", "is not Python"),
        ('"public": ["jars"]', '"public": ["lids"]', "does not take it"),
    ],
)
def test_what_breaks_the_contract_is_refused_with_the_reason(code, old, new, problem):
    with pytest.raises((SourceError, UnusableReplyError), match=problem):
        Draft.read(code.replace(old, new), license="", origin="")


@pytest.mark.parametrize("where", ["Answer with", "Weigh one jar", "Jars on a shelf", "there is no such jar"])
def test_half_of_a_character_is_refused_wherever_it_stands(code, where):
    with pytest.raises(SourceError, match="half of a character"):
        Draft.read(code.replace(where, rf"\ud800{where}"), license="", origin="")


@pytest.mark.parametrize("mark", ["\u2028", "\x0c", "\x1c", "\x85"])
def test_only_what_ends_a_line_in_python_ends_one(code, mark):
    code = code.replace("there is no such jar", f"there is no{mark}such jar")
    kept = Draft.read(code, license=f"MIT{mark}", origin="nowhere 1")
    assert f"there is no{mark}such jar" in kept.source
    oracle = kept.read_oracle(f"def solve(tools, jars):\n    said = '{mark}'\n    return 1\n")
    assert f"said = '{mark}'\n    return 1" in oracle


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_lines_may_end_as_on_other_systems(code, draft, end):
    assert Draft.read(code.replace("\n", end), license="MIT", origin="nowhere 1").source == draft.source


def test_the_documentation_of_tools_holds_nothing_of_their_code(draft):
    stubs = draft.tool_stubs()
    assert "class Note(TypedDict)" in stubs
    assert "def weigh(jar: int) -> Note:" in stubs
    assert "jar: its number." in stubs
    assert "check_jar" not in stubs
    assert "self" not in stubs
    assert draft.answer_annotation() == "int"


def test_an_oracle_is_read_with_its_imports_and_without_the_rest(draft):
    written = "import math\n\nx = 1\n\ndef twice(n):\n    return 2 * n\n\ndef solve(tools, jars):\n    return twice(jars)\n\nprint(solve)"
    oracle = draft.read_oracle(written)
    assert "import math" in oracle
    assert "def twice" in oracle
    assert "print" not in oracle
    assert draft.with_oracle(oracle, "jars").program.source.endswith("return twice(jars)\n")


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("def play(tools, jars):\n    return 1", "no function solve"),
        (
            "def check_jar(jar):\n    return 1\n\ndef solve(tools, jars):\n    return 1",
            "check_jar has a name that is taken",
        ),
        ("def solve(tools, jars)\n    return 1", "is not Python"),
        ("def solve(tools, jars):\n    return '\\udfff'", "half of a character"),
        ("solve = 1\x00", "cannot be parsed|is not Python"),
    ],
)
def test_what_is_no_oracle_is_refused_with_the_reason(draft, written, problem):
    with pytest.raises((SourceError, UnusableReplyError), match=problem):
        draft.read_oracle(written)


def test_an_oracle_cannot_bring_its_own_reference(draft):
    oracle = draft.read_oracle(
        "def reference(jars, grams):\n    return 1\n\ndef solve(tools, jars):\n    return 1"
    )
    assert "reference" not in oracle


def test_the_line_at_which_an_oracle_begins_is_known(draft, solve):
    lines = draft.with_oracle(solve, "jars").program.source.split("\n")
    assert lines[draft.oracle_line - 1] == "def solve(tools, jars):"


def test_an_oracle_with_other_parameters_is_refused(draft):
    with pytest.raises(SourceError, match=r"solve takes \(tools\), not \(tools, jars\)"):
        draft.with_oracle("def solve(tools):\n    return 1", "jars")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Jars on a shelf", "jars_on_a_shelf"),
        ("Über 3 Brücken!", "ber_3_br_cken"),
        ("7 hills", "environment_7_hills"),
        ("…", "environment"),
        ("x" * 200, "x" * 60),
    ],
)
def test_a_title_makes_a_name(title, name):
    assert environment_name(title) == name
