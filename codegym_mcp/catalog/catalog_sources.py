"""The parts of a catalog: entries in memory, and the rows of an indexed set."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Protocol
from weakref import WeakValueDictionary

from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.catalog.environment_sets import row_place
from codegym_mcp.catalog.row_descriptions import read_row_environment
from codegym_mcp.catalog.set_index import IndexEntry, SetIndex
from codegym_mcp.catalog.stored_grade import AUDIT_SUFFIX, audit_folder, stored_grade
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo, searched_text
from codegym_mcp.errors import SourceError

_RECENT_ENVIRONMENTS = 256
"""Environments of a set that stay in memory although nobody uses them."""
_FEW_ROWS = 100
"""The environments of a set of so many rows are all read to find those that cannot be used."""


class CatalogPart(Protocol):
    """Environments of one source, by name."""

    @property
    def is_large(self) -> bool:
        """Whether the environments are too many to read all of them for a list."""

    def __len__(self) -> int: ...

    def __contains__(self, name: object) -> bool: ...

    def names(self) -> list[str]:
        """Returns the names in their order."""

    def entry(self, name: str) -> Entry:
        """Returns the entry with a name that the part contains."""

    def keep(self, names: Collection[str]) -> "CatalogPart":
        """Returns the part with these names only."""

    def names_with(self, tags: Collection[str]) -> Collection[str]:
        """Returns the names of the environments that have all of these tags."""

    def names_matching(self, text: str) -> Collection[str]:
        """Returns the names of the environments that have a text in their name, title or tags."""

    def grades(self) -> dict[str, str]:
        """Returns the grades of the environments that have a current audit, by name."""

    def problems(self) -> Iterator[SourceError]:
        """Yields the known reasons why environments cannot be used."""


class EntryList:
    """Entries in memory: files, directories, and environments."""

    is_large = False

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = {entry.name: entry for entry in entries}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def names(self) -> list[str]:
        """Returns the names in their order."""
        return list(self._entries)

    def entry(self, name: str) -> Entry:
        """Returns the entry with a name."""
        return self._entries[name]

    def keep(self, names: Collection[str]) -> "EntryList":
        """Returns the part with these names only."""
        return EntryList(entry for name, entry in self._entries.items() if name in names)

    def names_with(self, tags: Collection[str]) -> set[str]:
        """Returns the names of the environments that have all of these tags."""
        return {info.name for info in self._infos() if set(tags) <= set(info.tags)}

    def names_matching(self, text: str) -> set[str]:
        """Returns the names of the environments that have a text in their name, title or tags."""
        return {info.name for info in self._infos() if text.lower() in searched_text(info)}

    def _infos(self) -> Iterator[EnvironmentInfo]:
        for entry in self._entries.values():
            with suppress(SourceError):
                yield entry.describe().info

    def grades(self) -> dict[str, str]:
        """Returns the grades of the environments that have a current audit, by name."""
        grades = {name: stored_grade(entry) for name, entry in self._entries.items()}
        return {name: grade for name, grade in grades.items() if grade is not None}

    def problems(self) -> Iterator[SourceError]:
        """Yields why environments cannot be used; those of new content are read."""
        for entry in self._entries.values():
            try:
                entry.describe()
            except SourceError as error:
                yield error


class SetEntries:
    """Rows of a set. Their environments are read when they are used; a limited number stays in memory."""

    def __init__(self, index: SetIndex, names: frozenset[str] | None = None) -> None:
        """
        Args:
            index: the index of the set.
            names: the names of the rows that belong to the part; None for all.
        """
        self._index = index
        self._names = names
        self._in_use: WeakValueDictionary[str, Environment] = WeakValueDictionary()
        self._recent: deque[Environment] = deque(maxlen=_RECENT_ENVIRONMENTS)

    @property
    def is_large(self) -> bool:
        """Whether the environments are too many to read all of them for a list."""
        return len(self) > _FEW_ROWS

    def __reduce__(self) -> tuple[Any, ...]:
        return SetEntries, (self._index, self._names)

    def __len__(self) -> int:
        return len(self._index) if self._names is None else len(self._names)

    def __contains__(self, name: object) -> bool:
        if self._names is not None:
            return name in self._names
        return isinstance(name, str) and self._index.find(name) is not None

    def names(self) -> list[str]:
        """Returns the names in their order."""
        names = self._index.names()
        return names if self._names is None else [name for name in names if name in self._names]

    def entry(self, name: str) -> Entry:
        """Returns the entry with a name."""
        found = self._index.find(name)
        if found is None:
            raise KeyError(name)
        where = row_place(self._index.path, found.number)
        read, audit = partial(self._read, found), partial(self._read_audit, found)
        return Entry(name, where, read, self._index.path, audit, found)

    def _read(self, found: IndexEntry) -> Environment:
        environment = self._in_use.get(found.name)
        if environment is None:
            environment = read_row_environment(self._index.path, found.number, self._index.read(found))
            self._in_use[found.name] = environment
            self._recent.append(environment)
        return environment

    def _read_audit(self, found: IndexEntry) -> str:
        return self._index.read(found).published.audit

    def keep(self, names: Collection[str]) -> "SetEntries":
        """Returns the part with these names only."""
        return SetEntries(self._index, frozenset(name for name in self.names() if name in names))

    def names_with(self, tags: Collection[str]) -> set[str]:
        """Returns the names of the environments that have all of these tags."""
        return self._within(self._index.names_with(tags))

    def names_matching(self, text: str) -> set[str]:
        """Returns the names of the environments that have a text in their name, title or tags."""
        return self._within(self._index.names_matching(text))

    def grades(self) -> dict[str, str]:
        """Returns the grades of the environments that have a current audit, by name."""
        grades = self._index.grades()
        folder = audit_folder(self._index.path)
        if folder.is_dir():
            # An audit beside the set is newer than the one within it.
            for file in folder.glob(f"*{AUDIT_SUFFIX}"):
                name = file.name.removesuffix(AUDIT_SUFFIX)
                if name in self:
                    grade = stored_grade(self.entry(name))
                    grades.pop(name, None)
                    grades.update({name: grade} if grade is not None else {})
        return {name: grade for name, grade in grades.items() if self._names is None or name in self._names}

    def problems(self) -> Iterator[SourceError]:
        """Yields why rows cannot be used: of few rows all reasons, of more those that the index knows."""
        if not self.is_large:
            yield from EntryList(self.entry(name) for name in self.names()).problems()
        elif self._names is None:
            yield from self._index.problems()
        else:
            for name in self.names():
                found = self._index.find(name)
                if found is not None and found.problem is not None:
                    yield found.problem.error(self._index.path, found.number)

    def _within(self, names: set[str]) -> set[str]:
        return names if self._names is None else names & self._names
