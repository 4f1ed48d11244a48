from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.answer_scoring.bipartite_matching import has_perfect_matching

tables = st.integers(0, 6).flatmap(
    lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=n, max_size=n)
)


@given(tables)
def test_a_perfect_matching_is_found_exactly_if_one_exists(table: list[list[bool]]) -> None:
    count = len(table)
    possible = any(all(table[a][b] for a, b in enumerate(order)) for order in permutations(range(count)))
    assert has_perfect_matching(count, lambda a, b: table[a][b]) is possible


def test_a_long_augmenting_path_is_found() -> None:
    # Each fits its own place and the one before; only the last but one place is wanted by the newcomer.
    count = 300
    assert has_perfect_matching(count, lambda a, b: b in (a, a - 1) if a < count - 1 else b == 0) is False
    assert has_perfect_matching(count, lambda a, b: b in (a, a + 1) if a < count - 1 else b == 0)
