"""Requests to a server that may be lost and started again at any moment: they are sent until it answers.

Only for servers of ours, which know a request that they have answered: by the key of a tool call, or of an
opening. Everything else that is asked of them can be asked twice.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
import httpx2

T = TypeVar("T")
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
_LOST = (httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.ConnectTimeout)


async def retry_lost_connection(
    action: Callable[[], Awaitable[T]], lost: Callable[[Exception], bool], seconds: float
) -> T:
    """Performs an action again, with growing pauses, while it fails because the server is lost.

    Args:
        lost: whether an error says so.
        seconds: how long it is tried; with 0, once.

    Raises:
        Exception: what the action raised last.
    """
    until = anyio.current_time() + seconds
    pause = _FIRST_PAUSE
    while True:
        try:
            return await action()
        except Exception as error:
            if not lost(error) or anyio.current_time() + pause > until:
                raise
        await anyio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


class RetryingClient(httpx2.AsyncClient):
    """An HTTP client that sends its requests until they are answered.

    Args:
        patience: how many seconds a server that is lost is awaited; with 0, not at all.
        socket_path: the Unix socket to connect to, in place of the host and port of each URL.
        options: as of `httpx2.AsyncClient`.
    """

    def __init__(self, *, patience: float = 0.0, socket_path: Path | None = None, **options: Any) -> None:
        if socket_path is not None:
            options |= {"transport": httpx2.AsyncHTTPTransport(uds=str(socket_path)), "trust_env": False}
        super().__init__(**options)
        self._patience = patience

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        """Sends a request; of an answer in JSON, the body has arrived."""

        async def once() -> httpx2.Response:
            response = await super(RetryingClient, self).send(request, stream=stream, **options)
            if response.headers.get("content-type", "").startswith("application/json"):
                await response.aread()
            return response

        return await retry_lost_connection(once, lambda error: isinstance(error, _LOST), self._patience)
