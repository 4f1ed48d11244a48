"""Tests of schemas without references."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from codegym_mcp.json_schema import (
    MAX_NODES,
    SchemaTooLargeError,
    inline_foreign_references,
    inline_references,
)

PLACE = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/Place", "$defs": {"Place": PLACE}},
        {"$ref": "#/definitions/Place", "definitions": {"Place": PLACE}},
        {"$ref": "#/$defs/A~1B~0", "$defs": {"A/B~": PLACE}},
        {"$ref": "#/$defs/A%20B", "$defs": {"A B": PLACE}},
        {"$ref": "#place", "$defs": {"Place": PLACE | {"$anchor": "place"}}},
        {"$id": "http://x/s", "$ref": "http://x/s#/$defs/Place", "$defs": {"Place": PLACE}},
        {"$ref": "#/$defs/Alias", "$defs": {"Alias": {"$ref": "#/$defs/Place"}, "Place": PLACE}},
    ],
    ids=["$defs", "definitions", "escaped pointer", "percent", "anchor", "own address", "chain"],
)
def test_a_reference_is_replaced_by_its_schema(schema: dict[str, Any]) -> None:
    assert {key: part for key, part in inline_references(schema).items() if key in PLACE} == PLACE


@pytest.mark.parametrize(
    ("definition", "expected"), [(True, {}), (False, {"not": {}}), ([PLACE], {})], ids=str
)
def test_a_reference_to_a_definition_that_is_no_object(definition: Any, expected: dict[str, Any]) -> None:
    assert inline_references({"$ref": "#/$defs/A", "$defs": {"A": definition}}) == expected


def test_a_reference_into_a_list_is_replaced() -> None:
    schema = {"properties": {"a": {"$ref": "#/anyOf/0"}}, "anyOf": [PLACE]}
    assert inline_references(schema) == {"properties": {"a": PLACE}, "anyOf": [PLACE]}


@pytest.mark.parametrize(
    ("value", "valid"),
    [([{"x": 1}], True), ([{"x": "1"}], False), ([{}], False), (None, True), ([{"x": 1}, {"x": 2}], True)],
)
def test_the_schema_without_references_accepts_the_same_values(value: Any, valid: bool) -> None:
    places = {"type": "array", "items": {"$ref": "#/$defs/Place"}}
    schema = {
        "type": "object",
        "properties": {"places": {"anyOf": [places, {"type": "null"}]}},
        "$defs": {"Place": PLACE},
    }
    inlined = inline_references(schema)

    assert "$ref" not in json.dumps(inlined)
    for each in (schema, inlined):
        assert Draft202012Validator(each).is_valid({"places": value}) is valid


def test_keywords_beside_a_reference_are_kept() -> None:
    schema = {"$ref": "#/$defs/Place", "description": "Where.", "$defs": {"Place": PLACE}}

    assert inline_references(schema) == {**PLACE, "description": "Where."}


def test_members_and_data_with_the_names_of_keywords_are_kept() -> None:
    schema = {
        "type": "object",
        "properties": {"$ref": {"type": "string"}, "$defs": {"type": "integer"}},
        "default": {"$ref": "#/nowhere"},
        "enum": [{"$ref": "text"}],
    }

    assert inline_references(schema) == schema


@pytest.mark.parametrize("reference", ["#/$defs/Other", "https://example.org/schema.json", "#/$defs/Other/x"])
def test_a_reference_that_leads_nowhere_permits_any_value(reference: str) -> None:
    schema = {"type": "array", "items": {"$ref": reference}, "$defs": {"Place": True}}
    inlined = inline_references(schema)

    assert Draft202012Validator(inlined).is_valid([1])
    assert "$ref" not in json.dumps(inlined)


def test_a_recursive_type_permits_any_value_below_its_first_level() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}

    assert inline_references({"$ref": "#/$defs/Node", "$defs": {"Node": node}}) == {
        "type": "object",
        "properties": {"next": {}},
    }


def test_a_schema_that_grows_too_large_is_refused_and_a_foreign_one_is_kept() -> None:
    names = [f"T{number}" for number in range(20)]
    definitions = {
        name: {"type": "object", "properties": {field: {"$ref": f"#/$defs/{below}"} for field in "ab"}}
        for name, below in zip(names, [*names[1:], "Leaf"], strict=True)
    }
    schema = {"$ref": "#/$defs/T0", "$defs": {**definitions, "Leaf": {"type": "integer"}}}

    with pytest.raises(SchemaTooLargeError, match=f"{MAX_NODES:,} parts"):
        inline_references(schema)
    assert inline_foreign_references(schema) == schema
