"""An HTTP client that sends a request again if the server is lost before it responds, or asks for that.

It is used only for servers of this project, which recognize a repeated request: a tool call and an opening by
their idempotency keys. All other requests can be repeated.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
import httpx2

from codegym_mcp.loopback_addresses import is_url_of_this_machine

T = TypeVar("T")
LEAST_PATIENCE = 1.0
"""Seconds for retries with a server of this project that should be running: it may close an idle connection
just when a request is sent on it."""
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
_LOST = (httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.ConnectTimeout)


async def retry_lost_connection(
    action: Callable[[], Awaitable[T]], lost: Callable[[Exception], bool], seconds: float
) -> T:
    """Performs an action, and again with growing pauses while it fails because the server is lost.

    Args:
        lost: returns whether an error means that the server is lost.
        seconds: the time for retries in seconds; 0 for a single attempt.

    Raises:
        Exception: the last error of the action.
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


class _UnavailableError(Exception):
    """A response that asks for another attempt: 503 with the header Retry-After."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__()
        self.response = response


class RetryingClient(httpx2.AsyncClient):
    """An HTTP client that sends a request again if the connection is lost or the server is unavailable.

    It never uses a proxy for a loopback address.

    Args:
        url: the server that the client connects to.
        patience: the time for retries in seconds; 0 for a single attempt.
        socket_path: the Unix socket to connect to, in place of the host and port of each URL.
        options: options of `httpx2.AsyncClient`.
    """

    def __init__(
        self, *, url: str = "", patience: float = 0.0, socket_path: Path | None = None, **options: Any
    ) -> None:
        if socket_path is not None:
            options["transport"] = httpx2.AsyncHTTPTransport(uds=str(socket_path))
        if socket_path is not None or is_url_of_this_machine(url):
            options["trust_env"] = False
        super().__init__(**options)
        self._patience = patience

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        """Sends a request. The body of a JSON response has been read when this returns."""

        async def send_once() -> httpx2.Response:
            response = await super(RetryingClient, self).send(request, stream=stream, **options)
            if response.headers.get("content-type", "").startswith("application/json"):
                await response.aread()
            if response.status_code == httpx2.codes.SERVICE_UNAVAILABLE and "retry-after" in response.headers:
                raise _UnavailableError(response)
            return response

        try:
            return await retry_lost_connection(
                send_once, lambda error: isinstance(error, (*_LOST, _UnavailableError)), self._patience
            )
        except _UnavailableError as error:
            return error.response
