"""The index of a set: what each row tells of its environment, and where the row is.

An index is built once and stored in the cache directory, so that a set of many thousands of environments
opens at once. It is an SQLite database with one row for each environment. It belongs to the content of the
set's file: another content is indexed again.

Rows of JSON Lines are read from the set by their position. A Parquet file cannot be read at a position
without decoding a whole group of rows, so its rows are copied into the index.
"""

import logging
import os
import sqlite3
import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any, Self
from urllib.parse import quote

from pydantic import BaseModel

from codegym_mcp.errors import SourceError
from codegym_mcp.spec.environment_info import EnvironmentInfo
from codegym_mcp.spec.environment_sets import SetRow, parse_line, read_row, row_place
from codegym_mcp.spec.row_descriptions import RowProblem, row_digest
from codegym_mcp.spec.set_index_build import build_index
from codegym_mcp.storage.cache_directory import cache_directory
from codegym_mcp.storage.file_lock import try_lock
from codegym_mcp.storage.json_lines import read_line_at
from codegym_mcp.storage.regular_files import open_regular_file

logger = logging.getLogger(__name__)

INDEX_VERSION = 1
"""Changes with the content of an index; indexes of other versions are built again."""
STORED_BYTES = 256 * 1024
"""Size from which on the index of a set is stored. Smaller sets are indexed faster than files are written."""
_BLOCK = 1 << 20
_WAIT_SECONDS = 0.05


class _Stamp(BaseModel):
    """What tells that a file is the one that was indexed, without reading it."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> "_Stamp":
        with open_regular_file(path) as file:
            found = os.fstat(file.fileno())
        return cls(
            size=found.st_size,
            modified_ns=found.st_mtime_ns,
            changed_ns=found.st_ctime_ns,
            inode=found.st_ino,
        )


class IndexEntry(BaseModel):
    """One row of an index."""

    number: int
    name: str
    digest: str
    info: EnvironmentInfo | None
    grade: str | None
    problem: RowProblem | None
    position: int
    length: int


class SetIndex:
    """The index of a set. Use `SetIndex.open`.

    It can be used by several threads. A pickle of it opens the index of the same path again.

    Attributes:
        path: the set, as the user named it.
    """

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database
        self._lock = Lock()
        weakref.finalize(self, database.close)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens the index of a set, and builds it first if there is none of the file's present content.

        Raises:
            SourceError: the file cannot be read, is empty, or its first row is broken.
        """
        stamp = _Stamp.of(path)
        if stamp.size >= STORED_BYTES:
            try:
                return cls(path, _open_stored(path, stamp))
            except (OSError, sqlite3.Error) as error:
                logger.warning("The index of %s is built for this process only: %s.", path, error)
        # An empty name makes a temporary database, which SQLite writes to the disk if it is large.
        database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        try:
            database.execute("BEGIN")
            build_index(path, database)
            database.execute("COMMIT")
        except BaseException:
            database.close()
            raise
        return cls(path, database)

    def __reduce__(self) -> tuple[Any, ...]:
        return SetIndex.open, (self.path,)

    def __len__(self) -> int:
        return int(self._query("SELECT count(*) FROM rows")[0][0])

    def names(self) -> list[str]:
        """Returns the names of all rows in the order of the set."""
        return [name for (name,) in self._query("SELECT name FROM rows ORDER BY number")]

    def find(self, name: str) -> IndexEntry | None:
        """Returns the row with a name, or None."""
        found = self._query(_FIND, name)
        return _entry(found[0]) if found else None

    def names_with(self, tags: Iterable[str]) -> set[str]:
        """Returns the names of the environments that have all of some tags."""
        wanted = list(tags)
        rows = self._query("SELECT name, tags FROM rows WHERE info IS NOT NULL")
        return {name for name, tags in rows if all(f"\n{tag}\n" in tags for tag in wanted)}

    def names_matching(self, text: str) -> set[str]:
        """Returns the names of the environments that have a text in their name, title or tags."""
        rows = self._query("SELECT name FROM rows WHERE instr(searched, ?)", text.lower())
        return {name for (name,) in rows}

    def grades(self) -> dict[str, str]:
        """Returns the grades in the rows' own audits, by name."""
        return dict(self._query("SELECT name, grade FROM rows WHERE grade IS NOT NULL"))

    def problems(self) -> Iterator[SourceError]:
        """Yields why some rows are not environments, in the order of the set."""
        for number, problem in self._query(
            "SELECT number, problem FROM rows WHERE problem IS NOT NULL ORDER BY number"
        ):
            yield RowProblem.model_validate_json(problem).error(self.path, number)

    def read(self, entry: IndexEntry) -> SetRow:
        """Reads the content of a row.

        Raises:
            SourceError: the row is not an environment, or the set has changed since it was opened.
        """
        if entry.problem is not None and entry.name.startswith(f"row_{entry.number}"):
            raise entry.problem.error(self.path, entry.number)
        content = self._content(entry)
        if row_digest(content) != entry.digest:
            where = row_place(self.path, entry.number)
            raise SourceError(where, None, "the set has changed since it was opened", hint="Open it again.")
        return read_row(self.path, entry.number, parse_line(self.path, entry.number, content))

    def _content(self, entry: IndexEntry) -> bytes:
        ((content,),) = self._query("SELECT content FROM rows WHERE number = ?", entry.number)
        if content is not None:
            return bytes(content)
        return read_line_at(self.path, entry.position, entry.length)

    def _query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._database.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise SourceError(
                str(self.path),
                None,
                f"the index of the set is damaged: {error}",
                hint=f"Delete the directory {_directory()}; the index is then built again.",
            ) from None


_FIND = "SELECT number, name, digest, info, grade, problem, position, length FROM rows WHERE name = ?"


def _entry(row: tuple[Any, ...]) -> IndexEntry:
    number, name, digest, info, grade, problem, position, length = row
    return IndexEntry(
        number=number,
        name=name,
        digest=digest,
        info=EnvironmentInfo.model_validate_json(info) if info is not None else None,
        grade=grade,
        problem=RowProblem.model_validate_json(problem) if problem is not None else None,
        position=position,
        length=length,
    )


# --- stored indexes


def _directory() -> Path:
    return cache_directory() / "sets"


def _open_stored(path: Path, stamp: _Stamp) -> sqlite3.Connection:
    """Opens the stored index of a set, and builds it first if there is none of the present content.

    Raises:
        SourceError: the set cannot be indexed.
        OSError, sqlite3.Error: the index cannot be stored.
    """
    directory = _directory()
    name = blake2b(os.fsencode(path.absolute()), digest_size=16).hexdigest()
    file = directory / f"{name}-v{INDEX_VERSION}.sqlite"
    if (database := _open_current(file, stamp)) is not None:
        return database
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / f"{name}.lock").open("wb") as lock:
        while not try_lock(lock):
            # Another process is building the index.
            time.sleep(_WAIT_SECONDS)
        if (database := _open_current(file, stamp)) is not None:
            return database
        digest = _content_digest(path)
        if not _stamp_anew(file, stamp, digest):
            _build_stored(path, file, stamp, digest)
    database = _open_current(file, stamp)
    if database is None:
        raise SourceError(str(path), None, "the set changed while it was indexed", hint="Try again.")
    return database


def _open_current(file: Path, stamp: _Stamp) -> sqlite3.Connection | None:
    """Opens a stored index, or returns None if it is missing, damaged, or one of another content."""
    if not file.exists():
        return None
    uri = f"file:{quote(str(file.absolute()))}?mode=ro"
    with suppress(sqlite3.Error):
        database = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            meta = dict(database.execute("SELECT key, value FROM meta"))
            if meta.get("stamp") == stamp.model_dump_json() and _is_complete(database, meta):
                return database
        except BaseException:
            database.close()
            raise
        database.close()
    return None


def _is_complete(database: sqlite3.Connection, meta: dict[str, str]) -> bool:
    (count,) = database.execute("SELECT count(*) FROM rows INDEXED BY names WHERE name >= ''").fetchone()
    return meta.get("rows") == str(count)


def _stamp_anew(file: Path, stamp: _Stamp, digest: str) -> bool:
    """Notes the new time stamps of a set whose content has not changed; returns whether that was so."""
    if not file.exists():
        return False
    with suppress(sqlite3.Error), closing(sqlite3.connect(file, isolation_level=None)) as database:
        meta = dict(database.execute("SELECT key, value FROM meta"))
        if meta.get("digest") == digest and _is_complete(database, meta):
            database.execute("UPDATE meta SET value = ? WHERE key = 'stamp'", (stamp.model_dump_json(),))
            return True
    return False


def _build_stored(path: Path, file: Path, stamp: _Stamp, digest: str) -> None:
    # What a process that was killed has left; the lock is ours.
    for left in file.parent.glob(f"{file.name}.*"):
        left.unlink(missing_ok=True)
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    logger.info("Indexing %s.", path)
    try:
        with closing(sqlite3.connect(temporary, isolation_level=None)) as database:
            # A crash leaves only a temporary file, which is never used.
            database.execute("PRAGMA journal_mode=OFF")
            database.execute("PRAGMA synchronous=OFF")
            database.execute("BEGIN")
            build_index(path, database)
            (count,) = database.execute("SELECT count(*) FROM rows").fetchone()
            meta = {"stamp": stamp.model_dump_json(), "digest": digest, "rows": str(count)}
            database.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
            database.execute("COMMIT")
        if _Stamp.of(path) != stamp:
            raise SourceError(str(path), None, "the set changed while it was indexed", hint="Try again.")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _content_digest(path: Path) -> str:
    digest = blake2b(digest_size=16)
    with open_regular_file(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
