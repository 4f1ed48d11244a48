"""Where environments come from: the bundled ones, files, folders, and sets in JSONL or Parquet.

An entry is read when it is first asked for, so a set of thousands costs nothing until it is used, and one
broken environment among good ones harms nothing but itself.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import codegym_mcp
from codegym_mcp.errors import NotFoundError, SourceError, TaskError
from codegym_mcp.spec import codegym
from codegym_mcp.spec.environment import Environment, Task
from codegym_mcp.spec.environment_file import read_environment_source, read_source
from codegym_mcp.spec.environment_sets import SUFFIXES, SetRow, read_set
from codegym_mcp.spec.task_files import numbered_lines, read_tasks


@dataclass
class Entry:
    """One environment of a catalog, read on demand.

    Attributes:
        name: the environment's name.
        path: where it comes from, for people.
        file: the file that holds it, alone or with others; None where it does not come from a file.
        published_audit: the audit that it was published with, as JSON; empty where there is none.
    """

    name: str
    path: str
    _read: Callable[[], Environment] = field(repr=False)
    file: Path | None = None
    published_audit: Callable[[], str] = field(default=str, repr=False)
    _environment: Environment | None = field(default=None, repr=False)
    _problem: SourceError | None = field(default=None, repr=False)

    def read(self) -> Environment:
        """The environment; read once, also where it is broken.

        Raises:
            SourceError: it cannot be used.
        """
        if self._problem is not None:
            raise self._problem.with_traceback(None)
        if self._environment is None:
            try:
                self._environment = self._read()
            except SourceError as error:
                self._problem = error
                raise
            except TaskError as error:
                self._problem = SourceError(self.path, None, error.message, hint=error.hint)
                raise self._problem from None
        return self._environment


class Catalog:
    """Environments by name."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            self._add(entry)

    @classmethod
    def load(cls, paths: Iterable[Path] = ()) -> "Catalog":
        """A catalog of what the paths hold; without paths, of the bundled environments.

        Args:
            paths: environment files, folders of them, sets (`.jsonl`, `.parquet`), and CodeGym training
                records (`.jsonl` with an `ability`), whose tasks go to the environments of the other paths.

        Raises:
            SourceError: a path does not exist or is none of these, or two environments share a name.
        """
        catalog = cls()
        records: list[Path] = []
        for path in list(paths) or [bundled_path()]:
            if path.suffix == ".jsonl" and _is_training_records(path):
                records.append(path)
                continue
            for entry in _entries(path):
                catalog._add(entry)
        for path in records:
            catalog._add_tasks(path)
        return catalog

    def _add(self, entry: Entry) -> None:
        if entry.name in self._entries:
            raise SourceError(
                entry.path,
                None,
                f"there is an environment {entry.name} already, from {self._entries[entry.name].path}",
                hint="Rename one of them.",
            )
        self._entries[entry.name] = entry

    def _add_tasks(self, path: Path) -> None:
        for name, tasks in codegym.read_records(path, self.names).items():
            self._entries[name] = _with_more_tasks(self._entries[name], tasks)

    @property
    def entries(self) -> list[Entry]:
        """All entries, broken ones included, in their order."""
        return list(self._entries.values())

    @property
    def names(self) -> list[str]:
        """The names of all entries, broken ones included, in their order."""
        return list(self._entries)

    def entry(self, name: str) -> Entry:
        """The entry of that name.

        Raises:
            NotFoundError: there is none.
        """
        if name not in self._entries:
            raise NotFoundError(
                "environment", name, self._entries, hint="" if self._entries else "The catalog is empty."
            )
        return self._entries[name]

    def get(self, name: str) -> Environment:
        """The environment of that name.

        Raises:
            NotFoundError: there is none.
            SourceError: there is one, but it cannot be used.
        """
        return self.entry(name).read()

    def select(self, patterns: Iterable[str]) -> list[str]:
        """The names that match any of the globs, in the catalog's order.

        Raises:
            NotFoundError: a glob matches nothing.
        """
        chosen: set[str] = set()
        for pattern in patterns:
            matching = {name for name in self._entries if fnmatchcase(name, pattern)}
            if not matching:
                raise NotFoundError("environment", pattern, self._entries)
            chosen |= matching
        return [name for name in self._entries if name in chosen]

    def usable(self) -> Iterator[Environment]:
        """Every environment that can be used; see `problems` for the others."""
        for entry in self._entries.values():
            try:
                yield entry.read()
            except SourceError:
                continue

    def problems(self) -> list[SourceError]:
        """What is wrong with the entries that cannot be used."""
        found = []
        for entry in self._entries.values():
            try:
                entry.read()
            except SourceError as error:
                found.append(error)
        return found


def bundled_path() -> Path:
    """The folder of the bundled environments.

    Raises:
        SourceError: the installation lacks it.
    """
    package = Path(codegym_mcp.__file__).parent
    # Installed, they lie in the package; in a checkout, beside it.
    for folder in (package / "environments", package.parent / "environments"):
        if folder.is_dir():
            return folder
    raise SourceError("environments", None, "the bundled environments are not installed")


def _entries(path: Path) -> Iterator[Entry]:
    if path.is_dir():
        files = [file for file in sorted(path.glob("*.py")) if not file.name.startswith("_")]
        if not files:
            raise SourceError(str(path), None, "holds no environment", hint="Name a folder of .py files.")
        for file in files:
            yield _file_entry(file)
    elif not path.exists():
        raise SourceError(str(path), None, "does not exist")
    elif path.suffix == ".py":
        yield _file_entry(path)
    elif path.suffix in SUFFIXES:
        for row in read_set(path):
            yield _row_entry(row, path)
    else:
        raise SourceError(
            str(path), None, "is no environment", hint="Use .py, .jsonl or .parquet, or a folder."
        )


def _file_entry(path: Path) -> Entry:
    def read() -> Environment:
        environment = _read_code(read_source(path), name=name, path=str(path))
        tasks = path.with_suffix(".jsonl")
        if environment.program.format == "codegym" or not tasks.exists():
            return environment
        return environment.with_tasks(read_tasks(tasks, environment))

    name = codegym.environment_name(path.stem)
    return Entry(name, str(path), read, path)


def _row_entry(row: SetRow, file: Path) -> Entry:
    def read() -> Environment:
        found = row.read()
        if row.in_codegym_format:
            return codegym.read_codegym_source(found.code, name=row.name, path=row.where, origin=found.origin)
        environment = _read_code(found.code, name=row.name, path=row.where, origin=found.origin)
        return found.with_tasks(environment, row.where)

    return Entry(row.name, row.where, read, file, lambda: row.read().audit)


def _read_code(source: str, *, name: str, path: str, origin: str = "") -> Environment:
    if codegym.is_codegym(source):
        return codegym.read_codegym_source(source, name=name, path=path, origin=origin)
    return read_environment_source(source, name=name, path=path)


def _is_training_records(path: Path) -> bool:
    for _, line in numbered_lines(path) if path.is_file() else ():
        return '"ability"' in line
    return False


def _with_more_tasks(entry: Entry, tasks: tuple[Task, ...]) -> Entry:
    def read() -> Environment:
        environment = entry.read()
        # A record may repeat a task that the class brings itself; the record says more about it.
        told = {task.id for task in tasks}
        kept = [task for task in environment.tasks if task.id not in told]
        return environment.with_tasks((*kept, *tasks))

    return Entry(entry.name, entry.path, read, entry.file, entry.published_audit)
