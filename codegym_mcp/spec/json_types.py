"""What plain JSON data is, and types whose JSON form pydantic reads more loosely than their schemas do."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema, to_json


def encode_json(data: Any) -> bytes:
    """Plain data as JSON.

    Raises:
        ValueError: JSON cannot carry it: NaN, an infinity, half of a surrogate pair, bottomless nesting, an
            object of another kind.
    """
    encoded = to_json(data)
    if b"NaN" in encoded or b"Infinity" in encoded:
        # As words within a string they do no harm; the strict encoder knows, and is slower.
        json.dumps(data, allow_nan=False)
    return encoded


def json_literal(values: tuple[str | int | bool, ...]) -> Any:
    """A Literal for which neither `true` nor 1.0 is 1, though Python holds them equal."""
    if all(type(value) is str for value in values):
        return Literal[values]

    def check(given: Any) -> Any:
        if not any(type(given) is type(value) and given == value for value in values):
            told = " or ".join(to_json(value).decode() for value in values)
            raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": told})
        return given

    return Annotated[Literal[values], BeforeValidator(check)]


def json_set(item: Any) -> Any:
    """A set as it travels: a list whose members all differ, whether Python can hash them or not."""
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
        raise PydanticCustomError("set_members", "Input should be a list whose members all differ")
    return members
