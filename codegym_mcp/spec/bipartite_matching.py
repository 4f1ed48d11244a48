"""Whether the members of two lists of the same length pair off one to one."""

from collections import deque
from collections.abc import Callable

Fits = Callable[[int, int], bool]


def has_perfect_matching(count: int, fits: Fits) -> bool:
    """Whether every member of one list gets a partner of its own on the other.

    What fits need not be transitive, so the first partner that fits may be the only one that another has:
    whoever comes later makes those before it change their partners (augmenting paths in a bipartite graph).

    Args:
        count: the length of both lists.
        fits: whether a member of the first list, by its index, fits one of the second.
    """
    partners: dict[int, int] = {}
    owners: dict[int, int] = {}
    return all(_pair_one(member, count, fits, partners, owners) for member in range(count))


def _pair_one(
    start: int, count: int, fits: Fits, partners: dict[int, int], owners: dict[int, int], /
) -> bool:
    reached_from: dict[int, int] = {}
    waiting = deque([start])
    while waiting:
        member = waiting.popleft()
        for other in range(count):
            if other in reached_from or not fits(member, other):
                continue
            reached_from[other] = member
            if other in owners:
                waiting.append(owners[other])
                continue
            _change_partners(other, reached_from, partners, owners)
            return True
    return False


def _change_partners(
    free: int, reached_from: dict[int, int], partners: dict[int, int], owners: dict[int, int]
) -> None:
    """Along the path that led to a free one, each takes the next and leaves its own to the one before."""
    given: int | None = free
    while given is not None:
        member = reached_from[given]
        owners[given] = member
        partners[member], given = given, partners.get(member)
