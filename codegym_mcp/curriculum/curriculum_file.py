"""Keeps a curriculum in one file, which all processes of a training run share and a later run resumes.

Without a file, it is kept in the memory of one process.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from codegym_mcp.curriculum.difficulty_rule import Curriculum, CurriculumRule
from codegym_mcp.errors import CodegymError
from codegym_mcp.storage.atomic_files import write_atomically
from codegym_mcp.storage.file_lock import closed_in_children, try_lock
from codegym_mcp.validation_messages import first_fault

_POLL_SECONDS = 0.002
_threads = threading.Lock()
"""A process holds the file's lock as one; its threads take turns."""


class CurriculumStore(Protocol):
    """Keeps a curriculum."""

    @property
    def rule(self) -> CurriculumRule:
        """How difficulties are chosen."""

    def read(self) -> Curriculum:
        """Returns the curriculum as it is kept.

        Raises:
            CodegymError: it cannot be read.
        """

    def change(self) -> AbstractContextManager[Curriculum]:
        """Yields the curriculum, and keeps it when the block ends without an error.

        Raises:
            CodegymError: it cannot be read or written.
        """


class CurriculumInMemory:
    """A curriculum of one process. It is a `CurriculumStore`.

    Attributes:
        rule: how difficulties are chosen.
    """

    def __init__(self) -> None:
        self.rule = CurriculumRule()
        self._curriculum = Curriculum()

    def read(self) -> Curriculum:
        """Returns the curriculum; see `CurriculumStore.read`."""
        return self._curriculum

    @contextmanager
    def change(self) -> Iterator[Curriculum]:
        """Yields the curriculum; see `CurriculumStore.change`."""
        yield self._curriculum


class CurriculumFile(BaseModel):
    """A curriculum in a file. It is a `CurriculumStore`.

    It can be pickled, and used by threads and processes at the same time.

    Every change is written atomically before it takes effect, so that a run that is killed at any time can be
    resumed from the file.
    """

    model_config = ConfigDict(frozen=True)

    path: Path
    """The file. It need not exist: a curriculum begins then."""
    rule: CurriculumRule = CurriculumRule()

    def read(self) -> Curriculum:
        """Returns the curriculum as it is in the file.

        Raises:
            CodegymError: the file cannot be read, or is damaged.
        """
        try:
            return Curriculum.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return Curriculum()
        except OSError as error:
            raise CodegymError(f"The curriculum {self.path} cannot be read: {error.strerror}.") from None
        except ValidationError as error:
            raise CodegymError(
                f"The curriculum {self.path} is damaged: {first_fault(error)}.",
                hint="Restore the file, or delete it to begin at the first difficulty.",
            ) from None

    @contextmanager
    def change(self) -> Iterator[Curriculum]:
        """Yields the curriculum, and writes it when the block ends without an error.

        Raises:
            CodegymError: the file cannot be read or written, or is damaged.
        """
        with _threads, self._locked():
            curriculum = self.read()
            yield curriculum
            write_atomically(self.path, curriculum.model_dump_json(), hint="Name another file.")

    def choose(self, environment: str, seed: int, episode: str) -> int:
        """Returns the difficulty of an episode that is about to be opened, and adds it to its group.

        Args:
            seed: the seed of the task: episodes with one seed are a group.
            episode: an id of the episode.

        Raises:
            CodegymError: see `change`.
        """
        with self.change() as curriculum:
            progress = curriculum.progress(environment, self.rule)
            difficulty = progress.choose(seed, self.rule)
            progress.begin(seed, difficulty, episode)
            return difficulty

    def settle(self, environment: str, seed: int, episode: str, reward: float | None) -> None:
        """Records how an episode ended.

        Args:
            reward: 0 to 1; None for an episode that is not scored.

        Raises:
            CodegymError: see `change`.
        """
        with self.change() as curriculum:
            curriculum.progress(environment, self.rule).settle(seed, episode, reward)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock_path = self.path.with_name(f"{self.path.name}.lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = lock_path.open("a")
        except OSError as error:
            raise CodegymError(f"The curriculum {self.path} cannot be locked: {error.strerror}.") from None
        with lock, closed_in_children(lock.fileno()):
            while not try_lock(lock):
                time.sleep(_POLL_SECONDS)
            yield


def _forget() -> None:
    """Leaves to a forked child a lock that no thread of its parent holds."""
    global _threads  # noqa: PLW0603 - another thread of the parent may hold it
    _threads = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
