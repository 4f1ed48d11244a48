"""All connections of a server: how many there may be, and how long each may wait for its client."""

import asyncio
import logging
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

if sys.platform != "win32":
    import resource

logger = logging.getLogger(__name__)

_SWEEP_SECONDS = 1.0


@dataclass(frozen=True)
class ConnectionLimits:
    """Limits of the connections of one server.

    Attributes:
        connections: connections at a time. If there are more, one that waits for its client is closed.
        head_seconds: seconds from the connection or the first byte of a request to the end of its headers.
        body_seconds: seconds from the end of the headers to the end of the body.
        write_seconds: seconds that a client may leave a response unread.
        idle_seconds: seconds between a response and the next request. A language model thinks for minutes
            between two calls, and proxies keep connections for a minute; with a shorter time, each call would
            cost a new connection. If there are many connections, idle ones are closed earlier.
    """

    connections: int = 1000
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    write_seconds: float = 30.0
    idle_seconds: int = 300

    @classmethod
    def for_open_files(cls) -> "ConnectionLimits":
        """Returns limits that leave most of the process's file descriptors to journals and sandboxes."""
        used = sum(1 for _ in Path("/proc/self/fd").iterdir()) if Path("/proc/self/fd").is_dir() else 64
        if sys.platform == "win32":
            return cls()
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = 1 << 20 if soft == resource.RLIM_INFINITY else soft - used
        return cls(connections=max(16, min(cls.connections, free // 3)))


class Phase(Enum):
    """What a connection waits for."""

    IDLE = auto()
    """The client may send another request."""
    HEAD = auto()
    """The rest of the request's line and headers."""
    BODY = auto()
    """The rest of the request's body."""
    RESPONSE = auto()
    """The server's response."""


class ClientConnection(Protocol):
    """A connection as the registry sees it.

    Attributes:
        address: the client's address; empty for a Unix socket.
        phase: what the connection waits for.
        since: when the phase began, in seconds of the loop's clock.
        known: whether a request with an episode's address or a valid token was answered on it.
    """

    address: str
    phase: Phase
    since: float
    known: bool

    def abort(self) -> None:
        """Closes the connection at once and frees its descriptor."""

    def refuse(self, status: int, message: str) -> None:
        """Closes the connection with an error response, unless another response was begun."""


class ConnectionRegistry:
    """All connections of one server.

    Connections that wait for their client are held by address, in the order in which they began to wait. If
    there are too many connections, the address with the most waiting connections loses its oldest; those on
    which an episode was played, or a valid token sent, only if there are no others.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._count = 0
        self._waiting: defaultdict[tuple[bool, str], dict[ClientConnection, None]] = defaultdict(dict)
        self._groups: dict[ClientConnection, tuple[bool, str]] = {}
        self._unread: dict[ClientConnection, float] = {}
        self._closed: Counter[str] = Counter()
        self._sweep: asyncio.TimerHandle | None = None

    def add(self, connection: ClientConnection) -> bool:
        """Adds a connection, and closes another one if there are too many.

        Returns:
            False if the new connection must be closed, since every other one has a request in progress.
        """
        self._count += 1
        if self._sweep is None:
            self._schedule_sweep()
        if self._count <= self._limits.connections:
            return True
        group = max(self._waiting, key=lambda each: (not each[0], len(self._waiting[each])), default=None)
        if group is None:
            self.report("refused, since every connection has a request in progress")
            return False
        oldest = next(iter(self._waiting[group]))
        self.report("closed to make room for new connections")
        oldest.abort()
        return True

    def remove(self, connection: ClientConnection) -> None:
        """Removes a connection that was closed."""
        self._count -= 1
        self.stop_waiting(connection)
        self._unread.pop(connection, None)

    def start_waiting(self, connection: ClientConnection) -> None:
        """Notes that from now on a connection waits for its client."""
        group = self._groups[connection] = connection.known, connection.address
        self._waiting[group][connection] = None

    def stop_waiting(self, connection: ClientConnection) -> None:
        """Notes that a connection does not wait for its client."""
        # It may have become known since it began to wait.
        group = self._groups.pop(connection, None)
        if group is not None:
            waiting = self._waiting[group]
            del waiting[connection]
            if not waiting:
                del self._waiting[group]

    def set_unread(self, connection: ClientConnection, unread: bool) -> None:
        """Notes whether the client leaves a response unread."""
        if unread:
            self._unread.setdefault(connection, asyncio.get_running_loop().time())
        else:
            self._unread.pop(connection, None)

    def report(self, reason: str) -> None:
        """Counts a closed connection for the next line of the log."""
        self._closed[reason] += 1

    def _schedule_sweep(self) -> None:
        self._sweep = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._close_overdue)

    def _close_overdue(self) -> None:
        """Closes connections that exceed a time limit, and logs one line on all that were closed."""
        now = asyncio.get_running_loop().time()
        limits = {Phase.HEAD: self._limits.head_seconds, Phase.BODY: self._limits.body_seconds}
        waiting: Iterable[ClientConnection] = [each for some in self._waiting.values() for each in some]
        for connection in waiting:
            seconds = limits.get(connection.phase)
            if seconds is not None and now - connection.since > seconds:
                part = "headers" if connection.phase is Phase.HEAD else "body"
                connection.refuse(408, f"The {part} of the request took longer than {seconds:g} seconds.")
        for connection, since in list(self._unread.items()):
            if now - since > self._limits.write_seconds:
                self.report("closed, since the client did not read its response")
                connection.abort()
        if self._closed:
            reasons = "; ".join(f"{count} {reason}" for reason, count in self._closed.items())
            logger.warning("Connections closed or requests refused: %s", reasons)
            self._closed.clear()
        self._sweep = None
        if self._count:
            self._schedule_sweep()
