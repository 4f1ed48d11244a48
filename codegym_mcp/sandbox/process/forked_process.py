"""The server's handle of a forked process: its channel, its end, and the processor time that it has used."""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress


class ForkedProcess:
    """A confined process that waits for its role.

    Args:
        connection: the server's end of the process's channel.
        kill: ends the process, given its pidfd; called at most once.
        pidfd: a descriptor of the process, or None if the system has no pidfds. This object closes it.
    """

    def __init__(
        self, connection: socket.socket, kill: Callable[[int | None], object], pidfd: int | None = None
    ) -> None:
        self.connection = connection
        self._send_kill = kill
        self._pidfd = pidfd
        self._ended = False
        self._clock_id: int | None = None

    def kill(self) -> None:
        """Ends the process at once; safe to call again."""
        if self._ended:
            return
        self._ended = True
        pidfd, self._pidfd = self._pidfd, None
        try:
            self._send_kill(pidfd)
        finally:
            if pidfd is not None:
                os.close(pidfd)

    def discard(self) -> None:
        """Ends the process and closes its channel, before a role was assigned."""
        self.connection.close()
        self.kill()

    def cpu_seconds(self) -> float | None:
        """Returns the processor time that the process has used, in seconds; None if the system does not tell.

        Raises:
            ProcessLookupError: the process has ended.
        """
        if self._pidfd is None:
            return None
        if self._clock_id is None:
            # Looked up on first use: most processes are never asked.
            self._clock_id = _cpu_clock_id(self._pidfd)
        return time.clock_gettime(self._clock_id) if self._clock_id is not None else None

    def close_descriptors(self) -> None:
        """Closes the descriptors of this process without ending it: for a child after `os.fork`."""
        self._ended = True
        pidfd, self._pidfd = self._pidfd, None
        if pidfd is not None:
            _close_quietly(pidfd)
        _close_quietly(self.connection.detach())


def _close_quietly(descriptor: int) -> None:
    with suppress(OSError):
        os.close(descriptor)


def _cpu_clock_id(pidfd: int) -> int | None:
    """Returns the id of a process's CPU clock, or None if the system does not tell."""
    try:
        # The zygote knows its children by the numbers of another pid namespace.
        with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as info:
            pid = next(int(line.split()[1]) for line in info if line.startswith("Pid:"))
    except (OSError, StopIteration):
        return None
    if pid <= 0:
        raise ProcessLookupError("the process has ended")
    # The encoding of clock_getcpuclockid(3).
    return (~pid << 3) | 2
