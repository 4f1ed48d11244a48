"""Waiting for what another process, or another task, does."""

from collections.abc import Callable

import anyio

_POLL_SECONDS = 0.005
"""Between two looks. Looking all the time would take the processor from the process that is waited for."""


async def until(holds: Callable[[], object], *, seconds: float = 60) -> None:
    """Lets the event loop go on until something holds; a test that waits in vain fails."""
    with anyio.fail_after(seconds):
        while not holds():  # noqa: ASYNC110 - nobody tells of it
            await anyio.sleep(_POLL_SECONDS)
