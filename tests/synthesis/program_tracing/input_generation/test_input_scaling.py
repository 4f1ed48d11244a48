"""Generated arguments: like those of the tests, and never an error."""

from hypothesis import example, given
from hypothesis import strategies as st

from codegym_mcp.synthesis.program_tracing.input_generation.input_scaling import InputScaler

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
@example([([(None, 0)], ([], [0]))])
def test_any_examples_give_calls_with_as_many_arguments(examples: list[tuple[object, object]]) -> None:
    assert all(len(call) == 2 for call in InputScaler(examples, "any").generate(COUNT))


def test_the_neighbours_in_a_graph_are_nodes_of_it() -> None:
    examples = [({"A": ["B", "C"], "B": ["C"], "C": []}, "A"), ({"X": ["Y"], "Y": ["X"]}, "Y")]
    for graph, start in InputScaler(examples, "graph").generate(40):
        assert start in graph
        assert all(node in graph for neighbours in graph.values() for node in neighbours)
    assert len(InputScaler(examples, "graph").generate(40)) > 20


def test_the_neighbours_in_a_weighted_graph_are_nodes_of_it() -> None:
    examples = [({"a": {"b": 3}, "b": {"a": 2, "c": 9}, "c": {}},)]
    for (graph,) in InputScaler(examples, "graph").generate(20):
        assert all(node in graph for neighbours in graph.values() for node in neighbours)


def test_small_calls_come_first() -> None:
    sizes = [len(repr(call)) for call in InputScaler([([3, 1, 2],)], "sizes").generate(40)]
    assert sizes == sorted(sizes)


def test_some_lists_repeat_a_value_late_and_some_never() -> None:
    examples = [([4, 90, 17, 4],), ([31, 5, 66],)]
    lists = [values for (values,) in InputScaler(examples, "late").generate(120)]
    assert any(len(set(values)) == len(values) > 8 for values in lists)
    assert any(
        len(set(values[:-2])) == len(values[:-2]) > 8 and len(set(values)) < len(values) for values in lists
    )


def test_digits_stay_digits_if_the_statement_speaks_of_them() -> None:
    examples = [([1, 2, 3],), ([9, 4, 6, 1],)]
    statement = "Find the largest number that can be formed with the given digits."
    for (values,) in InputScaler(examples, "digits", statement).generate(60):
        assert all(0 <= value <= 9 for value in values)


def test_records_keep_their_fields_although_there_are_as_many_records_as_fields() -> None:
    examples = [
        ([(1, "Ann", 21), (2, "Bo", 20), (3, "Cy", 19)],),
        ([(4, "Di", 36), (5, "Ed", 25), (6, "Flo", 3)],),
    ]
    for (records,) in InputScaler(examples, "records").generate(40):
        assert all([type(field) for field in record] == [int, str, int] for record in records)


def test_a_single_character_stays_one() -> None:
    examples = [("abab", "a"), ("xyz", "z"), ("aab", "b")]
    assert all(len(letter) == 1 for _, letter in InputScaler(examples, "letter").generate(60))


def test_a_length_is_right_although_another_number_is_never_less() -> None:
    examples = [([2, 3, 6, 7, 9], 5, 5), ([3, 4, 7, 8, 10], 5, 6), ([1, 2, 5], 3, 7)]
    for values, length, place in InputScaler(examples, "length").generate(60):
        assert length == len(values)
        assert length <= place
