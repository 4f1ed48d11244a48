"""Functions in functions become functions of the module, where this changes no result."""

import ast

import pytest

from codegym_mcp.synthesis.program_tracing.source_reading.nested_functions import move_nested_functions


def moved(source: str) -> ast.Module:
    """Moves the functions of a module."""
    tree = ast.parse(source)
    move_nested_functions(tree)
    return tree


def test_what_a_function_reads_around_it_is_passed() -> None:
    tree = moved(
        "def f(xs, k):\n"
        "    def far(x):\n        return x > k\n"
        "    def count(n):\n        return n + sum(far(x) for x in xs)\n"
        "    return count(1)"
    )
    assert [node.name for node in tree.body if isinstance(node, ast.FunctionDef)] == ["far", "count", "f"]
    names: dict[str, object] = {}
    exec(compile(tree, "moved", "exec"), names)
    assert names["f"]([1, 5, 9], 4) == 3  # type: ignore[operator]
    assert "def count(n, xs, k)" in ast.unparse(tree)


@pytest.mark.parametrize(
    "source",
    [
        "def f(k):\n    def g(x):\n        return x + k\n    return [g(1) for k in range(3)]",
        "def f(k):\n    def g():\n        nonlocal k\n        k += 1\n    g()\n    return k",
        "def f(xs, k):\n    def g(x):\n        return -x\n    return sorted(xs, key=g)",
        "def f(k):\n    def g(x=k):\n        return x\n    k = 2\n    return g()",
    ],
    ids=["shadowed", "assigned", "passed on", "default"],
)
def test_a_function_stays_where_its_calls_could_not_pass_what_it_reads(source: str) -> None:
    assert ast.unparse(moved(source)) == ast.unparse(ast.parse(source))
