"""Entries of a catalog: environments in files, directories and rows of sets, each read on demand."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from codegym_mcp.bundled_environments import INSTALLED_SETS, bundled_path, installed_path
from codegym_mcp.catalog.file_descriptions import (
    EnvironmentDescription,
    content_key,
    store_description,
    stored_description,
)
from codegym_mcp.catalog.set_index import IndexEntry
from codegym_mcp.environment_definition.codegym_format.environment_names import environment_name
from codegym_mcp.environment_definition.codegym_format.training_records import shared_question
from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.environment_definition.environment_reader import read_any_dialect, read_source
from codegym_mcp.environment_definition.task_files import read_tasks
from codegym_mcp.errors import SourceError, TaskError
from codegym_mcp.source_parsing import PARSER_LOCK

_SUPPORTED = (
    "Name a .py, .jsonl or .parquet file, a directory of .py files, or the word bundled or synthesized."
)


@dataclass
class Entry:
    """One environment of a catalog, read on demand.

    Attributes:
        name: the environment's name.
        path: where it comes from, for error messages.
        file: the file that contains it, alone or with others; None for an environment in memory.
        published_audit: returns the audit that was published with it, as JSON, or an empty text.
        indexed: what the index of its set tells of it; None outside sets.
    """

    name: str
    path: str
    _read: Callable[[], Environment] = field(repr=False)
    file: Path | None = None
    published_audit: Callable[[], str] = field(default=str, repr=False)
    indexed: IndexEntry | None = field(default=None, repr=False)
    _content_key: Callable[[], str] | None = field(default=None, repr=False)
    """Returns the key of the content from which the environment is read; None if it is not one file's."""
    _description: EnvironmentDescription | None = field(default=None, repr=False)
    _environment: Environment | None = field(default=None, repr=False)
    _problem: SourceError | None = field(default=None, repr=False)

    @classmethod
    def of(cls, environment: Environment) -> "Entry":
        """Creates the entry of an environment in memory."""
        return cls(environment.name, environment.program.path, partial(_same, environment))

    @property
    def is_read(self) -> bool:
        """Whether the environment is in memory, so that `read` returns it at once."""
        return self._environment is not None

    def read(self) -> Environment:
        """Returns the environment.

        It is read once, even if it cannot be used. Environments of a set are read again after some time, so
        that a large set does not fill the memory.

        Raises:
            SourceError: the environment cannot be used.
        """
        if self._environment is not None:
            # Nobody waits for another environment that is being read.
            return self._environment
        with PARSER_LOCK:
            if self.indexed is not None:
                return self._read_or_explain()
            if self._problem is not None:
                raise self._problem.with_traceback(None)
            if self._environment is None:
                try:
                    self._environment = self._read_or_explain()
                except SourceError as error:
                    self._problem = error
                    raise
            return self._environment

    def _read_or_explain(self) -> Environment:
        try:
            return self._read()
        except TaskError as error:
            raise SourceError(self.path, None, error.message, hint=error.hint) from None

    def info(self) -> EnvironmentInfo:
        """Returns what is told of the environment, which is not read if the index of its set tells it.

        Raises:
            SourceError: the environment cannot be used.
        """
        if self.indexed is not None and self.indexed.info is not None:
            return self.indexed.info
        return self.describe().info

    def describe(self) -> EnvironmentDescription:
        """Returns the description of the environment, which is read only if its content is new.

        Raises:
            SourceError: the environment cannot be used.
        """
        with PARSER_LOCK:
            if self._environment is not None or self._content_key is None:
                return EnvironmentDescription.of(self.read())
            if self._problem is None and self._description is None:
                self._description = self._described_by_content(self._content_key)
            return self._description or EnvironmentDescription.of(self.read())

    def _described_by_content(self, content_key: Callable[[], str]) -> EnvironmentDescription | None:
        """Returns the stored description, or None if there is no content that can be described."""
        try:
            key = content_key()
            found = stored_description(key)
            if found is None:
                found = EnvironmentDescription.of(self.read())
                if content_key() == key:
                    store_description(key, found)
        except SourceError:
            return None
        return found

    def with_more_tasks(self, tasks: tuple[Task, ...]) -> "Entry":
        """Returns an entry of the same environment with further tasks; a task with a known id replaces it."""
        read = partial(_read_with_tasks, self, tasks)
        return Entry(self.name, self.path, read, self.file, self.published_audit)

    def __getstate__(self) -> dict[str, Any]:
        # The environment is read again, on demand, where the pickle is loaded.
        return {**self.__dict__, "_environment": None, "_problem": None, "_description": None}


def source_path(source: str | os.PathLike[str]) -> Path:
    """Returns the path that a source names.

    The words "bundled" and "synthesized" are the directories of the installed sets. A `Path` of that
    name is the word only if no such file exists.

    Raises:
        SourceError: a word names a set that is not installed.
    """
    path = Path(source)
    if source in INSTALLED_SETS or (str(path) in INSTALLED_SETS and not path.exists()):
        return installed_path(str(path))
    return path


def source_paths(sources: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Returns the paths that sources name; without sources, the directory of the bundled environments."""
    return [source_path(source) for source in sources] or [bundled_path()]


def read_files(path: Path) -> Iterator[Entry]:
    """Yields the entries of a file or a directory.

    Raises:
        SourceError: the path does not exist, or contains no environments.
    """
    if path.is_dir():
        files = [file for file in sorted(path.glob("*.py")) if not file.name.startswith("_")]
        if not files:
            raise SourceError(str(path), None, "the directory contains no environment", hint=_SUPPORTED)
        for file in files:
            yield _file_entry(file)
    elif not path.exists():
        raise SourceError(str(path), None, "does not exist")
    elif path.suffix == ".py":
        yield _file_entry(path)
    else:
        raise SourceError(str(path), None, "is not an environment", hint=_SUPPORTED)


def _file_entry(path: Path) -> Entry:
    name = environment_name(path.stem)
    read, key = partial(_read_file, path, name), partial(content_key, path, name)
    return Entry(name, str(path), read, path, _content_key=key)


def _read_file(path: Path, name: str) -> Environment:
    environment = read_any_dialect(read_source(path), name=name, path=str(path))
    tasks = path.with_suffix(".jsonl")
    if not environment.reads_task_file or not tasks.exists():
        return environment
    return environment.with_tasks(read_tasks(tasks, environment))


def _read_with_tasks(entry: Entry, tasks: tuple[Task, ...]) -> Environment:
    environment = entry.read()
    # A record may repeat a task of the class itself, and then knows more about it.
    replaced = {task.id for task in tasks}
    kept = [task for task in environment.tasks if task.id not in replaced]
    question = shared_question(tasks)
    if question is not None:
        kept = [task.model_copy(update={"text": task.text or question}) for task in kept]
    return environment.with_tasks((*kept, *tasks))


def _same(environment: Environment) -> Environment:
    return environment
