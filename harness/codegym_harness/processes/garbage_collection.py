"""How often Python looks for garbage while many episodes are under way."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (20_000, 20, 20)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Looks for cyclic garbage more rarely until the block is left, and not in what is loaded by now.

    A run loads some hundred thousand objects that stay, and makes many that soon go: with Python's own
    thresholds a fifth of its processor time is spent on looking through them.
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
