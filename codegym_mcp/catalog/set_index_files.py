"""Indexes of sets as files in the cache directory: opened, built, continued after a build that was killed."""

import logging
import os
import sqlite3
import time
from contextlib import closing, suppress
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel

from codegym_mcp.catalog.set_index_build import build_index, build_position
from codegym_mcp.errors import SourceError
from codegym_mcp.storage.cache_directory import cache_directory
from codegym_mcp.storage.file_lock import try_lock
from codegym_mcp.storage.regular_files import open_regular_file

logger = logging.getLogger(__name__)

INDEX_VERSION = 3
"""Changes with the content of an index; indexes of other versions are built again."""
_DAMAGE = (sqlite3.Error, ValueError)
"""What reading a damaged index raises: text may not be UTF-8, or not the JSON that was written."""
_BLOCK = 1 << 20
_WAIT_SECONDS = 0.05


class FileStamp(BaseModel):
    """What tells that a file is the one that was indexed, without reading it."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> "FileStamp":
        """Returns the stamp of a file.

        Raises:
            SourceError: the file cannot be read.
        """
        with open_regular_file(path) as file:
            found = os.fstat(file.fileno())
        return cls(
            size=found.st_size,
            modified_ns=found.st_mtime_ns,
            changed_ns=found.st_ctime_ns,
            inode=found.st_ino,
        )


def index_directory() -> Path:
    """Returns the directory of the stored indexes."""
    return cache_directory() / "sets"


def open_stored(path: Path, stamp: FileStamp) -> sqlite3.Connection:
    """Opens the stored index of a set, and builds it first if there is none of the present content.

    Args:
        path: the set.
        stamp: its present stamp.

    Raises:
        SourceError: the set cannot be indexed, or it changed meanwhile.
        OSError, sqlite3.Error: the index cannot be stored.
    """
    directory = index_directory()
    name = blake2b(os.fsencode(path.absolute()), digest_size=16).hexdigest()
    file = directory / f"{name}-v{INDEX_VERSION}.sqlite"
    if (database := _open_current(file, stamp)) is not None:
        return database
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / f"{name}.lock").open("wb") as lock:
        if not try_lock(lock):
            logger.info("Another process is indexing %s; waiting for it.", path)
            while not try_lock(lock):
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


def _open_current(file: Path, stamp: FileStamp) -> sqlite3.Connection | None:
    """Opens a stored index, or returns None if it is missing, damaged, or one of another content."""
    if not file.exists():
        return None
    uri = f"file:{quote(str(file.absolute()))}?mode=ro"
    with suppress(*_DAMAGE):
        database = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            meta = _meta(database)
            if meta.get("stamp") == stamp.model_dump_json() and _is_complete(database, meta):
                return database
        except BaseException:
            database.close()
            raise
        database.close()
    return None


def _meta(database: sqlite3.Connection) -> dict[str, str]:
    return dict(database.execute("SELECT key, value FROM meta"))


def _is_complete(database: sqlite3.Connection, meta: dict[str, str]) -> bool:
    (count,) = database.execute("SELECT count(*) FROM rows INDEXED BY names WHERE name >= ''").fetchone()
    return meta.get("rows") == str(count)


def _stamp_anew(file: Path, stamp: FileStamp, digest: str) -> bool:
    """Notes the new time stamps of a set whose content has not changed; returns whether that was so."""
    if not file.exists():
        return False
    with suppress(*_DAMAGE), closing(sqlite3.connect(file, isolation_level=None)) as database:
        meta = _meta(database)
        if meta.get("digest") == digest and _is_complete(database, meta):
            database.execute("UPDATE meta SET value = ? WHERE key = 'stamp'", (stamp.model_dump_json(),))
            return True
    return False


def _build_stored(path: Path, file: Path, stamp: FileStamp, digest: str) -> None:
    """Builds an index under another name, which stays if the process is killed, and is then continued."""
    partial = file.with_name(f"{file.name}.partial")
    if not _can_continue(partial, digest):
        _delete(partial)
    with closing(_connect_for_build(partial)) as database:
        database.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        database.execute("INSERT OR REPLACE INTO meta VALUES ('digest', ?)", (digest,))
        try:
            build_index(path, database)
        except SourceError:
            if build_position(database).rows == 0:
                _delete(partial)
            raise
        (count,) = database.execute("SELECT count(*) FROM rows").fetchone()
        meta = {"stamp": stamp.model_dump_json(), "rows": str(count)}
        database.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    if FileStamp.of(path) != stamp:
        _delete(partial)
        raise SourceError(str(path), None, "the set changed while it was indexed", hint="Try again.")
    partial.replace(file)


def _connect_for_build(partial: Path) -> sqlite3.Connection:
    database = sqlite3.connect(partial, isolation_level=None)
    # What was committed survives the end of the process. After a crash of the system the index may be
    # damaged, which is noticed before it is continued.
    database.execute("PRAGMA synchronous=OFF")
    return database


def _can_continue(partial: Path, digest: str) -> bool:
    """Checks whether a file is the undamaged beginning of an index of the present content."""
    if not partial.exists():
        return False
    with (
        suppress(*_DAMAGE),
        closing(sqlite3.connect(partial, isolation_level=None)) as database,
    ):
        if _meta(database).get("digest") != digest:
            return False
        found = database.execute("PRAGMA quick_check").fetchall()
        (count,) = database.execute("SELECT count(*) FROM rows").fetchone()
        return found == [("ok",)] and (count == 0 or build_position(database).rows > 0)
    return False


def _delete(partial: Path) -> None:
    for name in (partial.name, f"{partial.name}-journal"):
        partial.with_name(name).unlink(missing_ok=True)


def _content_digest(path: Path) -> str:
    digest = blake2b(digest_size=16)
    with open_regular_file(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
