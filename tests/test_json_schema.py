"""Tests of schemas without references."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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


@pytest.mark.parametrize("reference", ["#/$defs/Node", "#node", "#"])
def test_a_recursive_type_keeps_its_type_and_description_below_its_first_level(reference: str) -> None:
    node = {
        "type": "object",
        "description": "A node.",
        "properties": {"next": {"$ref": reference}},
        "additionalProperties": False,
    }
    schema = node if reference == "#" else {"$ref": reference, "$defs": {"Node": node | {"$anchor": "node"}}}

    assert inline_references(schema) == node | {
        "properties": {"next": {"type": "object", "description": "A node."}}
    }


def test_a_schema_that_grows_too_large_is_refused_and_a_foreign_one_is_cut() -> None:
    names = [f"T{number}" for number in range(20)]
    definitions = {
        name: {"type": "object", "properties": {field: {"$ref": f"#/$defs/{below}"} for field in "ab"}}
        for name, below in zip(names, [*names[1:], "Leaf"], strict=True)
    }
    schema = {"$ref": "#/$defs/T0", "$defs": {**definitions, "Leaf": {"type": "integer"}}}

    with pytest.raises(SchemaTooLargeError, match=f"{MAX_NODES:,} parts"):
        inline_references(schema)
    inlined = inline_foreign_references(schema)
    assert "$ref" not in json.dumps(inlined)
    assert inlined["properties"]["a"]["properties"]["b"]["type"] == "object"


def test_types_that_refer_to_each_other_are_cut() -> None:
    names = [f"T{number}" for number in range(12)]
    everything = {name: {"$ref": f"#/$defs/{name}"} for name in names}
    definitions = {name: {"type": "object", "properties": everything} for name in names}
    inlined = inline_foreign_references({"$ref": "#/$defs/T0", "$defs": definitions})

    assert "$ref" not in json.dumps(inlined)
    assert inlined["properties"]["T1"]["properties"].keys() == set(names)


def test_a_long_chain_of_types_is_cut() -> None:
    definitions = {
        f"T{number}": {"type": "object", "properties": {"next": {"$ref": f"#/$defs/T{number + 1}"}}}
        for number in range(500)
    }
    inlined = inline_references({"$ref": "#/$defs/T0", "$defs": definitions})

    assert "$ref" not in json.dumps(inlined)
    assert inlined["properties"]["next"]["properties"]["next"]["type"] == "object"


ADDRESSED = {
    "an address in a definition": {
        "$id": "https://example.org/doors",
        "$ref": "https://example.org/place",
        "$defs": {"P": {"$id": "https://example.org/place", **PLACE}},
    },
    "a relative address": {"$ref": "place.json", "$defs": {"P": {"$id": "place.json", **PLACE}}},
    "a definition within an addressed one": {
        "$ref": "#/$defs/Outer/properties/place",
        "$defs": {
            "Outer": {
                "$id": "https://example.org/outer",
                "properties": {"place": {"$ref": "#/$defs/Place"}},
                "$defs": {"Place": PLACE},
            },
            "Place": {"type": "string"},
        },
    },
    "an anchor within a property": {
        "properties": {"place": {**PLACE, "$anchor": "place"}},
        "$ref": "#place",
        "type": "object",
    },
    "a dynamic reference": {"$dynamicRef": "#place", "$defs": {"P": {**PLACE, "$dynamicAnchor": "place"}}},
    "draft 7": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$ref": "#place",
        "definitions": {"P": {"$id": "#place", **PLACE}},
    },
}


@pytest.mark.parametrize("schema", ADDRESSED.values(), ids=ADDRESSED.keys())
def test_a_reference_by_address_or_anchor_is_replaced(schema: dict[str, Any]) -> None:
    inlined = inline_references(schema)

    assert not Draft202012Validator(inlined).is_valid({"x": "1"})
    assert Draft202012Validator(inlined).is_valid({"x": 1})
    text = json.dumps(inlined)
    assert not [
        keyword for keyword in ("Ref", "$ref", "$id", "nchor", "$defs", "definitions") if keyword in text
    ]


def test_keywords_beside_a_reference_apply_beside_those_it_refers_to() -> None:
    named = {"properties": {"name": {"type": "string"}}, "required": ["name"], "additionalProperties": True}
    inlined = inline_references({"$ref": "#/$defs/Place", **named, "$defs": {"Place": PLACE}})

    assert inlined["type"] == "object"
    for value, valid in (({"x": 1, "name": "a"}, True), ({"x": 1}, False), ({"name": "a"}, False)):
        assert Draft202012Validator(inlined).is_valid(value) is valid
    assert not Draft202012Validator(inlined).is_valid({"x": "1", "name": "a"})


def test_required_members_beside_a_reference_are_added() -> None:
    schema = {"$ref": "#/$defs/Place", "required": ["y", "x"], "$defs": {"Place": PLACE}}
    assert inline_references(schema) == PLACE | {"required": ["x", "y"]}


def test_alternatives_of_a_recursive_type_accept_its_values() -> None:
    """Below the first level the type accepts everything, so that exactly one alternative never fits."""
    leaf = {"type": "object", "properties": {"kind": {"const": "leaf"}}, "required": ["kind"]}
    either = {
        "oneOf": [{"$ref": "#/$defs/Leaf"}, {"$ref": "#/$defs/Node"}],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"leaf": "#/$defs/Leaf", "node": "#/$defs/Node"},
        },
    }
    node = {
        "type": "object",
        "properties": {"kind": {"const": "node"}, "parts": {"type": "array", "items": either}},
        "required": ["kind", "parts"],
    }
    schema = {**either, "$defs": {"Leaf": leaf, "Node": node}}
    inlined = inline_references(schema)

    assert "#/" not in json.dumps(inlined)
    value = {"kind": "node", "parts": [{"kind": "leaf"}, {"kind": "node", "parts": [{"kind": "leaf"}]}]}
    for each in (schema, inlined):
        assert Draft202012Validator(each).is_valid(value)
        assert not Draft202012Validator(each).is_valid({"kind": "door"})


NAMES = ("A", "B", "C")
REFERENCES = st.sampled_from([{"$ref": f"#/$defs/{name}"} for name in (*NAMES, "Missing")] + [{"$ref": "#"}])
LEAVES = st.sampled_from(
    [
        True,
        False,
        {},
        {"type": "integer"},
        {"type": "string"},
        {"const": 1},
        {"minimum": 2},
        {"type": "array"},
    ]
)


def _larger(parts: Any) -> Any:
    several = st.lists(parts, min_size=1, max_size=3)
    named = st.dictionaries(st.sampled_from("xy"), parts, max_size=2)
    keywords = {
        "type": st.just("object"),
        "properties": named,
        "required": st.lists(st.sampled_from("xy"), unique=True),
        "additionalProperties": parts,
        "items": parts,
        "prefixItems": several,
        "contains": parts,
        "maxContains": st.just(1),
        "anyOf": several,
        "allOf": several,
        "oneOf": several,
        "not": parts,
        "if": parts,
        "then": parts,
        "else": parts,
        "unevaluatedProperties": parts,
        "propertyNames": parts,
        "$ref": st.sampled_from([f"#/$defs/{name}" for name in NAMES] + ["#"]),
    }
    return st.lists(st.sampled_from(sorted(keywords)), min_size=1, max_size=3, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({keyword: keywords[keyword] for keyword in chosen})
    )


SCHEMAS = st.recursive(LEAVES | REFERENCES, _larger, max_leaves=6)
VALUES = st.recursive(
    st.sampled_from([None, 1, 2, 3.5, "x"]),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from("xyz"), parts, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(
    root=SCHEMAS.filter(lambda schema: isinstance(schema, dict)),
    definitions=st.fixed_dictionaries(dict.fromkeys(NAMES, SCHEMAS)),
    values=st.lists(VALUES, min_size=5, max_size=5),
)
def test_every_value_that_a_schema_accepts_is_accepted_without_references(
    root: dict[str, Any], definitions: dict[str, Any], values: list[Any]
) -> None:
    document = {**root, "$defs": {**definitions, "Missing": True}}
    inlined = inline_references(document)

    assert "$ref" not in json.dumps(inlined)
    if not _refers_to_itself_in_place({"#": root, **definitions}):
        for value in values:
            if Draft202012Validator(document).is_valid(value):
                assert Draft202012Validator(inlined).is_valid(value)


@settings(deadline=None)
@given(
    definition=st.recursive(LEAVES, _larger, max_leaves=4),
    root=_larger(LEAVES | st.just({"$ref": "#/$defs/A"})),
    values=st.lists(VALUES, min_size=5, max_size=5),
)
def test_a_schema_that_is_not_recursive_accepts_the_same_values_without_references(
    definition: Any, root: dict[str, Any], values: list[Any]
) -> None:
    at_root = {"$ref": "#/$defs/A"} if "$ref" in root else {}
    document = {**root, **at_root, "$defs": {"A": _without_references(definition)}}
    inlined = inline_references(document)
    for value in values:
        assert Draft202012Validator(inlined).is_valid(value) == Draft202012Validator(document).is_valid(value)


def _refers_to_itself_in_place(schemas: dict[str, Any]) -> bool:
    """Checks for schemas that apply themselves to the same value, which no validator ends with."""
    reached = {name: _referred_in_place(schema) for name, schema in schemas.items()}
    for _ in schemas:
        reached = {
            name: found.union(*(reached.get(other, set()) for other in found))
            for name, found in reached.items()
        }
    return any(name in found for name, found in reached.items())


def _referred_in_place(schema: Any) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    alternatives = [part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, [])]
    parts = [*alternatives, *(schema.get(keyword) for keyword in ("not", "if", "then", "else"))]
    found = {schema["$ref"].removeprefix("#/$defs/")} if "$ref" in schema else set()
    return found.union(*(_referred_in_place(part) for part in parts))


def _without_references(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_references(part) for part in schema]
    if isinstance(schema, dict):
        return {name: _without_references(part) for name, part in schema.items() if name != "$ref"}
    return schema


@given(
    document=st.dictionaries(
        st.sampled_from(
            ["$ref", "$defs", "$id", "definitions", "properties", "required", "oneOf", "$schema", "allOf"]
        ),
        st.recursive(
            st.sampled_from([None, 1, "#/$defs/a", "#/properties/0", "http://[", "#a", "", True]),
            lambda parts: (
                st.lists(parts, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["a", "$ref", "$id", "$anchor", "oneOf", "$defs"]), parts, max_size=3
                )
            ),
            max_leaves=8,
        ),
    )
)
def test_a_damaged_schema_of_another_server_is_read(document: dict[str, Any]) -> None:
    inline_foreign_references(document)
