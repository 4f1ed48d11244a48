"""Environments by name, from the bundled ones, files, directories, sets, and environments in memory.

An environment is read when it is first used. A set of thousands therefore costs little to open, and a broken
environment does not prevent the use of the others.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Union

from codegym_mcp.errors import NotFoundError, SourceError
from codegym_mcp.spec.catalog_entries import BUNDLED, Entry, read_entries, source_path
from codegym_mcp.spec.codegym.training_records import is_training_records, read_records
from codegym_mcp.spec.environment import Environment
from codegym_mcp.spec.stored_grades import stored_grade

Source = Union[str, os.PathLike[str], Environment, "Catalog"]
"""The origin of environments: a path of a file, directory or set, "bundled", an environment, or a catalog."""


class Catalog:
    """Environments by name; iterating yields the names, broken environments included.

    A catalog is a value: it can be pickled, and files are read again where the pickle is loaded.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            self._add(entry)

    @classmethod
    def load(cls, sources: "Iterable[Source]" = ()) -> "Catalog":
        """Creates a catalog of several sources; without sources, of the bundled environments.

        Args:
            sources: environment files, directories of them, sets (`.jsonl`, `.parquet`), the word "bundled",
                environments, catalogs, and training records of the CodeGym format (`.jsonl` with an
                `ability`), whose tasks are added to the environments of the other sources.

        Raises:
            SourceError: a path does not exist or is none of these, or two environments have the same name.
        """
        catalog = cls()
        records: list[Path] = []
        for source in list(sources) or [BUNDLED]:
            if isinstance(source, Environment):
                catalog._add(Entry.of(source))
                continue
            if isinstance(source, Catalog):
                catalog._add_all(source.entries)
                continue
            path = source_path(source)
            if path.suffix == ".jsonl" and path.exists() and is_training_records(path):
                records.append(path)
            else:
                catalog._add_all(read_entries(path))
        for path in records:
            for name, tasks in read_records(path, catalog.names).items():
                catalog._entries[name] = catalog._entries[name].with_more_tasks(tasks)
        return catalog

    @classmethod
    def of(cls, sources: "Source | Sequence[Source]") -> "Catalog":
        """Creates a catalog of one source or of several.

        Raises:
            SourceError: as `load`.
        """
        if isinstance(sources, Catalog):
            return sources
        if isinstance(sources, str | os.PathLike | Environment):
            return cls.load([sources])
        return cls.load(sources)

    def _add(self, entry: Entry) -> None:
        if entry.name in self._entries:
            first = self._entries[entry.name].path
            raise SourceError(
                entry.path,
                None,
                f"another environment is named {entry.name}: {first}",
                hint="Rename one of them.",
            )
        self._entries[entry.name] = entry

    def _add_all(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._add(entry)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __getitem__(self, name: str) -> Environment:
        return self.get(name)

    def __add__(self, other: "Catalog") -> "Catalog":
        return Catalog([*self.entries, *other.entries])

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:5]) + (", …" if len(self) > 5 else "")
        return f"<Catalog of {len(self)}: {shown}>"

    @property
    def entries(self) -> list[Entry]:
        """All entries in their order, including those of broken environments."""
        return list(self._entries.values())

    @property
    def names(self) -> list[str]:
        """The names of all entries in their order, including those of broken environments."""
        return list(self._entries)

    def entry(self, name: str) -> Entry:
        """Returns the entry with a name.

        Raises:
            NotFoundError: the catalog has no such entry.
        """
        if name not in self._entries:
            hint = "" if self._entries else "The catalog is empty."
            raise NotFoundError("environment", name, self._entries, hint=hint)
        return self._entries[name]

    def get(self, name: str) -> Environment:
        """Returns the environment with a name; `catalog[name]` does the same.

        Raises:
            NotFoundError: the catalog has no such environment.
            SourceError: the environment cannot be used.
        """
        return self.entry(name).read()

    def select(self, *globs: str, tags: Iterable[str] = (), grade: str | None = None) -> "Catalog":
        """Returns a catalog of some of the environments, in the same order.

        Args:
            globs: patterns of names, for example "night_*"; an environment matches at least one. Without a
                pattern, all environments match.
            tags: the environment has all of these tags.
            grade: the environment has a current audit with this grade or a better one ("A" is the best).

        Raises:
            NotFoundError: a pattern matches no name, or no environment has the tags and the grade.
        """
        chosen = [self._entries[name] for name in self._match(globs)]
        if wanted := set(tags):
            chosen = [entry for entry in chosen if _has_tags(entry, wanted)]
        if grade is not None:
            chosen = [entry for entry in chosen if (stored_grade(entry) or "Z") <= grade]
        if not chosen and self._entries:
            conditions = [f"the tags {', '.join(sorted(wanted))}"] * bool(wanted)
            conditions += [f"grade {grade} or better"] * (grade is not None)
            raise NotFoundError("environment", "", hint=f"None has {' and '.join(conditions)}.")
        return Catalog(chosen)

    def _match(self, globs: Sequence[str]) -> list[str]:
        """Returns the names that match any of the patterns."""
        if not globs:
            return self.names
        chosen: set[str] = set()
        for pattern in globs:
            matching = {name for name in self._entries if fnmatchcase(name, pattern)}
            if not matching:
                raise NotFoundError("environment", pattern, self._entries)
            chosen |= matching
        return [name for name in self._entries if name in chosen]

    def environments(self) -> Iterator[Environment]:
        """Yields the environments that can be used; `problems` says what is wrong with the others."""
        for entry in self._entries.values():
            try:
                yield entry.read()
            except SourceError:
                continue

    def problems(self) -> list[SourceError]:
        """Returns the errors of the environments that cannot be used."""
        found = []
        for entry in self._entries.values():
            try:
                entry.read()
            except SourceError as error:
                found.append(error)
        return found


def _has_tags(entry: Entry, tags: set[str]) -> bool:
    try:
        return tags <= set(entry.read().tags)
    except SourceError:
        return False
