"""Requests from one process of a server to another: HTTP over a pair of sockets, one of which is passed."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import closing

from codegym_mcp.errors import ConnectionFailedError

_SECONDS = 10.0


async def request_worker(send: Callable[[int, bytes], object], path: str, token: str) -> tuple[int, bytes]:
    """Sends a GET request and returns the status and the body of the response.

    Args:
        send: passes a descriptor and the request on it to the process that is to answer.
        path: the path with the query.
        token: the control plane's token.

    Raises:
        ConnectionFailedError: the process ended, or did not answer in time.
    """
    request = (
        f"GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
        "connection: close\r\n\r\n"
    )
    ours, theirs = socket.socketpair()
    send(theirs.detach(), request.encode())
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_unix_connection(sock=ours)
            with closing(writer):
                response = await reader.read()
    except (OSError, TimeoutError):
        response = b""
    head, _, body = response.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    if not status:
        raise ConnectionFailedError("A worker of the server does not answer.", hint="Try again.")
    return int(status[0]), body
