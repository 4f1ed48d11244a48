"""Drafts of environments and oracles."""

import ast

import pytest

from codegym_mcp.errors import SourceError
from codegym_mcp.synthesis.environment_draft import Draft, environment_name
from codegym_mcp.synthesis.reply_extraction import UnusableReplyError


def test_licence_and_origin_of_the_problem_replace_those_of_the_model(draft) -> None:
    environment = draft.without_oracle("jars")
    assert (environment.license, environment.origin) == ("MIT", "nowhere 1")
    assert environment.title == "Jars on a shelf"


def test_an_oracle_in_the_file_is_removed(code, solve) -> None:
    draft = Draft.read(f"{code}\n\n{solve}", license="", origin="")
    assert "def solve" not in draft.source


def test_only_the_licence_and_the_origin_are_changed(code, draft) -> None:
    def dumped(source):
        return [ast.dump(node) for node in ast.parse(source).body if not isinstance(node, ast.Assign)]

    assert dumped(draft.source) == dumped(code)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("def generate(", "def make(", "generate.* is missing"),
        ("-> Note:", ":", "no return annotation"),
        ("META = ", "ABOUT = ", "META is missing"),
        ("return sum(grams)", "return open('/etc/passwd')", "open"),
        ("from typing import TypedDict", "import os\nfrom typing import TypedDict", "os"),
        ("class Environment:", "class Environment", "not valid Python"),
        ('"public": ["jars"]', '"public": ["lids"]', "no such parameter"),
    ],
)
def test_a_broken_contract_is_refused_with_the_reason(code, old, new, problem) -> None:
    with pytest.raises((SourceError, UnusableReplyError), match=problem):
        Draft.read(code.replace(old, new), license="", origin="")


@pytest.mark.parametrize("where", ["Answer with", "Weigh one jar", "Jars on a shelf", "there is no such jar"])
def test_half_of_a_surrogate_pair_is_refused_everywhere(code, where) -> None:
    with pytest.raises(UnusableReplyError, match="half of a surrogate pair"):
        Draft.read(code.replace(where, rf"\ud800{where}"), license="", origin="")


@pytest.mark.parametrize("mark", ["\u2028", "\x0c", "\x1c", "\x85"])
def test_other_separators_do_not_end_a_line(code, mark) -> None:
    code = code.replace("there is no such jar", f"there is no{mark}such jar")
    kept = Draft.read(code, license=f"MIT{mark}", origin="nowhere 1")
    assert f"there is no{mark}such jar" in kept.source
    oracle = kept.read_oracle(f"def solve(tools, jars):\n    said = '{mark}'\n    return 1\n")
    assert f"said = '{mark}'\n    return 1" in oracle


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems_are_read(code, draft, end) -> None:
    assert Draft.read(code.replace("\n", end), license="MIT", origin="nowhere 1").source == draft.source


def test_all_faults_are_in_one_error_each_with_its_line(code: str) -> None:
    broken = (
        code.replace("-> Note:", ":", 1)
        .replace("def reference(jars: int, grams: list[int]) -> int:", "def reference(jars, grams):")
        .replace("    jars = 12 * difficulty\n", "    import os\n    jars = 12 * difficulty\n")
        .replace("def check_jar(jar, jars):\n", "def check_jar(jar, jars):\n    exec('1')\n")
    )
    with pytest.raises(UnusableReplyError) as raised:
        Draft.read(broken, license="", origin="")
    message = str(raised.value)
    for fault in ("weigh has no return annotation", "reference has no return annotation", "os", "exec"):
        assert fault in message, message
    assert ": def reference(jars, grams):" in message
    assert "    import os" in message


def test_a_fault_of_meta_does_not_hide_the_others(code: str) -> None:
    broken = code.replace('"public": ["jars"]', '"public": "jars"').replace("-> Note:", ":", 1)
    with pytest.raises(UnusableReplyError) as raised:
        Draft.read(broken, license="", origin="")
    assert "META" in str(raised.value)
    assert "weigh has no return annotation" in str(raised.value)


def test_a_syntax_error_comes_with_the_lines_before_it(code: str) -> None:
    with pytest.raises(UnusableReplyError) as raised:
        Draft.read(code.replace("self.grams = grams", "self.grams = (grams"), license="", origin="")
    assert "self.jars = jars\n" in str(raised.value)
    assert "self.grams = (grams" in str(raised.value)


def test_records_that_only_the_configuration_uses_are_hidden_from_the_oracle(code: str) -> None:
    hidden = code.replace(
        "class Note(TypedDict):", "class Secret(TypedDict):\n    lids: int\n\n\nclass Note(TypedDict):"
    ).replace("grams: list[int]):", "grams: list[int], secrets: list[Secret] | None = None):")
    draft = Draft.read(
        hidden.replace(
            "reference(jars: int, grams: list[int])",
            "reference(jars: int, grams: list[int], secrets: list[Secret] | None = None)",
        ),
        license="",
        origin="",
    )
    assert "class Note" in draft.tool_stubs()
    assert "Secret" not in draft.tool_stubs()


def test_the_documentation_of_tools_contains_no_code(draft) -> None:
    stubs = draft.tool_stubs()
    assert "class Note(TypedDict)" in stubs
    assert "def weigh(jar: int) -> Note:" in stubs
    assert "jar: its number." in stubs
    assert "check_jar" not in stubs
    assert "self" not in stubs
    assert draft.answer_annotation() == "int"


def test_an_oracle_is_read_with_its_imports_and_without_the_rest(draft) -> None:
    written = "import math\n\nx = 1\n\ndef twice(n):\n    return 2 * n\n\ndef solve(tools, jars):\n    return twice(jars)\n\nprint(solve)"
    oracle = draft.read_oracle(written)
    assert "import math" in oracle
    assert "def twice" in oracle
    assert "print" not in oracle
    assert draft.with_oracle(oracle, "jars").program.source.endswith("return twice(jars)\n")


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("def play(tools, jars):\n    return 1", "solve is missing"),
        (
            "def check_jar(jar):\n    return 1\n\ndef solve(tools, jars):\n    return 1",
            "has a check_jar too",
        ),
        ("def solve(tools, jars)\n    return 1", "not valid Python"),
        ("def solve(tools, jars):\n    return '\\udfff'", "half of a surrogate pair"),
        ("solve = 1\x00", "null character"),
    ],
)
def test_an_unusable_oracle_is_refused_with_the_reason(draft, written, problem) -> None:
    with pytest.raises((SourceError, UnusableReplyError), match=problem):
        draft.read_oracle(written)


def test_an_oracle_cannot_bring_its_own_reference(draft) -> None:
    oracle = draft.read_oracle(
        "def reference(jars, grams):\n    return 1\n\ndef solve(tools, jars):\n    return 1"
    )
    assert "reference" not in oracle


def test_the_line_at_which_an_oracle_begins_is_known(draft, solve) -> None:
    lines = draft.with_oracle(solve, "jars").program.source.split("\n")
    assert lines[draft.oracle_line - 1] == "def solve(tools, jars):"


def test_an_oracle_with_other_parameters_is_refused(draft) -> None:
    with pytest.raises(SourceError, match=r"solve takes \(tools\), not \(tools, jars\)"):
        draft.with_oracle("def solve(tools):\n    return 1", "jars")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Jars on a shelf", "jars_on_a_shelf"),
        ("Über 3 Brücken!", "uber_3_brucken"),
        ("Master's press", "masters_press"),
        ("The potter\u2019s kiln", "the_potters_kiln"),
        ("7 hills", "environment_7_hills"),
        ("…", "environment"),
        ("x" * 200, "x" * 60),
    ],
)
def test_a_title_makes_a_name(title, name) -> None:
    assert environment_name(title) == name
