"""Functions with the signature and the docstring of a tool."""

import inspect
from typing import Any, Literal, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_harness.trainers.tool_functions import tool_function, type_hint
from codegym_mcp.episode_protocol import ToolView

GRID = {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}
PARAMETERS: dict[str, Any] = {
    "grid": {**GRID, "description": "rows of\n  numbers."},
    "how": {"enum": ["slow", "fast"], "type": "string", "default": "slow"},
    "what": {
        "type": "object",
        "description": "what it is.",
        "properties": {
            "kind": {"type": "string", "description": "its kind"},
            "description": {"type": "string"},
        },
        "required": ["kind"],
    },
}
TOOL = ToolView(
    name="fill",
    description="Fill the grid. Args: none.\n\nIt cannot be emptied.",
    input_schema={"type": "object", "properties": PARAMETERS, "required": ["grid", "what"]},
)


@pytest.fixture
def fill() -> Any:
    return tool_function(TOOL, lambda self, name, arguments: f"{self} {name} {arguments}")


@pytest.mark.parametrize(
    ("schema", "hint"),
    [
        ({"type": "integer"}, int),
        (GRID, list[list[int]]),
        ({"type": "array"}, list),
        ({"type": "object", "additionalProperties": GRID}, dict[str, list[list[int]]]),
        ({"type": "object", "additionalProperties": False}, dict),
        ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}]}, tuple[str, float]),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, bool | None),
        ({"type": ["integer", "string"]}, int | str),
        ({"enum": ["a", 1, None]}, Literal["a", 1, None]),
        ({"const": "a"}, Literal["a"]),
        ({}, Any),
        ({"anyOf": [{"type": "integer"}, {}]}, Any),
        ({"enum": [[1], [2]]}, Any),
        ({"type": "file"}, Any),
    ],
)
def test_a_schema_becomes_a_type_hint_with_its_nested_types(schema: dict[str, Any], hint: Any) -> None:
    assert type_hint(schema) == hint


def test_the_function_has_the_name_the_types_and_the_defaults_of_the_tool(fill: Any) -> None:
    assert inspect.isfunction(fill)
    assert fill.__name__ == "fill"
    assert get_type_hints(fill) == {
        "grid": list[list[int]],
        "how": Literal["slow", "fast"],
        "what": dict,
    }
    parameters = inspect.signature(fill).parameters
    assert [*parameters] == ["self", "grid", "how", "what"]
    assert parameters["how"].default == "slow"
    assert parameters["grid"].default is inspect.Parameter.empty


def test_the_docstring_describes_each_argument_on_a_line_and_has_no_other_section(fill: Any) -> None:
    before, _, arguments = inspect.getdoc(fill).partition("\n\nArgs:\n")
    assert before == "Fill the grid. Args : none.\n\nIt cannot be emptied."
    first, second, third = arguments.split("\n")
    assert (first, second) == ("    grid: rows of numbers.", "    how: The how.")
    assert third.startswith("    what: what it is. Its JSON Schema is ")
    assert '"kind": {"type": "string"}, "description": {"type": "string"}' in third


@given(st.dictionaries(st.text(), st.integers() | st.lists(st.text())))
def test_every_argument_reaches_the_call_as_it_is(arguments: dict[str, Any]) -> None:
    seen: list[Any] = []

    def call(self: Any, name: str, given: dict[str, Any]) -> str:
        seen.append((name, given))
        return ""

    tool_function(TOOL, call)(object(), **arguments)
    assert seen == [("fill", arguments)]


def test_an_argument_named_self_is_an_argument(fill: Any) -> None:
    assert fill("it", self=1) == "it fill {'self': 1}"


def test_a_tool_without_a_description_has_a_docstring() -> None:
    function = tool_function(ToolView(name="look", input_schema={}), lambda *_: "")
    assert inspect.getdoc(function) == "Calls look."
