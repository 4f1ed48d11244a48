"""Settings of Python's garbage collector for processes with many episodes."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_FULL_COLLECTION = 1000
"""Collections of the middle generation before a full one."""
_RUN_THRESHOLDS = (20_000, 20, 20)


def pause_garbage_collection() -> None:
    """Stops collections of garbage until `freeze_garbage_collection` is called.

    A process that starts loads some hundred thousand permanent objects, and nearly no garbage. Searching them
    takes a tenth of its start.
    """
    gc.disable()


def freeze_garbage_collection() -> None:
    """Excludes everything loaded so far from later collections of garbage, and makes full ones rare.

    A full collection stops every call for a time that grows with the episodes in memory. Few objects need it:
    most are freed when the last reference to them goes, or by the collections of young objects.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _FULL_COLLECTION)
    gc.enable()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Runs garbage collections less often, and without the objects that exist now, until the block is left.

    A run loads some hundred thousand permanent objects and creates many short-lived ones. With Python's own
    thresholds, a fifth of its processor time is spent on searching the permanent ones.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_RUN_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
