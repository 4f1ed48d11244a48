"""Creates files that are not regular files: pipes, sockets, directories and links to devices."""

import os
import socket
from collections.abc import Callable
from pathlib import Path


def make_pipe(path: Path) -> None:
    """Creates a named pipe without a writer."""
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    """Creates a Unix socket that nothing listens to."""
    with socket.socket(socket.AF_UNIX) as created:
        created.bind(str(path))


def make_endless_device(path: Path) -> None:
    """Links to a device that never ends."""
    path.symlink_to("/dev/zero")


def make_empty_device(path: Path) -> None:
    """Links to a device that is always empty."""
    path.symlink_to("/dev/null")


SPECIAL_FILES: dict[str, Callable[[Path], None]] = {
    "a pipe": make_pipe,
    "a directory": Path.mkdir,
    "an endless device": make_endless_device,
    "an empty device": make_empty_device,
    "a socket": make_socket,
}
"""Functions that create a special file at a path, by its kind."""
