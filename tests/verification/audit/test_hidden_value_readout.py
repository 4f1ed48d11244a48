"""The cost of reading every hidden value, as a multiple of the oracle's calls."""

from codegym_mcp.verification.audit.hidden_value_bisection import ObservedCall
from codegym_mcp.verification.audit.hidden_value_readout import ObservedCalls, read_out_ratio

HIDDEN = [[31, 47, 59, 67]]


def calls_of(name: str, results: list[object]) -> list[ObservedCall]:
    """Returns calls with a position as their argument."""
    return [ObservedCall(name, {"position": place}, result) for place, result in enumerate(results)]


def test_a_scan_costs_as_much_as_reading_everything() -> None:
    assert read_out_ratio([ObservedCalls(HIDDEN, calls_of("read", HIDDEN[0]))]) == 1.0


def test_a_search_that_reads_few_values_costs_less_than_reading_everything() -> None:
    ratio = read_out_ratio([ObservedCalls([[31, 47, 59, 67, 71, 73]], calls_of("read", [31, 47, 59]))])
    assert ratio == 2.0


def test_tools_that_only_compare_hidden_values_reveal_nothing() -> None:
    assert read_out_ratio([ObservedCalls(HIDDEN, calls_of("is_above", [True] * 9))]) is None


def test_a_tool_that_computes_reveals_nothing() -> None:
    assert read_out_ratio([ObservedCalls(HIDDEN, calls_of("read", [31, 178, 59, 67]))]) is None


def test_a_tool_that_adds_an_argument_reveals_the_hidden_number() -> None:
    calls = [
        ObservedCall("added", {"position": k, "total": 100 * k}, x + 100 * k) for k, x in enumerate(HIDDEN[0])
    ]
    assert read_out_ratio([ObservedCalls(HIDDEN, calls)]) == 1.0


def test_a_tool_that_appends_to_an_argument_reveals_the_hidden_text() -> None:
    calls = [ObservedCall("joined", {"so_far": "x" * k}, "x" * k + each) for k, each in enumerate("spring")]
    assert read_out_ratio([ObservedCalls(["spring"], calls)]) == 1.0


def test_a_tool_without_arguments_needs_a_change_before_each_value() -> None:
    calls = [ObservedCall("current", {}, value) for value in HIDDEN[0]]
    assert read_out_ratio([ObservedCalls(HIDDEN, calls)]) == 2.0


def test_a_count_that_is_also_a_hidden_value_does_not_read_the_others() -> None:
    observed = [
        ObservedCalls([[20 + n] * n, n], [ObservedCall("count", {}, n), *calls_of("is_above", [True] * n)])
        for n in (5, 6, 7)
    ]
    assert read_out_ratio(observed) is None


def test_numbers_that_are_read_one_by_one_are_read_out() -> None:
    observed = [
        ObservedCalls([n, n + 1], [ObservedCall("first", {}, n), ObservedCall("second", {}, n + 1)])
        for n in (31, 47, 59)
    ]
    assert read_out_ratio(observed) == 2.0


def test_a_search_counts_with_its_calls() -> None:
    observed = [ObservedCalls(HIDDEN, calls_of("is_above", [True] * 7))]
    assert read_out_ratio(observed, {"is_above": 7}) == 4.0
