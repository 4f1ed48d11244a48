"""The time that an agent has, which stands still while it is made to wait."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import anyio


class Deadline:
    """The time that an agent has left. Without a scope it has all the time there is."""

    def __init__(self, scope: anyio.CancelScope | None = None) -> None:
        self._scope = scope or anyio.CancelScope()
        self._left = math.inf

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Time stands still until the block is left."""
        self._left = self._scope.deadline - anyio.current_time()
        self._scope.deadline = math.inf
        try:
            yield
        finally:
            self._scope.deadline = anyio.current_time() + self._left

    @contextmanager
    def running(self) -> Iterator[None]:
        """Within `stopped`, time runs until the block is left; if the block fails, it is given back."""
        start = anyio.current_time()
        self._scope.deadline = start + self._left
        try:
            yield
            self._left -= anyio.current_time() - start
        finally:
            if not self._scope.cancel_called:
                self._scope.deadline = math.inf
