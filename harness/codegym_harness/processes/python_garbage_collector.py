"""Settings of Python's garbage collector for a process with many episodes."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (20_000, 20, 20)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Runs garbage collections less often, and without the objects that exist now, until the block is left.

    A run loads some hundred thousand permanent objects and creates many short-lived ones. With Python's own
    thresholds, a fifth of its processor time is spent on searching the permanent ones.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
