"""JSON Schemas without references: several MCP clients refuse or misread `$ref` and `$defs`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

MAX_NODES = 20_000
"""Maximum number of objects and lists in a schema without references."""

_REFERENCE, _DEFINITIONS = "$ref", ("$defs", "definitions")
_DATA = frozenset({"const", "default", "enum", "examples"})
"""Keywords whose values are data, not schemas."""
_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas"})
"""Keywords whose values are schemas by name."""


class SchemaTooLargeError(ValueError):
    """A schema that has more than `MAX_NODES` parts when its references are replaced."""


def inline_references(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Replaces each local reference by the schema that it refers to.

    A reference to a schema that contains it (a recursive type) becomes `{}`, which permits any value. So does
    a reference to a schema that the document does not contain.

    Args:
        schema: a JSON Schema document.

    Returns:
        An equal schema without `$ref` and `$defs`. Keywords beside a reference take precedence over those of
        the schema it refers to.

    Raises:
        SchemaTooLargeError: the result would have more than `MAX_NODES` parts.
    """
    return _Inliner(schema).inline(schema, frozenset())


def inline_foreign_references(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Replaces the references in a schema of another server; a schema that would become too large is kept."""
    try:
        return inline_references(schema)
    except SchemaTooLargeError:
        return dict(schema)


class _Inliner:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._nodes = 0

    def inline(self, schema: Mapping[str, Any], open_references: frozenset[str]) -> dict[str, Any]:
        self._count()
        own: dict[str, Any] = {}
        for keyword, value in schema.items():
            if keyword == _REFERENCE or keyword in _DEFINITIONS:
                continue
            if keyword in _NAMED and isinstance(value, Mapping):
                self._count()
                own[keyword] = {name: self._value(part, open_references) for name, part in value.items()}
            else:
                own[keyword] = value if keyword in _DATA else self._value(value, open_references)
        reference = schema.get(_REFERENCE)
        if not isinstance(reference, str) or reference in open_references:
            return own
        return {**self.inline(self._find(reference), open_references | {reference}), **own}

    def _value(self, value: Any, open_references: frozenset[str]) -> Any:
        if isinstance(value, Mapping):
            return self.inline(value, open_references)
        if isinstance(value, list):
            self._count()
            return [self._value(part, open_references) for part in value]
        return value

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise SchemaTooLargeError(f"the schema has more than {MAX_NODES:,} parts without references")

    def _find(self, reference: str) -> Mapping[str, Any]:
        address, _, fragment = reference.partition("#")
        if address and address != self._document.get("$id"):
            return {}
        fragment = unquote(fragment)
        found: Any = self._document
        if fragment and not fragment.startswith("/"):
            return self._anchored(fragment)
        for part in fragment.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            else:
                found = found.get(key) if isinstance(found, Mapping) else None
        if found is False:
            return {"not": {}}
        return found if isinstance(found, Mapping) else {}

    def _anchored(self, name: str) -> Mapping[str, Any]:
        """Returns the definition with an anchor."""
        groups = (self._document.get(keyword) for keyword in _DEFINITIONS)
        definitions = (each for group in groups if isinstance(group, Mapping) for each in group.values())
        named = (each for each in definitions if isinstance(each, Mapping) and each.get("$anchor") == name)
        return next(named, {})
