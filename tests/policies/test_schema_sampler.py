from random import Random
from typing import Any, Literal, NotRequired

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from codegym_mcp.environment_definition.tools import Parameter, Tool
from codegym_mcp.json_schema import inline_references
from codegym_mcp.policies.schema_sampler import SchemaSampler
from codegym_mcp.policies.tool_schemas import is_valid


class Place(TypedDict):
    x: int
    name: NotRequired[str]


class Tree(TypedDict):
    value: int
    children: "list[Tree]"


ANNOTATIONS = st.recursive(
    st.sampled_from([int, float, str, bool, type(None), Place, Literal["a", "b"], Literal[1, 2]]),
    lambda inner: st.one_of(
        inner.map(lambda kind: list[kind]),
        inner.map(lambda kind: dict[str, kind]),
        inner.map(lambda kind: kind | None if kind is not type(None) else kind),
        st.tuples(inner, inner).map(lambda kinds: tuple[kinds]),
    ),
    max_leaves=4,
)


@given(st.lists(ANNOTATIONS, max_size=3), st.integers())
def test_arguments_drawn_from_a_tools_schema_are_valid(annotations, seed: int) -> None:
    parameters = tuple(Parameter(f"p{place}", kind) for place, kind in enumerate(annotations))
    tool = Tool("act", "Act", "Act.", parameters, int)
    drawer = SchemaSampler(Random(seed))
    drawer.see([1, -5, 2.5, "seen", None, True])
    for _ in range(5):
        tool.validate_arguments(drawer.draw(tool.input_schema))


@given(st.integers(), st.integers(-1000, 1000), st.integers(0, 50), st.lists(st.integers(), max_size=3))
def test_drawn_numbers_respect_bounds(seed: int, low: int, width: int, seen: list[int]) -> None:
    drawer = SchemaSampler(Random(seed))
    drawer.see(seen)
    for kind in ("integer", "number"):
        schema = {"type": kind, "minimum": low, "maximum": low + width}
        assert is_valid(schema, drawer.draw(schema))
        for open_side in (
            {"minimum": low},
            {"maximum": low},
            {"exclusiveMinimum": low},
            {"exclusiveMaximum": low},
        ):
            assert is_valid({"type": kind, **open_side}, drawer.draw({"type": kind, **open_side}))


@given(st.integers(), st.integers(0, 4), st.integers(0, 4))
def test_drawn_lists_respect_lengths(seed: int, least: int, more: int) -> None:
    drawer = SchemaSampler(Random(seed))
    text: dict[str, Any] = {"type": "string", "minLength": least, "maxLength": least + more}
    assert is_valid(text, drawer.draw(text))
    items: dict[str, Any] = {"type": "array", "items": text, "minItems": least, "maxItems": least + more}
    assert is_valid(items, drawer.draw(items))


@given(st.integers())
def test_the_inlined_schema_of_a_recursive_type_is_drawn_from(seed: int) -> None:
    schema = inline_references(TypeAdapter(Tree).json_schema())
    assert is_valid(schema, SchemaSampler(Random(seed)).draw(schema))


def test_values_that_were_seen_are_drawn() -> None:
    drawer = SchemaSampler(Random(0))
    drawer.see(["crate 7"])
    assert "crate 7" in {drawer.draw({"type": "string"}) for _ in range(20)}


def test_the_same_seed_draws_the_same() -> None:
    schema = TypeAdapter(dict[str, list[int | str]]).json_schema()
    drawn = [[SchemaSampler(Random(seed)).draw(schema) for _ in range(3)] for seed in (1, 1)]
    assert drawn[0] == drawn[1]
