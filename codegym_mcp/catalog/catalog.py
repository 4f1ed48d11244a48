"""Environments by name, from the bundled ones, files, directories, sets, and environments in memory.

An environment is read when it is first used. A set of thousands therefore costs little to open, and a broken
environment does not prevent the use of the others.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Union

from codegym_mcp.bundled_environments import BUNDLED
from codegym_mcp.catalog.catalog_entries import Entry, read_files, source_path
from codegym_mcp.catalog.catalog_sources import CatalogPart, EntryList, SetEntries
from codegym_mcp.catalog.environment_sets import SUFFIXES
from codegym_mcp.catalog.set_index import SetIndex
from codegym_mcp.environment_definition.codegym_format.training_records import (
    is_training_records,
    read_records,
)
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.errors import NotFoundError, SourceError

_MOST_COMPARED = 2_000
"""Names with which an unknown name is compared, to suggest the one that is meant."""

Source = Union[str, os.PathLike[str], Environment, "Catalog"]
"""The origin of environments: a path of a file, directory or set, "bundled" or "synthesized", an
environment, or a catalog."""


class Catalog:
    """Environments by name; iterating yields the names, broken environments included.

    A catalog is a value: it can be pickled, and files are read again where the pickle is loaded.
    """

    def __init__(self, parts: Iterable[CatalogPart] = ()) -> None:
        self._parts: list[CatalogPart] = []
        self._with_more_tasks: dict[str, Entry] = {}
        for part in parts:
            self._add(part)

    @classmethod
    def load(cls, sources: "Iterable[Source]" = ()) -> "Catalog":
        """Creates a catalog of several sources; without sources, of the bundled environments.

        The first time that a large set is loaded, its index is built.

        Args:
            sources: environment files, directories of them, sets (`.jsonl`, `.parquet`), the words "bundled"
                and "synthesized", environments, catalogs, and training records of the CodeGym format
                (`.jsonl` with an `ability`), whose tasks are added to the environments of the other sources.

        Raises:
            SourceError: a path does not exist or is none of these, or two environments have the same name.
        """
        catalog = cls()
        records: list[Path] = []
        for source in list(sources) or [BUNDLED]:
            if isinstance(source, Environment):
                catalog._add(EntryList([Entry.of(source)]))
                continue
            if isinstance(source, Catalog):
                catalog._add_catalog(source)
                continue
            path = source_path(source)
            if path.suffix == ".jsonl" and path.exists() and is_training_records(path):
                records.append(path)
            elif path.suffix in SUFFIXES and path.exists():
                catalog._add(SetEntries(SetIndex.open(path)))
            else:
                catalog._add(_without_duplicates(read_files(path)))
        for path in records:
            for name, tasks in read_records(path, catalog).items():
                catalog._with_more_tasks[name] = catalog.entry(name).with_more_tasks(tasks)
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

    def _add(self, part: CatalogPart) -> None:
        for known in self._parts:
            few, many = sorted((known, part), key=len)
            for name in few.names():
                if name in many:
                    raise _same_name(part.entry(name), known.entry(name))
        self._parts.append(part)

    def _add_catalog(self, catalog: "Catalog") -> None:
        for part in catalog._parts:
            self._add(part)
        self._with_more_tasks.update(catalog._with_more_tasks)

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return any(name in part for part in self._parts)

    def __getitem__(self, name: str) -> Environment:
        return self.get(name)

    def __add__(self, other: "Catalog") -> "Catalog":
        return Catalog.load([self, other])

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:5]) + (", …" if len(self) > 5 else "")
        return f"<Catalog of {len(self)}: {shown}>"

    @property
    def entries(self) -> list[Entry]:
        """All entries in their order, including those of broken environments."""
        return [self.entry(name) for name in self.names]

    @property
    def names(self) -> list[str]:
        """The names of all entries in their order, including those of broken environments."""
        return [name for part in self._parts for name in part.names()]

    def entry(self, name: str) -> Entry:
        """Returns the entry with a name.

        Raises:
            NotFoundError: the catalog has no such entry.
        """
        if name in self._with_more_tasks:
            return self._with_more_tasks[name]
        for part in self._parts:
            if name in part:
                return part.entry(name)
        if len(self) > _MOST_COMPARED:
            # Comparing a name with all others would take a server tenths of a second.
            hint = f"There are {len(self):,} environments; search them by name, title or tag."
            raise NotFoundError("environment", name, hint=hint)
        hint = "" if self._parts else "The catalog is empty."
        raise NotFoundError("environment", name, self.names, hint=hint)

    def get(self, name: str) -> Environment:
        """Returns the environment with a name; `catalog[name]` does the same.

        Raises:
            NotFoundError: the catalog has no such environment.
            SourceError: the environment cannot be used.
        """
        return self.entry(name).read()

    def select(
        self, *globs: str, tags: Iterable[str] = (), grade: str | None = None, search: str = ""
    ) -> "Catalog":
        """Returns a catalog of some of the environments, in the same order.

        Args:
            globs: patterns of names, for example "night_*"; an environment matches at least one. Without a
                pattern, all environments match.
            tags: the environment has all of these tags.
            grade: the environment has a current audit with this grade or a better one ("A" is the best).
            search: a text that occurs in the name, the title or a tag, in upper or lower case.

        Raises:
            NotFoundError: a pattern matches no name, or no environment fulfils the other conditions.
        """
        if not (globs or tags or search or grade is not None):
            return self
        names = self._match(globs)
        if wanted := set(tags):
            tagged = [part.names_with(wanted) for part in self._parts]
            names = {name for name in names if any(name in each for each in tagged)}
        if grade is not None:
            grades = self.grades()
            names = {name for name in names if grades.get(name, "Z") <= grade}
        if search:
            matching = [part.names_matching(search) for part in self._parts]
            names = {name for name in names if any(name in each for each in matching)}
        if not names and self._parts:
            conditions = [f"the tags {', '.join(sorted(wanted))}"] * bool(wanted)
            conditions += [f"grade {grade} or better"] * (grade is not None)
            conditions += [f"the text {search!r} in its name, title or tags"] * bool(search)
            raise NotFoundError("environment", "", hint=f"None has {' and '.join(conditions)}.")
        chosen = Catalog(part.keep(names) for part in self._parts)
        chosen._with_more_tasks = {
            name: entry for name, entry in self._with_more_tasks.items() if name in names
        }
        return chosen

    def _match(self, globs: Sequence[str]) -> set[str]:
        """Returns the names that match any of the patterns."""
        names = self.names
        if not globs:
            return set(names)
        chosen: set[str] = set()
        for pattern in globs:
            if pattern in self:
                chosen.add(pattern)
                continue
            matching = {name for name in names if fnmatchcase(name, pattern)}
            if not matching:
                raise NotFoundError("environment", pattern, names)
            chosen |= matching
        return chosen

    def grades(self) -> dict[str, str]:
        """Returns the grades of the environments that have a current audit, by name ("A" is the best)."""
        return {name: grade for part in self._parts for name, grade in part.grades().items()}

    def environments(self) -> Iterator[Environment]:
        """Yields the environments that can be used; `problems` says what is wrong with the others."""
        for name in self.names:
            try:
                yield self.get(name)
            except SourceError:
                continue

    def infos(self, names: Iterable[str] | None = None) -> Iterator[EnvironmentInfo]:
        """Yields the descriptions of the environments that can be used.

        Environments of a set with more than a hundred rows are described from its index. Whether they keep
        the whole contract is known when they are used.

        Args:
            names: the names of the environments, in this order; without them, all.
        """
        for name in self.names if names is None else names:
            entry = self.entry(name)
            try:
                if name not in self._with_more_tasks and any(
                    name in part and part.is_large for part in self._parts
                ):
                    yield entry.info()
                else:
                    yield entry.describe().info
            except SourceError:
                continue

    def problems(self) -> list[SourceError]:
        """Returns the errors of the environments that cannot be used.

        Of a set with more than a hundred rows, these are the rows that its index knows to be broken. Whether
        the others keep the whole contract is known when they are used.
        """
        return [problem for part in self._parts for problem in part.problems()]


def _without_duplicates(entries: Iterable[Entry]) -> EntryList:
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.name in found:
            raise _same_name(entry, found[entry.name])
        found[entry.name] = entry
    return EntryList(found.values())


def _same_name(entry: Entry, first: Entry) -> SourceError:
    problem = f"another environment is named {entry.name}: {first.path}"
    return SourceError(entry.path, None, problem, hint="Rename one of them.")
