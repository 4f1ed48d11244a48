"""The cost of reading every hidden value, as a multiple of the oracle's calls."""

from codegym_mcp.verification.audit.hidden_value_reading import ObservedCalls, read_out_ratio

HIDDEN = [[31, 47, 59, 67]]


def test_a_scan_costs_as_much_as_reading_everything() -> None:
    calls = [("read", True, value) for value in HIDDEN[0]]
    assert read_out_ratio([ObservedCalls(HIDDEN, calls)]) == 1.0


def test_a_search_that_reads_few_values_costs_less_than_reading_everything() -> None:
    calls = [("read", True, 31), ("read", True, 47), ("read", True, 59)]
    ratio = read_out_ratio([ObservedCalls([[31, 47, 59, 67, 71, 73]], calls)])
    assert ratio == 2.0


def test_tools_that_only_compare_reveal_nothing() -> None:
    calls = [("is_above", True, True)] * 9
    assert read_out_ratio([ObservedCalls(HIDDEN, calls)]) is None


def test_a_tool_that_computes_reveals_nothing() -> None:
    calls = [("read", True, 31), ("read", True, 78), ("read", True, 59), ("read", True, 67)]
    assert read_out_ratio([ObservedCalls(HIDDEN, calls)]) is None


def test_a_tool_without_arguments_needs_a_change_before_each_value() -> None:
    calls = [("current", False, value) for value in HIDDEN[0]]
    assert read_out_ratio([ObservedCalls(HIDDEN, calls)]) == 2.0
