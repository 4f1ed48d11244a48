"""A connection to a process that this one started, where descriptors cannot be passed on, as on Windows.

The started process connects to a loopback port and proves with a secret, received on its standard input, that
it is the one that was started.
"""

import asyncio
import hmac
import secrets
import socket

from pydantic import BaseModel, Field

_HOST = "127.0.0.1"
_SECRET_BYTES = 32


class LoopbackAddress(BaseModel):
    """What a started process is told."""

    port: int
    secret: str = Field(default_factory=lambda: secrets.token_hex(_SECRET_BYTES))


def listen() -> tuple[socket.socket, LoopbackAddress]:
    """Opens a port for one process. The caller closes it after `accept`."""
    listener = socket.create_server((_HOST, 0))
    listener.setblocking(False)
    return listener, LoopbackAddress(port=listener.getsockname()[1])


async def accept(listener: socket.socket, secret: str) -> socket.socket:
    """Accepts the connection that begins with the secret, and closes all others."""
    loop = asyncio.get_running_loop()
    while True:
        connection, _ = await loop.sock_accept(listener)
        try:
            connection.setblocking(False)
            received = b""
            while len(received) < len(secret):
                data = await loop.sock_recv(connection, len(secret) - len(received))
                if not data:
                    break
                received += data
        except BaseException:
            # Nothing else knows the connection yet, also if the caller was cancelled.
            connection.close()
            raise
        if hmac.compare_digest(received, secret.encode()):
            return connection
        connection.close()


def connect(address: LoopbackAddress) -> socket.socket:
    """Connects to the process that started this one."""
    connection = socket.create_connection((_HOST, address.port))
    connection.sendall(address.secret.encode())
    return connection
