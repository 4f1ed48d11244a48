"""The sockets that the HTTP server listens on: TCP and Unix."""

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from codegym_mcp.errors import CodegymError

BACKLOG = 4096
"""Connections that the kernel keeps until the server accepts them."""

_RECEIVE_BUFFER = 32 * 1024
"""Bytes of requests that the kernel holds for a connection; Linux doubles it."""
_SEND_BUFFER = 128 * 1024
_UNIX_PREFIX = "unix:"
_PATH_BYTES = 107
"""The longest path of a Unix socket on Linux, in bytes."""
_HINTS = {
    errno.EADDRINUSE: "Choose another port; port 0 picks a free one.",
    errno.EACCES: "Choose a port above 1023; port 0 picks a free one.",
}


@dataclass(frozen=True)
class TcpAddress:
    """A host and a port; port 0 picks a free port."""

    host: str
    port: int


@dataclass(frozen=True)
class UnixAddress:
    """The path of a Unix socket."""

    path: Path


def parse_address(text: str) -> TcpAddress | UnixAddress:
    """Parses `HOST:PORT` or `unix:/path`.

    Raises:
        ValueError: the text has neither form; the error says which are valid.
    """
    if text.startswith(_UNIX_PREFIX):
        path = Path(text.removeprefix(_UNIX_PREFIX)).absolute()
        if text == _UNIX_PREFIX or len(os.fsencode(path)) > _PATH_BYTES:
            raise ValueError(
                f"{text!r} is not the path of a Unix socket; use unix:PATH, at most {_PATH_BYTES} bytes long."
            )
        return UnixAddress(path)
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        raise ValueError(
            f"{text!r} is not an address; use HOST:PORT, for example 127.0.0.1:8000, or unix:PATH."
        )
    return TcpAddress(host.strip("[]"), int(port))


def bind(host: str, port: int) -> socket.socket:
    """Binds a TCP socket and listens; port 0 picks a free port. Clients wait until the server accepts them.

    Raises:
        CodegymError: the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it: the kernel keeps less of the responses that a client does not read.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    # And what arrives at once is read in small parts.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CodegymError(
            f"{host_in_url(host)}:{port} cannot be bound: {error.strerror or error}.",
            hint=_HINTS.get(
                error.errno or 0, "Choose an address of this machine, for example 127.0.0.1:8000."
            ),
        ) from None
    return listener


@contextmanager
def bind_unix(path: Path) -> Iterator[socket.socket]:
    """Binds a Unix socket that only its owner can connect to, and removes it when the block is left.

    A socket that a dead server left at the path is replaced.

    Raises:
        CodegymError: the path cannot be bound, or another server listens there.
    """
    _remove_stale_socket(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        mask = os.umask(0o177)
        try:
            listener.bind(os.fspath(path))
        finally:
            os.umask(mask)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CodegymError(
            f"The Unix socket {path} cannot be bound: {error.strerror or error}.",
            hint="Choose a path in an existing folder that you may write to.",
        ) from None
    identity = os.stat(path).st_ino
    try:
        with listener:
            yield listener
    finally:
        with suppress(OSError):
            if os.stat(path).st_ino == identity:
                path.unlink()


def _remove_stale_socket(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return
    except OSError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            with suppress(OSError):
                path.unlink()
        except OSError:
            return
        else:
            raise CodegymError(
                f"Another server listens on {path}.", hint="Stop it first, or choose another path."
            )


def host_in_url(host: str) -> str:
    """Returns a host as it is written in a URL: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host
