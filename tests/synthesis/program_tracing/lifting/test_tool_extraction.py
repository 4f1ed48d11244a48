"""Lifting of solutions: what becomes a tool, and what the oracle does itself."""

import ast
from typing import Any

import pytest

from codegym_mcp.synthesis.program_tracing.environment_files.environment_writing import write_oracle
from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedProgram
from codegym_mcp.synthesis.program_tracing.lifting.lifting_variations import Variation
from codegym_mcp.synthesis.program_tracing.lifting.tool_extraction import lift
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import read_program
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.program_tracing.value_shapes import shape_of


def lifted(
    source: str, hidden: dict[str, Any], variation: Variation | None = None, **variables: Any
) -> LiftedProgram:
    """Lifts a function `f` with examples of its hidden parameters and variables."""
    shapes = {name: shape_of([value]) for name, value in hidden.items()}
    recorded = {("f", name): shape_of([value]) for name, value in {**hidden, **variables}.items()}
    return lift(read_program(source, (), "f"), list(hidden), recorded, shapes, variation or Variation("test"))


def bodies(program: LiftedProgram) -> dict[str, str]:
    """Returns the bodies of the tools."""
    return {tool.name: ast.unparse(ast.fix_missing_locations(tool.body)) for tool in program.tools}


def test_a_maximum_is_found_by_comparisons_and_its_position_kept() -> None:
    program = lifted("def f(xs):\n    return max(xs) * 2", {"xs": [1, 2]})
    assert "xs_above_xs" in bodies(program)
    assert "greatest_index = place" in write_oracle(program)


def test_index_arithmetic_is_left_to_the_caller() -> None:
    source = "def f(xs):\n    n = 0\n    for i in range(1, len(xs)):\n        if xs[i - 1] < xs[i]:\n            n += 1\n    return n"
    program = lifted(source, {"xs": [1, 2]}, n=1, i=1)
    (tool,) = [each for each in program.tools if each.parameters]
    assert ast.unparse(tool.body) == "return self.xs[position] < self.xs[other_position]"
    assert f"tools.{tool.name}(position=i - 1, other_position=i)" in write_oracle(program)


def test_a_number_that_is_taken_from_a_length_is_left_to_the_caller() -> None:
    source = "def f(xs):\n    low, high = 0, len(xs) - 1\n    while low < high and xs[low] > xs[high]:\n        low += 1\n    return low"
    program = lifted(source, {"xs": [1, 2]}, low=0, high=1)
    assert "return len(self.xs)" in bodies(program).values()
    assert ["low", "high"] in [tool.parameters for tool in program.tools]


def test_parts_of_parts_are_kept_by_their_bounds() -> None:
    source = (
        "def f(xs, x):\n    if not xs:\n        return False\n    mid = len(xs) // 2\n    if xs[mid] > x:\n"
        "        return f(xs[:mid], x)\n    return xs[mid] == x or f(xs[mid + 1:len(xs)], x)"
    )
    program = lifted(source, {"xs": [1, 2]}, x=1, mid=1)
    assert [name for name in bodies(program) if name.startswith("has")] == [
        "has_part_of_xs",
        "has_part_of_xs_2",
    ]
    assert "return bool(self.xs[xs_start:xs_end])" in bodies(program).values()
    assert "return self.xs[position] > x" in bodies(program).values()
    assert "min(xs_start + mid, xs_end)" in write_oracle(program)


def test_a_helper_is_a_tool() -> None:
    source = "def h(x, y):\n    return x > y\n\ndef f(a, b):\n    n = 0\n    for x, y in zip(a, b):\n        n += h(x, y)\n    return n"
    program = lifted(source, {"a": [1], "b": [2]}, x=1, y=1, n=1)
    assert "return h(self.a[position], self.b[position])" in bodies(program).values()


def test_a_helper_that_is_called_with_different_constants_is_one_tool() -> None:
    source = (
        "def shows(s, k, c):\n    return s[k] == c\n\n"
        "def f(s):\n    n = 0\n    for k in range(len(s)):\n"
        "        if shows(s, k, 'a'):\n            n += 1\n        elif shows(s, k, 'b'):\n            n += 2\n"
        "    return n"
    )
    program = lifted(source, {"s": "ab"}, k=1, n=1)
    assert [tool.parameters for tool in program.tools if tool.parameters] == [["k", "c"]]


def test_an_entered_helper_is_a_function_of_the_oracle() -> None:
    source = "def h(x, y):\n    return x > y\n\ndef f(a, b):\n    n = 0\n    for x, y in zip(a, b):\n        n += h(x, y)\n    return n"
    program = lifted(source, {"a": [1], "b": [2]}, Variation("entered", entered=True), x=1, y=1, n=1)
    assert "def h_step(x_index, y_index):" in write_oracle(program)


def test_a_number_that_a_loop_changes_lives_in_the_environment() -> None:
    source = "def f(n):\n    s = 0\n    while n > 0:\n        s += n % 10\n        n //= 10\n    return s"
    program = lifted(source, {"n": 100}, s=1)
    assert "self.n //= 10" in bodies(program).values()
    assert [tool.name for tool in program.tools if tool.changes] == ["change_n_divided_by_10"]


def test_a_hidden_bound_is_compared_and_not_revealed() -> None:
    source = (
        "def f(n):\n    for i in range(2, n):\n        if n % i == 0:\n            return i\n    return 0"
    )
    program = lifted(source, {"n": 100}, Variation("state", state=True), i=1)
    assert set(bodies(program).values()) == {"return value < self.n", "return self.n % i == 0"}


@pytest.mark.parametrize(
    "source",
    [
        "def f(xs):\n    try:\n        return xs[3]\n    except IndexError:\n        return 0",
        "def f(xs):\n    n = 0\n    def g():\n        nonlocal n\n        n = xs[0]\n    g()\n    return n",
    ],
)
def test_what_tools_cannot_follow_is_refused_with_a_reason(source: str) -> None:
    with pytest.raises(RefusedProblemError) as refusal:
        lifted(source, {"xs": [[1]]})
    assert refusal.value.reason.endswith(".")


def test_an_argument_that_grows_with_each_call_is_refused() -> None:
    source = (
        "def f(xs, path):\n    if not xs:\n        return 1\n    n = 0\n    for i in range(len(xs)):\n"
        "        n += f(xs[:i] + xs[i + 1:], path)\n    return n"
    )
    with pytest.raises(RefusedProblemError, match="ever larger"):
        lifted(source, {"xs": [1, 2]}, n=1, i=1)


def test_a_tool_has_no_name_of_an_attribute() -> None:
    source = "def f(words):\n    return [list(word) for word in words]"
    program = lifted(source, {"words": ["ab", "cd"]}, word="ab")
    assert not {tool.name for tool in program.tools} & {"words", "word"}


def test_a_sort_is_done_by_comparisons() -> None:
    program = lifted("def f(xs):\n    return sorted(xs)[0] * 2", {"xs": [3, 1, 2]})
    assert "return self.xs[position] < self.xs[other_position]" in bodies(program).values()
    assert "order.insert(low, place)" in write_oracle(program)


SCRATCH = Variation("scratch", entered=True, state=True, scratch=True)


def test_a_container_that_is_filled_with_hidden_values_lives_in_the_environment() -> None:
    source = (
        "def f(xs):\n    seen = set()\n    for x in xs:\n        if x in seen:\n            return x\n"
        "        seen.add(x)\n    return -1"
    )
    program = lifted(source, {"xs": [1, 2]}, SCRATCH, x=[1], seen={1})
    assert "return self.xs[position] in self.seen" in bodies(program).values()
    assert "self.seen.add(self.xs[position])" in bodies(program).values()
    assert {name: ast.unparse(value) for name, value in program.initial.items()} == {"seen": "set()"}


def test_a_constant_that_a_loop_assigns_again_is_no_initial_value() -> None:
    source = (
        "def f(rows):\n    most = 0\n    for row in rows:\n        found = []\n        for x in row:\n"
        "            found.append(x)\n        most = max(most, len(found))\n    return most"
    )
    program = lifted(source, {"rows": [[1]]}, SCRATCH, row=[1], x=1, found=[1], most=1)
    assert "found" not in program.initial


def test_a_member_of_a_list_whose_members_move_is_not_kept_by_its_position() -> None:
    source = "def f(xs):\n    first = xs[0]\n    xs[0] = xs[1]\n    xs[1] = first\n    return xs"
    program = lifted(source, {"xs": [[1], [2]]}, first=[1])
    assert "self.first = self.xs[position]" in bodies(program).values()


def test_numbers_that_are_computed_of_lengths_stay_known_where_values_are_hidden() -> None:
    source = (
        "def f(xs):\n    half = len(xs) // 2\n    kept = xs[half]\n    n = 0\n    while n < half and xs[n] < kept:\n"
        "        n += 1\n    return n"
    )
    variation = Variation("values", state=True, counts=True)
    program = lifted(source, {"xs": [1, 2]}, variation, half=1, kept=2, n=0)
    assert program.registers == ["kept"]


def test_a_tool_and_an_attribute_of_a_rewritten_function_have_different_names() -> None:
    source = "def f(text, part):\n    if text == part:\n        return 1\n    return 0"
    program = lifted(source, {"text": "abcabc", "part": "abcabd"}, Variation("state", state=True))
    assert program.registers == ["holds"]
    assert not {tool.name for tool in program.tools} & set(program.registers)


def test_a_tool_over_a_whole_list_has_the_name_of_the_list() -> None:
    program = lifted(
        "def f(xs):\n    return max(xs) if xs else 0", {"xs": [1, 2]}, Variation("whole", aggregates=False)
    )
    assert set(bodies(program)) == {"has_xs", "max_xs"}
