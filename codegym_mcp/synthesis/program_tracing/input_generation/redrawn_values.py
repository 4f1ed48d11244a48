"""Values of the same structure whose numbers and texts change places, or are those of another value."""

from collections import defaultdict
from random import Random
from typing import Any


def shuffle_leaves(value: Any, random: Random) -> Any:
    """Returns a value of the same structure whose numbers and texts have changed places."""
    pools: dict[type, list[Any]] = defaultdict(list)
    _collect(value, pools)
    for pool in pools.values():
        random.shuffle(pool)
    return _deal(value, pools, random)


def redraw_leaves(value: Any, other: Any, random: Random) -> Any:
    """Returns a list or tuple of the same structure with numbers of another one; sorted parts stay sorted."""
    pools: dict[type, list[Any]] = defaultdict(list)
    _collect(other, pools)

    def redraw(part: Any) -> Any:
        if isinstance(part, list | tuple):
            made = [redraw(item) for item in part]
            plain = all(type(item) is type(part[0]) and isinstance(item, int | float) for item in part)
            if len(part) > 1 and plain and list(part) in (sorted(part), sorted(part, reverse=True)):
                made.sort(reverse=part[0] > part[-1])
            return type(part)(made)
        pool = pools.get(type(part))
        return random.choice(pool) if isinstance(part, int | float) and pool else part

    return redraw(value) if isinstance(value, list | tuple) else value


def _collect(value: Any, pools: dict[type, list[Any]]) -> None:
    if isinstance(value, list | tuple):
        for item in value:
            _collect(item, pools)
    elif isinstance(value, dict):
        for item in value.values():
            _collect(item, pools)
    elif not isinstance(value, set | frozenset):
        pools[type(value)].append(value)


def _deal(value: Any, pools: dict[type, list[Any]], random: Random) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_deal(item, pools, random) for item in value)
    if isinstance(value, dict):
        return {key: _deal(item, pools, random) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return value
    dealt = pools[type(value)].pop()
    if isinstance(dealt, str) and len(dealt) > 1 and " " not in dealt:
        return "".join(random.sample(dealt, len(dealt)))
    if isinstance(dealt, str) and " " in dealt:
        words = dealt.split(" ")
        random.shuffle(words)
        return " ".join(words)
    return dealt
