"""Generated arguments: like those of the tests, and never an error."""

from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.synthesis.tracing.input_scaling import InputScaler

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-50, 50) | st.text("abc ", max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=8,
)
COUNT = 12


def test_an_argument_may_be_a_list_in_one_test_and_a_number_in_another() -> None:
    calls = InputScaler([([[3, 3], 6],), (7,)], "mobile").generate(COUNT)
    assert {type(argument) for (argument,) in calls} == {list, int}


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4))
def test_any_examples_give_calls_with_as_many_arguments(examples: list[tuple[object, object]]) -> None:
    assert all(len(call) == 2 for call in InputScaler(examples, "any").generate(COUNT))
