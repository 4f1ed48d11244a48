"""Selects what an agent program may read, so that no path leads to an answer.

An answer is an environment, a task, an audit, a run or a history of any of these. A folder that contains one
is replaced by its other entries.
"""

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegym_harness.agent_enclosure.program_dependencies import SYSTEM_FOLDERS, links_and_target

_HISTORIES = frozenset({".git", ".hg", ".svn", ".jj", ".bzr"})
_MARKS = (
    # A bare repository, a run, the journal of a server.
    frozenset({"HEAD", "objects", "refs"}),
    frozenset({"run.json", "trajectories.jsonl"}),
    frozenset({"journal.sqlite"}),
)
"""Names that together show that a folder holds answers."""
_INSTALLED = "codegym_mcp/environments"
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".mcpb")
_ANSWER_SUFFIXES = frozenset({".py", ".jsonl", ".json"})
_LEAST_BYTES = 64
"""Shorter files are not compared: some are alike by chance, and they hold no answer."""
_MOST_ANSWER_FILES = 20_000
_OCTAL = re.compile(r"\\([0-7]{3})")


def readable_paths(wanted: Iterable[Path], answers: Collection[Path]) -> list[Path]:
    """Returns the files, folders and symbolic links that a program may find, those above others first.

    Args:
        wanted: what the program needs. A path that does not exist is left out.
        answers: files and folders that hold answers; they need not exist yet.
    """
    concealed = {hop for path in answers for hop in links_and_target(path)}
    concealed |= {other for path in concealed for other in other_places(path, read_mounts())}
    copies = _AnswerFiles(concealed)
    chosen: set[Path] = set()
    for path in _outermost(wanted):
        inside = copies.find(path) if not _belongs_to_system(path) else _installed_answers(path)
        chosen.update(_without(path, concealed | inside))
    return sorted(chosen, key=lambda path: (len(path.parts), path))


def _belongs_to_system(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in SYSTEM_FOLDERS)


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """Returns the existing paths without those that lie in others."""
    kept: set[Path] = set()
    for path in sorted(set(paths), key=lambda each: len(each.parts)):
        if os.path.lexists(path) and kept.isdisjoint(path.parents):
            kept.add(path)
    return list(kept)


def _without(path: Path, concealed: Collection[Path]) -> list[Path]:
    """Returns the path, or the parts of it that neither are nor contain anything concealed."""
    if path in concealed or not path.parents or any(parent in concealed for parent in path.parents):
        return []
    if path.is_symlink() or not any(path in each.parents for each in concealed):
        return [path]
    try:
        entries = list(path.iterdir())
    except OSError:
        return []
    below = [each for each in concealed if path in each.parents]
    return [part for entry in entries for part in _without(entry, below)]


def _installed_answers(path: Path) -> set[Path]:
    """Returns the environments of this project within folders of the system's Python."""
    pattern = f"lib/python3*/*-packages/{_INSTALLED}"
    return {found for prefix in (path, path / "local") for found in prefix.glob(pattern)}


class _AnswerFiles:
    """Finds copies of answers by name and by content."""

    def __init__(self, answers: Iterable[Path]) -> None:
        self._digests: dict[int, set[bytes]] = {}
        """By size in bytes, the digests of the answers' files."""
        remaining = _MOST_ANSWER_FILES
        for path in answers:
            for file in _files(path):
                if file.suffix in _ANSWER_SUFFIXES and remaining > 0:
                    remaining -= 1
                    size = file.stat().st_size
                    if size >= _LEAST_BYTES:
                        self._digests.setdefault(size, set()).add(_digest(file))

    def find(self, top: Path) -> set[Path]:
        """Returns the files and folders below a path that hold answers."""
        if top.is_symlink():
            return set()
        if not top.is_dir():
            return {top} if self._is_copy(str(top), top.stat().st_size) else set()
        found: set[Path] = set()
        pending = [str(top)]
        # Installations have many files: paths are text here, and each folder is read once.
        while pending:
            folder = pending.pop()
            try:
                entries = {entry.name: entry for entry in os.scandir(folder)}
            except OSError:
                continue
            if any(entries.keys() >= mark for mark in _MARKS) or folder.endswith(_INSTALLED):
                found.add(Path(folder))
                continue
            for name, entry in entries.items():
                if name in _HISTORIES or _is_archive(name):
                    found.add(Path(entry.path))
                elif entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif (
                    # Most of the time would be spent on the sizes of files.
                    self._digests
                    and entry.is_file(follow_symlinks=False)
                    and self._is_copy(entry.path, entry.stat(follow_symlinks=False).st_size)
                ):
                    found.add(Path(entry.path))
        return found

    def _is_copy(self, file: str, size: int) -> bool:
        if size not in self._digests:
            return False
        try:
            return _digest(Path(file)) in self._digests[size]
        except OSError:
            return False


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        yield path
    for folder, _, names in os.walk(path):
        yield from (file for name in names if (file := Path(folder, name)).is_file())


def _is_archive(name: str) -> bool:
    return name.startswith(("codegym_mcp", "codegym-mcp")) and name.endswith(_ARCHIVES)


def _digest(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


# --- the same files in several places


@dataclass(frozen=True)
class Mount:
    """A line of /proc/self/mountinfo.

    Attributes:
        device: number of the file system.
        root: folder of the file system that is mounted.
        place: where it is mounted.
    """

    device: str
    root: Path
    place: Path


def read_mounts() -> list[Mount]:
    """Returns the mounts that this process sees; none where the system does not list them."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
            return [_parse_mount(line) for line in lines]
    except OSError:
        return []


def _parse_mount(line: str) -> Mount:
    fields = line.split(" ")
    root, place = (_OCTAL.sub(lambda octal: chr(int(octal[1], 8)), field) for field in fields[3:5])
    return Mount(fields[2], Path(root), Path(place))


def other_places(path: Path, mounts: Sequence[Mount]) -> set[Path]:
    """Returns the other paths at which mounts show a file, a folder, or a part of that folder."""
    own = max(
        (mount for mount in mounts if path.is_relative_to(mount.place)),
        key=lambda mount: len(mount.place.parts),
        default=None,
    )
    if own is None:
        return set()
    inside = own.root / path.relative_to(own.place)
    places = set()
    for mount in mounts:
        if mount.device != own.device or mount == own:
            continue
        if inside.is_relative_to(mount.root):
            places.add(mount.place / inside.relative_to(mount.root))
        elif mount.root.is_relative_to(inside):
            places.add(mount.place)
    return places - {path}
