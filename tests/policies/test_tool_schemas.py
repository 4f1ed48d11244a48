import pytest

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.policies.tool_schemas import answer_schema, is_valid, needs_no_argument, values_in


def test_values_come_before_their_parts_and_in_order() -> None:
    assert list(values_in({"floor": 3, "seen": ["a", {"b": None}]})) == [
        {"floor": 3, "seen": ["a", {"b": None}]},
        "floor",
        3,
        "seen",
        ["a", {"b": None}],
        "a",
        {"b": None},
        "b",
        None,
    ]


def test_text_that_is_json_is_parsed() -> None:
    assert list(values_in("[1, 2]")) == ["[1, 2]", [1, 2], 1, 2]
    assert list(values_in("7 lamps")) == ["7 lamps"]
    assert list(values_in('"7"')) == ['"7"']


@pytest.mark.parametrize(
    ("schema", "value", "valid"),
    [
        ({"type": "integer"}, 1, True),
        ({"type": "integer"}, True, False),
        ({"type": "integer"}, 1.0, False),
        ({"type": "number"}, 1, True),
        ({"type": "array", "items": {"type": "integer"}}, [1, "2"], False),
    ],
)
def test_types_are_strict(schema, value, valid) -> None:
    assert is_valid(schema, value) is valid


def test_the_schema_of_the_answer_is_that_of_the_submissions_parameter() -> None:
    answer = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    submission = ToolView(
        name="submit_answer", input_schema={"type": "object", "properties": {"answer": answer}}
    )
    assert answer_schema(submission) == answer


def test_a_tool_whose_arguments_all_have_defaults_needs_none() -> None:
    schema = {"type": "object", "properties": {"floors": {"type": "integer", "default": 1}}}
    assert needs_no_argument(ToolView(name="move", input_schema=schema))
    assert not needs_no_argument(ToolView(name="move", input_schema={**schema, "required": ["floors"]}))
