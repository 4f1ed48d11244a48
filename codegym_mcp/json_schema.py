"""JSON Schemas without references: several MCP clients refuse or misread `$ref` and `$defs`."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

MAX_NODES = 20_000
"""Maximum number of objects and lists in a schema without references."""
MAX_DEPTH = 24
"""Maximum number of references within one another that are followed."""

Schema = Mapping[str, Any]

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_REPLACED = frozenset(
    {*_REFERENCES, "$defs", "definitions", "$schema", "$id", "$vocabulary"}
    | {"$anchor", "$dynamicAnchor", "$recursiveAnchor"}
)
"""Keywords that a schema without references does not need. Copies of an identifier would be ambiguous."""
_DATA = frozenset({"const", "default", "enum", "examples", "dependentRequired"})
"""Keywords whose values are data, not schemas."""
_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies"})
"""Keywords whose values are schemas by name."""
_ANNOTATIONS = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"}
)
_SHOWN_OF_CUT = ("type", "title", "description")
"""What remains of a schema at a reference that is not followed."""
_UNEVALUATED = frozenset({"unevaluatedProperties", "unevaluatedItems"})
_INTERPLAY = (
    frozenset({"properties", "patternProperties", "additionalProperties"}),
    frozenset({"prefixItems", "items", "additionalItems"}),
    frozenset({"contains", "minContains", "maxContains"}),
    frozenset({"if", "then", "else"}),
)
"""Keywords whose meaning depends on the others of their group in the same schema."""


class SchemaTooLargeError(ValueError):
    """A schema that has more than `MAX_NODES` parts when its references are replaced."""


def inline_references(schema: Schema) -> dict[str, Any]:
    """Replaces each reference by the schema that it refers to.

    A reference to a schema that contains it (a recursive type) becomes that schema's type and description
    alone; one to a schema that the document does not contain becomes `{}`. The result accepts every value
    that the document accepts, and others only because of such places: alternatives of `oneOf` that contain
    one are in `anyOf`, and conditions and negations that contain one are left out.

    Args:
        schema: a JSON Schema document. Its dialect is `$schema`; 2020-12 without one.

    Returns:
        A schema without references, definitions and identifiers.

    Raises:
        SchemaTooLargeError: the result would have more than `MAX_NODES` parts.
    """
    return _Inliner(schema, MAX_DEPTH, MAX_NODES).inline()


def inline_foreign_references(schema: Schema) -> dict[str, Any]:
    """Replaces the references in a schema of another server.

    In a schema that would become too large, fewer references within one another are followed.
    """
    for depth in (MAX_DEPTH, 6, 3, 2, 1):
        with suppress(SchemaTooLargeError):
            return _Inliner(schema, depth, MAX_NODES).inline()
    return _Inliner(schema, 0, None).inline()


class _Inliner:
    """Copies one document without references."""

    def __init__(self, document: Schema, max_depth: int, max_nodes: int | None) -> None:
        self._document = document
        self._max_depth = max_depth
        self._max_nodes = max_nodes
        self._nodes = 0
        self._depth = 0
        self._cuts = 0
        """References that were not followed so far."""

    def inline(self) -> dict[str, Any]:
        resolver = _open_resolver(self._document) if _has_reference(self._document) else None
        inlined = self._copy(self._document, resolver, frozenset({id(self._document)}))
        dialect = self._document.get("$schema")
        return inlined if dialect is None else {"$schema": dialect, **inlined}

    def _copy(self, schema: Schema, resolver: Any, within: frozenset[int]) -> dict[str, Any]:
        """Copies a schema.

        Args:
            resolver: resolves references of the surrounding schema; None if the document has none.
            within: the identities of the schema and of those that contain it.
        """
        self._count()
        resolver = _enter(schema, resolver)
        before = self._cuts
        own: dict[str, Any] = {}
        weak: list[str] = []
        for keyword, value in schema.items():
            if keyword not in _REPLACED:
                cuts = self._cuts
                own[keyword] = self._copy_keyword(keyword, value, resolver, within)
                if self._cuts > cuts:
                    weak.append(keyword)
        _weaken(own, weak)
        for keyword in _REFERENCES:
            if isinstance(schema.get(keyword), str):
                own = _combine(self._referred(schema[keyword], resolver, within), own)
        if self._cuts > before:
            own = {keyword: value for keyword, value in own.items() if keyword not in _UNEVALUATED}
        return own

    def _copy_keyword(self, keyword: str, value: Any, resolver: Any, within: frozenset[int]) -> Any:
        if keyword in _DATA:
            return value
        if keyword == "discriminator" and isinstance(value, Mapping):
            # Its mapping names definitions.
            return {name: part for name, part in value.items() if name != "mapping"}
        if keyword in _NAMED and isinstance(value, Mapping):
            self._count()
            return {name: self._copy_value(part, resolver, within) for name, part in value.items()}
        return self._copy_value(value, resolver, within)

    def _copy_value(self, value: Any, resolver: Any, within: frozenset[int]) -> Any:
        if isinstance(value, Mapping):
            return self._copy(value, resolver, within | {id(value)})
        if isinstance(value, list):
            self._count()
            return [self._copy_value(part, resolver, within) for part in value]
        return value

    def _referred(self, reference: str, resolver: Any, within: frozenset[int]) -> dict[str, Any]:
        """Returns a copy of the schema that a reference leads to."""
        schema, resolver = _look_up(reference, resolver)
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if not isinstance(schema, Mapping):
            self._cuts += 1
            return {}
        if id(schema) in within or self._depth >= self._max_depth:
            self._cuts += 1
            return {keyword: schema[keyword] for keyword in _SHOWN_OF_CUT if keyword in schema}
        self._depth += 1
        copied = self._copy(schema, resolver, within | {id(schema)})
        self._depth -= 1
        return copied

    def _count(self) -> None:
        self._nodes += 1
        if self._max_nodes is not None and self._nodes > self._max_nodes:
            raise SchemaTooLargeError(
                f"the schema has more than {self._max_nodes:,} parts without references"
            )


def _has_reference(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(isinstance(value.get(keyword), str) for keyword in _REFERENCES) or any(
            _has_reference(part) for part in value.values()
        )
    return isinstance(value, list) and any(_has_reference(part) for part in value)


def _open_resolver(document: Schema) -> Any:
    """Returns what resolves the references in a document. It fetches no other documents."""
    # The library takes longer to import than most commands take to read their schemas.
    from referencing import Registry
    from referencing.jsonschema import DRAFT7, DRAFT202012, specification_with

    written = document.get("$schema")
    default = DRAFT7 if "definitions" in document else DRAFT202012
    dialect = specification_with(written if isinstance(written, str) else "", default=default)
    address = document.get("$id")
    base = address if isinstance(address, str) else ""
    return Registry().with_resource(base, dialect.create_resource(document)).resolver(base)


def _enter(schema: Schema, resolver: Any) -> Any:
    """Returns what resolves the references in an embedded schema, which may have an address of its own."""
    if resolver is None or not isinstance(schema.get("$id"), str):
        return resolver
    from referencing.jsonschema import DRAFT202012

    try:
        return resolver.in_subresource(DRAFT202012.create_resource(schema))
    except ValueError:
        return resolver


def _look_up(reference: str, resolver: Any) -> tuple[Any, Any]:
    """Returns the part of the document that a reference leads to, None if there is none, and its resolver."""
    try:
        found = resolver.lookup(reference)
    except Exception:
        # Besides its own errors the library raises others for documents that are no schemas.
        return None, resolver
    return found.contents, found.resolver


def _weaken(own: dict[str, Any], weak: list[str]) -> None:
    """Changes the keywords that would refuse a value because one of their schemas accepts more values."""
    for keyword in weak:
        match keyword:
            case "oneOf":
                alternatives = {"anyOf": own.pop("oneOf")}
                if "anyOf" in own:
                    own["allOf"] = [*_parts(own, "allOf"), alternatives]
                else:
                    own.update(alternatives)
            case "not":
                del own["not"]
            case "if":
                for part in ("if", "then", "else"):
                    own.pop(part, None)
            case "contains":
                own.pop("maxContains", None)


def _combine(referred: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Returns one schema for what a reference leads to and the keywords beside the reference."""
    if not _is_mergeable(referred, own):
        kind = {"type": referred["type"]} if "type" in referred else {}
        return {**kind, **own, "allOf": [referred, *_parts(own, "allOf")]}
    merged = {**referred, **own}
    if "required" in merged:
        names = _parts(referred, "required")
        merged["required"] = [*names, *(name for name in _parts(own, "required") if name not in names)]
    return merged


def _parts(schema: Schema, keyword: str) -> list[Any]:
    parts = schema.get(keyword)
    return parts if isinstance(parts, list) else []


def _is_mergeable(referred: Schema, own: Schema) -> bool:
    """Checks whether one schema with the keywords of both means the same as both schemas."""
    said = own.keys() - _ANNOTATIONS
    shared = {keyword for keyword in said & referred.keys() if own[keyword] != referred[keyword]}
    if shared - {"required"} or (said and referred.keys() & _UNEVALUATED):
        return False
    return not any(said & group and referred.keys() & group for group in _INTERPLAY)
