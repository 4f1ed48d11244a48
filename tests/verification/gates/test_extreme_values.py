from typing import Any, Literal

import pytest
from typing_extensions import TypedDict

from codegym_mcp.environment_definition.tools import Parameter, Tool
from codegym_mcp.verification.gates.extreme_values import LENGTH, extreme_arguments


class Item(TypedDict):
    name: str
    count: int


class Tree(TypedDict):
    name: str
    below: "list[Tree]"


def extremes_of(annotation: Any) -> list[Any]:
    tool = Tool("use", "Use", "Use it.", (Parameter("it", annotation), Parameter("other", int)), None)
    found = list(extreme_arguments(tool, {"it": None, "other": 7}))
    varied = [arguments["it"] for arguments in found if arguments["other"] == 7]
    assert all(arguments["it"] is None or arguments["other"] == 7 for arguments in found)
    return varied


def test_numbers_are_huge_negative_and_nothing() -> None:
    values = extremes_of(int)
    assert {0, -1} < set(values)
    assert max(values) > 1 << 63
    assert min(values) < -(1 << 30)
    assert max(extremes_of(float)) >= 1e300


def test_strings_are_empty_long_and_odd() -> None:
    values = extremes_of(str)
    assert "" in values
    assert max(map(len, values)) == LENGTH
    assert any("\0" in value for value in values)


def test_lists_are_empty_long_and_hold_extremes() -> None:
    values = extremes_of(list[int])
    assert [] in values
    assert [-1] in values
    assert max(map(len, values)) == LENGTH


def test_records_have_one_extreme_member_at_a_time() -> None:
    values = extremes_of(Item)
    assert {"name": "", "count": 1} in values
    assert {"name": "a", "count": 1 << 63} in values


def test_mappings_are_empty_and_large() -> None:
    values = extremes_of(dict[str, int])
    assert {} in values
    assert max(map(len, values)) == LENGTH // 10


@pytest.mark.parametrize(
    "annotation",
    [int, float, str, bool, int | None, Literal["a", "b"], list[Item], dict[str, list[int]], tuple[int, str],
     Item, Tree, list[Tree], Any, set[int]],
)  # fmt: skip
def test_extremes_fit_the_schema_and_come_to_an_end(annotation: Any) -> None:
    tool = Tool("use", "Use", "Use it.", (Parameter("it", annotation),), None)
    found = list(extreme_arguments(tool, {}))
    assert found
    for arguments in found:
        tool.validate_arguments(arguments)


def test_a_tool_without_parameters_has_no_extremes() -> None:
    assert not list(extreme_arguments(Tool("use", "Use", "Use it.", (), None), {}))
