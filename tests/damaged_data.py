"""JSON data of which some members have values that nobody expects there."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

DAMAGE = st.sampled_from(
    [
        None,
        "",
        0,
        -1,
        1.5,
        True,
        [],
        {},
        [None],
        [[]],
        {"a": None},
        "x",
        [1, "a"],
        10**400,
        "\ud800",
        {"\ud800": 1},
        float("nan"),
        float("inf"),
        {"n": float("nan")},
        {"$ref": "#"},
        [{"$ref": 3}],
        [{"type": "text", "text": None}],
        [{"type": "text"}],
    ]
)


def damaged(data: Any) -> st.SearchStrategy[Any]:
    """Returns copies of data in which up to three members have another value."""

    def damage(changes: list[tuple[tuple[Any, ...], Any]]) -> Any:
        copy = json.loads(json.dumps(data))
        for path, value in changes:
            place = copy
            try:
                for key in path[:-1]:
                    place = place[key]
                place[path[-1]] = deepcopy(value)
            except (TypeError, KeyError, IndexError):
                continue
        # The keys of JSON are texts.
        return json.loads(json.dumps(copy))

    change = st.tuples(st.sampled_from(list(_paths(data))), DAMAGE)
    return st.lists(change, min_size=1, max_size=3).map(damage)


def _paths(data: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in parts:
        yield (*above, key)
        yield from _paths(value, (*above, key))
