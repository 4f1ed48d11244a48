"""Keeps collections of garbage from stopping the calls of a server."""

import gc

_FULL_COLLECTION = 1000
"""Collections of the middle generation before a full one."""


def freeze_garbage_collection() -> None:
    """Excludes everything loaded so far from later collections of garbage, and makes full ones rare.

    A full collection stops every call for a time that grows with the episodes in memory. Few objects need it:
    most are freed when the last reference to them goes, or by the collections of young objects.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _FULL_COLLECTION)
