"""Pairs the members of two lists one to one, as many as possible."""

from collections import deque
from collections.abc import Callable

Fits = Callable[[int, int], bool]


def has_perfect_matching(count: int, fits: Fits) -> bool:
    """Checks whether the members of two lists can be paired one to one.

    The relation need not be transitive, so the first partner that fits may be the only one that fits another
    member. Earlier pairs are therefore changed along augmenting paths.

    Args:
        count: the length of both lists.
        fits: whether a member of the first list fits a member of the second, both by their index.
    """
    partners: dict[int, int] = {}
    owners: dict[int, int] = {}
    return all(_pair_one(member, count, fits, partners, owners) for member in range(count))


def count_pairs(left: int, right: int, fits: Fits) -> int:
    """Returns how many members of two lists can be paired one to one at most.

    Args:
        left: the length of the first list.
        right: the length of the second list.
        fits: whether a member of the first list fits a member of the second, both by their index.
    """
    partners: dict[int, int] = {}
    owners: dict[int, int] = {}
    return sum(_pair_one(member, right, fits, partners, owners) for member in range(left))


def _pair_one(
    start: int, count: int, fits: Fits, partners: dict[int, int], owners: dict[int, int], /
) -> bool:
    reached_from: dict[int, int] = {}
    pending = deque([start])
    while pending:
        member = pending.popleft()
        for other in range(count):
            if other in reached_from or not fits(member, other):
                continue
            reached_from[other] = member
            if other in owners:
                pending.append(owners[other])
                continue
            _change_partners(other, reached_from, partners, owners)
            return True
    return False


def _change_partners(
    free: int, reached_from: dict[int, int], partners: dict[int, int], owners: dict[int, int]
) -> None:
    """Moves each member on the path to the next partner, so that the start of the path gets one."""
    partner: int | None = free
    while partner is not None:
        member = reached_from[partner]
        owners[partner] = member
        partners[member], partner = partner, partners.get(member)
