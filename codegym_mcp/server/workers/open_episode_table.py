"""The open episodes of all workers, counted in memory that they share.

A limit thus holds for the whole server, and every process knows which worker has the fewest episodes.
"""

import mmap
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

from codegym_mcp.episodes.open_episode_limit import open_episodes_error

if sys.platform != "win32":
    import fcntl

_WORD = 8


class OpenEpisodeTable:
    """The table of all workers.

    For each worker it has the number of its open episodes and, for the episodes that callers opened through
    the gateway, a number that stands for the caller. A worker changes its own part only, within a lock.

    Attributes:
        descriptor: of the file in memory, for a process that is to share the table.
    """

    def __init__(self, descriptor: int, workers: int, limit: int) -> None:
        """
        Args:
            descriptor: of a table that was created with the same numbers; this object closes it.
            workers: the number of workers.
            limit: episodes that may be open at a time.
        """
        self.descriptor = descriptor
        self.workers = workers
        self.limit = limit
        self._words = 1 + limit
        self._memory = mmap.mmap(descriptor, workers * self._words * _WORD)
        self._table = memoryview(self._memory).cast("Q")

    @classmethod
    def create(cls, workers: int, limit: int) -> "OpenEpisodeTable":
        """Creates an empty table."""
        with tempfile.TemporaryFile() as file:
            file.truncate(workers * (1 + limit) * _WORD)
            return cls(os.dup(file.fileno()), workers, limit)

    def close(self) -> None:
        """Releases the memory of this process."""
        self._table.release()
        self._memory.close()
        os.close(self.descriptor)

    def open_counts(self) -> list[int]:
        """Returns the number of open episodes of each worker."""
        return [self._table[worker * self._words] for worker in range(self.workers)]

    def clear(self, worker: int) -> None:
        """Removes the episodes of a worker that has ended."""
        with self._locked():
            for position in range(worker * self._words, (worker + 1) * self._words):
                self._table[position] = 0

    def claim(self, worker: int) -> None:
        """Counts an episode of a worker.

        Raises:
            LimitError: as many episodes are open as may be.
        """
        with self._locked():
            if sum(self.open_counts()) >= self.limit:
                raise open_episodes_error(self.limit)
            self._table[worker * self._words] += 1

    def add(self, worker: int, change: int) -> None:
        """Adds to the number of open episodes of a worker, whatever the limit is."""
        with self._locked():
            self._table[worker * self._words] += change

    def claim_for_caller(self, worker: int, caller: str, limit: int) -> bool:
        """Notes an episode that a caller opens.

        Args:
            limit: episodes that a caller may have open.

        Returns:
            Whether the caller has fewer open episodes than the limit.
        """
        number = _number_of(caller)
        with self._locked():
            if sum(self._callers(each).count(number) for each in range(self.workers)) >= limit:
                return False
            mine = self._callers(worker)
            if 0 in mine:
                self._table[worker * self._words + 1 + mine.index(0)] = number
            return True

    def release_for_caller(self, worker: int, caller: str) -> None:
        """Notes that an episode of a caller has ended."""
        number = _number_of(caller)
        with self._locked():
            mine = self._callers(worker)
            if number in mine:
                self._table[worker * self._words + 1 + mine.index(number)] = 0

    def _callers(self, worker: int) -> list[int]:
        """Returns the callers of the episodes of a worker; 0 stands for none."""
        return self._table[worker * self._words + 1 : (worker + 1) * self._words].tolist()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Excludes the other processes; the system releases the lock of one that ends."""
        fcntl.lockf(self.descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN)


class WorkerOpenEpisodes:
    """Counts the open episodes of one worker in the table of all.

    It is an `OpenEpisodeLimit` and a `CallerCounts`.
    """

    def __init__(self, table: OpenEpisodeTable, worker: int) -> None:
        self._table = table
        self._worker = worker

    def claim(self) -> None:
        """Counts an episode that is about to be opened; see `OpenEpisodeLimit.claim`."""
        self._table.claim(self._worker)

    def add(self) -> None:
        """Counts an episode that is open already."""
        self._table.add(self._worker, 1)

    def release(self) -> None:
        """Notes that an episode has ended."""
        self._table.add(self._worker, -1)

    def claim_for_caller(self, caller: str, limit: int) -> bool:
        """Notes an episode that a caller opens; see `CallerCounts.claim_for_caller`."""
        return self._table.claim_for_caller(self._worker, caller, limit)

    def release_for_caller(self, caller: str) -> None:
        """Notes that an episode of a caller has ended."""
        self._table.release_for_caller(self._worker, caller)


def _number_of(caller: str) -> int:
    """Returns a number that stands for a caller, and is not 0."""
    return int.from_bytes(blake2b(caller.encode(), digest_size=_WORD).digest()) | 1
