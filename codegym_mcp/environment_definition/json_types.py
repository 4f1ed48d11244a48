"""Encodes plain JSON data; types that pydantic would validate less strictly than their schemas."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema, to_json


def encode_json(data: Any) -> bytes:
    """Returns plain data as JSON.

    Raises:
        ValueError: JSON cannot represent the data: NaN, an infinity, a lone surrogate, too deep nesting, or
            an object of another type.
    """
    encoded = to_json(data)
    if b"NaN" in encoded or b"Infinity" in encoded:
        # They may be text in a string; only the strict encoder, which is slower, can tell.
        json.dumps(data, allow_nan=False)
    return encoded


def json_literal(values: tuple[str | int | bool, ...]) -> Any:
    """Returns a Literal that accepts neither `true` nor 1.0 for 1, although Python considers them equal."""
    if all(type(value) is str for value in values):
        return Literal[values]

    def check(data: Any) -> Any:
        if not any(type(data) is type(value) and data == value for value in values):
            expected = " or ".join(to_json(value).decode() for value in values)
            raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})
        return data

    return Annotated[Literal[values], BeforeValidator(check)]


def json_set(item: Any) -> Any:
    """Returns the type of a set in JSON: a list of distinct members, which need not be hashable."""
    return Annotated[set[item], _AsList()]


@dataclass(frozen=True)
class _AsList:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        members = handler.generate_schema(list[get_args(source)[0]])  # type: ignore[misc]
        return core_schema.no_info_after_validator_function(_check_distinct, members)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "uniqueItems": True}


def _check_distinct(members: list[Any]) -> list[Any]:
    if len({to_json(member) for member in members}) < len(members):
        raise PydanticCustomError("set_members", "Input should be a list of distinct members")
    return members
