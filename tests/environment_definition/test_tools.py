import json
import math
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from codegym_mcp.environment_definition.annotations import make_record
from codegym_mcp.environment_definition.json_types import json_literal, json_set
from codegym_mcp.environment_definition.tools import NO_DEFAULT, Parameter, Tool, is_object, result_text
from codegym_mcp.errors import InvalidArgumentsError

Point: Any = make_record("Point", {"x": int, "y": float})


def tool(*parameters: Parameter, returns: Any = None) -> Tool:
    return Tool("look", "Look", "Look there.", parameters, returns)


def taking(kind: Any, default: Any = NO_DEFAULT) -> Tool:
    return tool(Parameter("at", kind, "where.", default))


def refusal(kind: Any, value: Any) -> str:
    with pytest.raises(InvalidArgumentsError) as caught:
        taking(kind).validate_arguments({"at": value})
    return caught.value.message


def test_the_input_schema_lists_every_parameter_and_permits_no_other() -> None:
    looked = tool(Parameter("at", int, "where."), Parameter("how", str, "how closely.", "well"))
    assert looked.input_schema == {
        "type": "object",
        "properties": {
            "at": {"type": "integer", "description": "where."},
            "how": {"type": "string", "description": "how closely.", "default": "well"},
        },
        "required": ["at"],
        "additionalProperties": False,
    }


def test_the_schema_of_a_tool_without_parameters_is_an_object() -> None:
    assert tool().input_schema == {"type": "object", "properties": {}, "additionalProperties": False}
    tool().validate_arguments({})


@pytest.mark.parametrize(
    ("returns", "value", "structured"),
    [
        (int, 3, {"result": 3}),
        (str, "a", {"result": "a"}),
        (None, None, {"result": None}),
        (list[int], [1], {"result": [1]}),
        (json_set(int), [1, 2], {"result": [1, 2]}),
        (Point, {"x": 1, "y": 2.5}, {"x": 1, "y": 2.5}),
        (Point | None, {"x": 1, "y": 2.5}, {"result": {"x": 1, "y": 2.5}}),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (dict[str, int], {"result": 1}, {"result": 1}),
        (dict[str, Point], {"a": {"x": 1, "y": 1}}, {"a": {"x": 1, "y": 1}}),
        (Any, {"a": 1}, {"result": {"a": 1}}),
    ],
)
def test_a_result_is_put_into_an_object_and_taken_out_again(
    returns: Any, value: Any, structured: dict[str, Any]
) -> None:
    looked = tool(returns=returns)
    assert looked.structure(value) == structured
    assert looked.unwrap(structured) == value
    assert looked.output_schema["type"] == "object"
    Draft202012Validator(looked.output_schema).validate(structured)


@pytest.mark.parametrize(
    ("returns", "value"),
    [
        (int, "a"),
        (int, True),
        (int, 3.0),
        (bool, 1),
        (str, None),
        (None, 1),
        (Point, {"x": 1}),
        (Point, {"x": 1, "y": 2, "z": 3}),
        (Point, "a"),
        (dict[str, int], [1]),
        (dict[str, Point], {"a": {"x": 1, "y": 1, "z": 1}}),
        (json_set(int), [1, 1]),
        (float, math.nan),
        (list[Any], [math.inf]),
    ],
)
def test_a_result_of_another_type_is_refused_as_a_result(returns: Any, value: Any) -> None:
    with pytest.raises(InvalidArgumentsError, match=r"^Invalid result of look: "):
        tool(returns=returns).structure(value)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (int, "a", 'at should be a valid integer, not "a"'),
        (int, 10**5, ""),
        (int, None, "at should be a valid integer, not null"),
        (int, 1.0, "at should be a valid integer, not 1.0 (send it without a fraction: 1)"),
        (int, 1.5, "at should be a valid integer, not 1.5"),
        (int, "1e0", 'at should be a valid integer, not "1e0" (send the value itself, without quotes: 1)'),
        (float, True, "at should be a valid number, not true"),
        (float, 10**400, "at should be a finite number, not 1000"),
        (bool, 1, "at should be a valid boolean, not 1"),
        (Literal["up", "down"], "left", "at should be 'up' or 'down', not \"left\""),
        (json_literal((1, 2)), True, "at should be 1 or 2, not true"),
        (json_set(int), [1, 1], "at should be a list of distinct members, not [1, 1]"),
        (list[int], [1, "a"], 'at.1 should be a valid integer, not "a"'),
        (list[int], 5, "at should be a valid array, not 5"),
        (tuple[int, int], [1], "at.1 is required"),
        (tuple[int, int], [1, 2, 3], "at: "),
        (dict[str, int], {"b": "c"}, 'at.b should be a valid integer, not "c"'),
        (dict[str, int], [1], "at should be an object, not [1]"),
        (Point, {"x": 1}, "at.y is required"),
        (Point, {"x": 1, "y": 1, "z": 1}, "at.z is not a field"),
        (list[Point], [{"x": 1, "y": "1"}], 'at.0.y should be a valid number, not "1"'),
        (int | None, "a", 'at should be a valid integer, not "a"'),
        (int | str, 1.5, "at should be a valid integer or a valid string, not 1.5"),
        (int | list[str], ["a", 1], "at.1 should be a valid string, not 1"),
        (Point | list[int], 3, "at should be an object or a valid array, not 3"),
        (dict[str, int | str], {"int": 1.5}, "at.int should be a valid integer or a valid string, not 1.5"),
    ],
)
def test_an_error_message_names_the_place_and_the_expected_type(kind: Any, value: Any, words: str) -> None:
    if not words:
        taking(kind).validate_arguments({"at": value})
        return
    message = refusal(kind, value)
    assert message.startswith("Invalid arguments for look: ")
    assert words in message


def test_missing_and_unknown_arguments_are_named() -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        taking(int).validate_arguments({"to": 1})
    assert caught.value.message == "Invalid arguments for look: at is required; to is not a parameter."


def test_long_lists_of_faults_and_long_values_are_shortened() -> None:
    message = refusal(list[int], ["x" * 1000] * 40)
    assert len(message) < 700
    assert message.endswith("; and 35 more.")


def test_an_argument_with_a_default_can_be_omitted() -> None:
    taking(int, 3).validate_arguments({})
    assert "required" not in taking(int, 3).input_schema


def deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("kind", [Any, list[Any], dict[str, Any], str, float, int])
@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        [math.nan],
        {"a": [-math.inf]},
        "\ud800",
        ["a\udfff"],
        {"\ud800": 1},
        10**5000,
        deep(300),
        deep(5000),
        object(),
    ],
    ids=[
        *(
            "nan",
            "infinity",
            "nan-within",
            "infinity-within",
            "surrogate",
            "surrogate-within",
            "surrogate-key",
        ),
        *("endless", "deep", "bottomless", "object"),
    ],
)
def test_values_that_json_cannot_represent_are_refused(kind: Any, value: Any) -> None:
    message = refusal(kind, value)
    assert len(message) < 300
    message.encode()
    with pytest.raises(InvalidArgumentsError):
        tool(returns=kind).structure(value)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    )
)
def test_any_accepts_all_plain_data(value: Any) -> None:
    taking(Any).validate_arguments({"at": value})
    looked = tool(returns=Any)
    assert looked.unwrap(looked.structure(value)) == value
    assert result_text(value) == value if isinstance(value, str) else json.loads(result_text(value)) == value


def test_text_can_contain_the_names_of_infinity_and_nan() -> None:
    taking(Any).validate_arguments({"at": ["NaN", "Infinity", {"-Infinity": "NaN"}]})


def test_the_text_of_a_result_is_readable() -> None:
    assert result_text("Grüße") == "Grüße"
    assert result_text({"ä": [1, None, True]}) == '{"ä": [1, null, true]}'


def test_only_records_and_dicts_are_objects() -> None:
    assert is_object(Point)
    assert is_object(dict[str, int])
    assert not any(map(is_object, (int, list[int], Any, None, Point | None, json_set(int))))


Line: Any = make_record("Line", {"start": Point, "end": Point | None})


@pytest.mark.parametrize(
    ("kind", "value", "valid"),
    [
        (Point, {"x": 1, "y": 2.0}, True),
        (Point, {"x": 1}, False),
        (list[Line], [{"start": {"x": 1, "y": 2.0}, "end": None}], True),
        (list[Line], [{"start": {"x": 1, "y": 2.0}, "end": {"x": "1", "y": 2.0}}], False),
        (dict[str, Line], {"a": {"start": {"x": 1, "y": 2.0}, "end": {"x": 1, "y": 2.0}}}, True),
        (tuple[Point, Line], [{"x": 1, "y": 2.0}, {"start": {"x": 1, "y": 2.0}}], False),
    ],
)
def test_schemas_of_records_have_no_references_and_accept_what_the_tool_accepts(
    kind: Any, value: Any, valid: bool
) -> None:
    declared = tool(Parameter("at", kind, "where."), returns=list[kind])
    for schema, data in (
        (declared.input_schema, {"at": value}),
        (declared.output_schema, {"result": [value]}),
    ):
        assert not {'"$ref"', '"$defs"'} & set(json.dumps(schema).replace(":", " ").split())
        assert Draft202012Validator(schema).is_valid(data) is valid
    if valid:
        declared.validate_arguments({"at": value})
    else:
        with pytest.raises(InvalidArgumentsError):
            declared.validate_arguments({"at": value})


def test_the_description_of_a_parameter_stays_beside_the_schema_of_its_record() -> None:
    point = taking(Point).input_schema["properties"]["at"]
    assert point["description"] == "where."
    assert set(point["properties"]) == {"x", "y"}
