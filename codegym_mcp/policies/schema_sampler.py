"""Draws values at random from JSON Schemas."""

import math
from collections.abc import Iterable
from random import Random
from typing import Any

from codegym_mcp.policies.tool_schemas import Schema

_MAX_DEPTH = 4
_MAX_ADDED_ITEMS = 4
_RANGES = ((0, 3), (0, 10), (0, 100), (-10, 10))
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SCALARS = ("string", "integer", "number", "boolean", "null")


class SchemaSampler:
    """Draws values that fit schemas, preferably values near those that were seen before.

    Bounds, lengths and enumerations are respected; patterns and formats are not.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._seen: dict[type, dict[Any, None]] = {int: {}, float: {}, str: {}}

    def see(self, values: Iterable[Any]) -> None:
        """Remembers the numbers and strings among these values."""
        for value in values:
            if type(value) in self._seen:
                self._seen[type(value)][value] = None

    def draw(self, schema: Schema) -> Any:
        """Returns a random value that fits the schema."""
        return self._draw(schema, 0)

    def _draw(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, dict):
            schema = {}
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        for choices in ("anyOf", "oneOf"):
            if choices in schema:
                return self._draw(self._choose(schema[choices], depth), depth + 1)
        if "allOf" in schema:
            return self._draw(schema["allOf"][0], depth + 1)
        kind = schema.get("type") or self._kind_of_untyped(schema)
        if isinstance(kind, list):
            kind = self._random.choice(kind)
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "integer":
                return self._integer(schema)
            case "number":
                return self._number(schema)
            case "string":
                return self._string(schema)
            case "boolean":
                return self._random.random() < 0.5
        return None

    def _kind_of_untyped(self, schema: Schema) -> str:
        if "properties" in schema:
            return "object"
        if "items" in schema or "prefixItems" in schema:
            return "array"
        return self._random.choice(_SCALARS)

    def _choose(self, choices: list[Schema], depth: int) -> Schema:
        """Returns one of the alternatives; at a large depth a scalar if possible, so that recursion ends."""
        if depth >= _MAX_DEPTH:
            choices = [choice for choice in choices if _is_scalar(choice)] or choices
        return self._random.choice(choices)

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        drawn = {
            name: self._draw(member, depth + 1)
            for name, member in schema.get("properties", {}).items()
            if name in required or (depth < _MAX_DEPTH and self._random.random() < 0.5)
        }
        others = schema.get("additionalProperties")
        if isinstance(others, dict) and depth < _MAX_DEPTH:
            for _ in range(self._random.randint(0, _MAX_ADDED_ITEMS)):
                drawn.setdefault(self._string({}), self._draw(others, depth + 1))
        return drawn

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        items = [self._draw(item, depth + 1) for item in schema.get("prefixItems", ())]
        least = max(schema.get("minItems", 0), len(items))
        most = min(schema.get("maxItems", least + _MAX_ADDED_ITEMS), least + _MAX_ADDED_ITEMS)
        if "prefixItems" in schema and "items" not in schema:
            most = least
        length = least if depth >= _MAX_DEPTH else self._random.randint(least, max(least, most))
        items += [self._draw(schema.get("items"), depth + 1) for _ in range(length - len(items))]
        if schema.get("uniqueItems"):
            return [item for place, item in enumerate(items) if item not in items[:place]]
        return items

    def _integer(self, schema: Schema) -> int:
        low, high = _range(schema, self._random.choice(_RANGES), step=1)
        near = [*self._seen[int]]
        if near and self._random.random() < 0.5:
            value: int = self._random.choice(near) + self._random.choice((-1, 0, 0, 1))
            if not _is_bounded(schema) or low <= value <= high:
                return value
        return self._random.randint(math.ceil(low), math.floor(high))

    def _number(self, schema: Schema) -> float:
        low, high = _range(schema, self._random.choice(_RANGES), step=0)
        near = [*self._seen[float], *self._seen[int]]
        if near and self._random.random() < 0.5:
            value = float(self._random.choice(near))
            if not _is_bounded(schema) or low < value < high:
                return value
        drawn = self._random.uniform(low, high)
        return drawn if _is_bounded(schema) else round(drawn, 2)

    def _string(self, schema: Schema) -> str:
        text: str = "".join(self._random.choices(_LETTERS, k=self._random.randint(1, 8)))
        if self._seen[str] and self._random.random() < 0.8:
            text = self._random.choice([*self._seen[str]])
        return text.ljust(schema.get("minLength", 0), "a")[: schema.get("maxLength")]


def _is_scalar(schema: Schema) -> bool:
    return "const" in schema or "enum" in schema or schema.get("type") in _SCALARS


def _is_bounded(schema: Schema) -> bool:
    return any(key in schema for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"))


def _range(schema: Schema, usual: tuple[int, int], *, step: int) -> tuple[float, float]:
    """Returns the bounds of the schema; a side without a bound makes the range as wide as the usual one.

    Args:
        usual: the range for a schema without bounds.
        step: distance between an exclusive bound and the range.
    """
    low, high = usual
    least = schema.get("minimum", schema["exclusiveMinimum"] + step if "exclusiveMinimum" in schema else None)
    most = schema.get("maximum", schema["exclusiveMaximum"] - step if "exclusiveMaximum" in schema else None)
    if least is None:
        return (low, high) if most is None else (most - (high - low), most)
    return least, least + (high - low) if most is None else most
