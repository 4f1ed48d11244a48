"""What is left of programs."""

import fcntl
from pathlib import Path


def alive(directory: Path) -> list[str]:
    """The daemons of `fixtures/agents/daemons.py` that have not let go of their locks."""
    found = []
    for lock in directory.glob("*.lock"):
        with lock.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                found.append(lock.name)
    return found


def running(word: str) -> list[str]:
    """The processes that have the word in their command lines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if word in line:
            found.append(line)
    return found
