"""Which functions and methods of the language change nothing, and which change their object."""

PURE_BUILTINS = frozenset(
    "abs all any ascii bin bool chr dict divmod enumerate filter float format frozenset hex int isinstance "
    "len list map max min oct ord pow range repr reversed round set sorted str sum tuple zip".split()
)
MUTATING_METHODS = frozenset(
    "add append appendleft clear difference_update discard extend extendleft insert intersection_update "
    "move_to_end pop popitem popleft remove reverse rotate setdefault sort subtract "
    "symmetric_difference_update update".split()
)
MUTATING_FUNCTIONS = frozenset(
    "heapify heappop heappush heappushpop heapreplace insort insort_left insort_right shuffle".split()
)
SIDE_EFFECT_FREE_RESULTS = frozenset({"iter", "next"})
"""Builtins whose results depend on a hidden state of their argument; they are not expressible."""
