"""Tasks found in a `__main__` block that is never run."""

import ast
import textwrap

import pytest

from codegym_mcp.environment_definition.codegym_format.main_block_tasks import find_cases


def cases(block: str, before: str = "") -> list[str]:
    inner = textwrap.indent(block, "    ")
    return find_cases(ast.parse(f"{before}\nif __name__ == '__main__':\n{inner}\n"), "TideEnv")


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("TideEnv.from_env_str('TideEnv@{\"n\": 1}')", ['{"n": 1}']),
        ('env = TideEnv.from_env_str("TideEnv@{\\"n\\": 1}")', ['{"n": 1}']),
        ("TideEnv('TideEnv@{}')\nTideEnv(env_str='TideEnv@[]')", ["{}", "[]"]),
        ("text = 'TideEnv@{}'\nprint(TideEnv.from_env_str(text).solve())", ["{}"]),
        ("TideEnv.from_env_str(\n'TideEnv@{'\n'\"a\": 1, '\n'\"b\": 2}'\n)", ['{"a": 1, "b": 2}']),
        ("a = [1, 2]\nb: str = 'x@y'\nTideEnv(f'TideEnv@{{1: {a}, 2: {b!r}}}')", ["{1: [1, 2], 2: 'x@y'}"]),
        ("n, k = 3, -1.5\nTideEnv(f'TideEnv@{{1: {n}, 2: {k}}}')", ["{1: 3, 2: -1.5}"]),
        ("a = [0] * 2 + [1]\nTideEnv('TideEnv@' + str({'a': a}))", ["{'a': [0, 0, 1]}"]),
        ("import json\nTideEnv('TideEnv@' + json.dumps({'a': True}))", ['{"a": true}']),
        ("for n, text in [(1, 'x'), (2, 'y')]:\n    TideEnv(f'TideEnv@{n}{text}')", ["1x", "2y"]),
        ("a = [('p', 1)]\nenv = TideEnv(f'TideEnv@{a}')\nenv.solve()\nprint(len(a))\nTideEnv(f'TideEnv@{a}')",
         ["[('p', 1)]"] * 2),
        ("a = [1]\nTideEnv(f'TideEnv@{a}')\na = [2]\nTideEnv(f'TideEnv@{a}')", ["[1]", "[2]"]),
    ],
)  # fmt: skip
def test_texts_made_of_literals_are_evaluated(block: str, found: list[str]) -> None:
    assert cases(block) == found


def test_constants_of_the_module_are_known() -> None:
    assert cases("TideEnv(f'TideEnv@{HEIGHTS}')", before="HEIGHTS = [4, 2]") == ["[4, 2]"]


@pytest.mark.parametrize(
    "change",
    [
        "a = [random.random() for _ in range(3)]",
        "random.shuffle(a)",
        "a.append(5)",
        "a[0] = 5",
        "a += [5]",
        "b = a\nb.sort()",
        "del a",
        "stir(a)",
        "for a in sea:\n    pass",
        "with sea as a:\n    pass",
        "if sea:\n    a = []",
    ],
)
def test_a_name_that_may_have_changed_is_unknown(change: str) -> None:
    made = "TideEnv(f'TideEnv@{a}')"
    assert cases(f"a = [3, 1]\n{made}\n{change}\n{made}\nTideEnv('TideEnv@last')") == ["[3, 1]", "last"]


@pytest.mark.parametrize(
    "block",
    [
        "TideEnv.from_env_str('OtherEnv@{}')",
        "OtherEnv.from_env_str('TideEnv@{}')",
        "TideEnv.from_env_str(text)",
        "TideEnv.from_env_str(f'TideEnv@{1:>10}')",
        "def run(text='TideEnv@{}'):\n    TideEnv(text)",
        "TideEnv('TideEnv@' + str({**{}}))",
        "TideEnv(f'TideEnv@{ {[]} }')",
    ],
)
def test_a_text_that_cannot_be_evaluated_is_ignored(block: str) -> None:
    assert cases(block) == []


@pytest.mark.parametrize(
    "block",
    [
        "for a in [0] * 9999:\n for b in [0] * 9999:\n  for c in [0] * 9999:\n   pass",
        "s = 'x'\n" + "s = s + s\n" * 60,
        "s = [1]\n" + "s = [s, s]\n" * 60 + "TideEnv(f'TideEnv@{s}')",
        "s = [1] * 1_000_000_000_000",
        "s = [[]] * 9999\n" + "s = [s] * 9999\n" * 40 + "TideEnv(f'TideEnv@{s}')",
        "n = " + "0xf" + "f" * 9000 + "\nTideEnv(f'TideEnv@{n}')",
    ],
)
def test_loops_and_growing_values_are_bounded(block: str) -> None:
    assert cases("TideEnv('TideEnv@{}')\n" + block) == ["{}"]
