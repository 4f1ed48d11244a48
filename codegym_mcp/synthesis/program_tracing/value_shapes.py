"""The shape of values: which types occur at which place, learnt from examples.

A shape decides the annotation of a parameter and how its JSON form becomes the Python value that the original
code expects.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError


class Kind(StrEnum):
    """A Python type that a value of a problem can have."""

    NONE = "None"
    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STR = "str"
    LIST = "list"
    TUPLE = "tuple"
    SET = "set"
    FROZENSET = "frozenset"
    DICT = "dict"


SCALARS = frozenset({Kind.NONE, Kind.BOOL, Kind.INT, Kind.FLOAT})
_SEQUENCES = (Kind.LIST, Kind.TUPLE, Kind.SET, Kind.FROZENSET)
_TYPES = {
    type(None): Kind.NONE,
    bool: Kind.BOOL,
    int: Kind.INT,
    float: Kind.FLOAT,
    str: Kind.STR,
    list: Kind.LIST,
    tuple: Kind.TUPLE,
    set: Kind.SET,
    frozenset: Kind.FROZENSET,
    dict: Kind.DICT,
}


@dataclass(frozen=True)
class Shape:
    """What was observed at one place of the values.

    Attributes:
        kinds: the types that occurred.
        items: shape of the members of lists, tuples and sets, and of the values of dicts.
        keys: shape of the keys of dicts.
        fields: shapes of the members of tuples that always have the same length.
        longest: greatest length that occurred, of texts and containers.
    """

    kinds: frozenset[Kind]
    items: "Shape | None" = None
    keys: "Shape | None" = None
    fields: "tuple[Shape, ...] | None" = None
    longest: int = 0

    @property
    def is_scalar(self) -> bool:
        """Whether all values are numbers, bools, None, or texts of at most one character."""
        short = SCALARS | {Kind.STR} if self.longest <= 1 else SCALARS
        return bool(self.kinds) and self.kinds <= short

    @property
    def is_plain(self) -> bool:
        """Whether all values are numbers, bools, None or texts."""
        return bool(self.kinds) and self.kinds <= SCALARS | {Kind.STR}

    @property
    def is_indexed(self) -> bool:
        """Whether all values are lists, tuples or texts."""
        return bool(self.kinds) and self.kinds <= {Kind.LIST, Kind.TUPLE, Kind.STR}

    def only(self, kind: Kind) -> bool:
        """Returns whether all values have this type."""
        return self.kinds == {kind}

    def member(self, index: int | None = None) -> "Shape | None":
        """Returns the shape of a member; of the member with this index in tuples of one length."""
        if self.fields is not None and index is not None and -len(self.fields) <= index < len(self.fields):
            return self.fields[index]
        if self.only(Kind.STR):
            return Shape(frozenset({Kind.STR}), longest=1)
        return self.items


def kind_of(value: Any) -> Kind:
    """Returns the type of a value.

    Raises:
        RefusedProblemError: no environment can hold a value of this type.
    """
    kind = _TYPES.get(type(value))
    if kind is None:
        raise RefusedProblemError(f"A value has the type {type(value).__name__}, which is not JSON data.")
    return kind


def shape_of(values: Iterable[Any]) -> Shape:
    """Learns the shape of values.

    Raises:
        RefusedProblemError: a value is not JSON data.
    """
    values = list(values)
    kinds = frozenset(map(kind_of, values))
    sequences = [value for value in values if kind_of(value) in _SEQUENCES]
    dicts = [value for value in values if isinstance(value, dict)]
    members = [item for value in sequences for item in value]
    members += [item for value in dicts for item in value.values()]
    lengths = {len(value) for value in sequences}
    fixed = kinds == {Kind.TUPLE} and len(lengths) == 1 and 0 < max(lengths) <= 6
    return Shape(
        kinds,
        items=shape_of(members) if members else None,
        keys=shape_of(key for value in dicts for key in value) if any(dicts) else None,
        fields=_fields(sequences) if fixed else None,
        longest=max((len(value) for value in values if hasattr(value, "__len__")), default=0),
    )


def _fields(tuples: Sequence[Sequence[Any]]) -> tuple[Shape, ...]:
    return tuple(shape_of(value[place] for value in tuples) for place in range(len(tuples[0])))


def annotation(shape: Shape) -> str:
    """Returns the annotation of the JSON form of values.

    Raises:
        RefusedProblemError: the values have no common JSON form.
    """
    found = sorted({_annotation_of(kind, shape) for kind in shape.kinds})
    if "float" in found and "int" in found:
        found.remove("int")
    if "None" in found:
        found.remove("None")
        found.append("None")
    return " | ".join(found) or "None"


def _annotation_of(kind: Kind, shape: Shape) -> str:
    if kind in SCALARS or kind is Kind.STR:
        return kind.value
    if kind is Kind.TUPLE and shape.fields is not None:
        return f"tuple[{', '.join(map(annotation, shape.fields))}]"
    items = annotation(shape.items) if shape.items is not None else "int"
    if kind is Kind.DICT:
        if shape.keys is None or shape.keys.only(Kind.STR):
            return f"dict[str, {items}]"
        return f"list[tuple[{annotation(shape.keys)}, {items}]]"
    return f"list[{items}]"


def python_expression(shape: Shape, name: str) -> str:
    """Returns the expression that converts the JSON form of a value to the value.

    Args:
        name: the expression of the JSON form.

    Raises:
        RefusedProblemError: the JSON form does not tell the type.
    """
    if not needs_conversion(shape):
        return name
    kinds = shape.kinds - SCALARS - {Kind.STR}
    if len(kinds) != 1 or (shape.kinds - kinds):
        raise RefusedProblemError("A parameter mixes values whose types JSON does not distinguish.")
    (kind,) = kinds
    if kind is Kind.TUPLE and shape.fields is not None and any(map(needs_conversion, shape.fields)):
        parts = [python_expression(each, f"{name}[{place}]") for place, each in enumerate(shape.fields)]
        return f"({', '.join(parts)},)"
    item = "item" if name != "item" else "part"
    if kind is Kind.DICT:
        if shape.keys is None or shape.keys.only(Kind.STR):
            inner = python_expression(shape.items, item) if shape.items is not None else item
            return f"{{key: {inner} for key, {item} in {name}.items()}}"
        key = python_expression(shape.keys, "key")
        inner = python_expression(shape.items, item) if shape.items is not None else item
        if (key, inner) == ("key", item):
            return f"dict({name})"
        return f"{{{key}: {inner} for key, {item} in {name}}}"
    inner = python_expression(shape.items, item) if shape.items is not None else item
    if inner == item:
        return f"{kind.value}({name})"
    if kind is Kind.LIST:
        return f"[{inner} for {item} in {name}]"
    return f"{kind.value}({inner} for {item} in {name})"


def needs_conversion(shape: Shape) -> bool:
    """Returns whether a value of this shape differs from its JSON form."""
    if shape.kinds & {Kind.TUPLE, Kind.SET, Kind.FROZENSET}:
        return True
    if Kind.DICT in shape.kinds and shape.keys is not None and not shape.keys.only(Kind.STR):
        return True
    return shape.items is not None and needs_conversion(shape.items)


def json_form(value: Any) -> Any:
    """Returns the JSON form of a value: tuples, sets, and dicts with other keys than texts become lists."""
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: json_form(item) for key, item in value.items()}
        return [[json_form(key), json_form(item)] for key, item in value.items()]
    if isinstance(value, set | frozenset):
        return sorted((json_form(item) for item in value), key=repr)
    if isinstance(value, list | tuple):
        return [json_form(item) for item in value]
    return value
