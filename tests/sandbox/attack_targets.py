"""Files, sockets, shared memory and a host name outside the sandbox, which payloads try to reach."""

import ctypes
import os
import platform
import secrets
import shutil
import socket
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

_IPC_CREAT, _IPC_RMID = 0o1000, 0


class Target:
    """Use `Target.set_up()`.

    Attributes:
        facts: what the attacking code knows about the target, as JSON data.
    """

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self._folder = folder
        self.facts = facts

    @classmethod
    @contextmanager
    def set_up(cls) -> Iterator["Target"]:
        """Creates everything that payloads try to reach; all users have access to it."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            folder.chmod(0o777)
            facts: dict[str, Any] = {
                "machine": platform.machine(),
                "host": platform.node(),
                "server": os.getpid(),
                "folder": str(folder),
                "file": str(folder / "file"),
                "victim": str(folder / "victim"),
                "new": str(folder / "new"),
                "library": _library(folder),
                "unix": str(folder / "socket"),
                "abstract": f"codegym-test-{secrets.token_hex(8)}",
                "shared_memory": _shared_memory(stack),
            }
            (folder / "file").write_text("beyond the wall")
            for family, kind, address, name in (
                (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0), "tcp"),
                (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0), "udp"),
                (socket.AF_UNIX, socket.SOCK_STREAM, facts["unix"], ""),
                (socket.AF_UNIX, socket.SOCK_STREAM, "\0" + facts["abstract"], ""),
            ):
                listener = stack.enter_context(socket.socket(family, kind))
                listener.bind(address)
                if kind == socket.SOCK_STREAM:
                    listener.listen(1024)
                if name:
                    facts[name] = listener.getsockname()[1]
            (folder / "socket").chmod(0o777)
            yield cls(folder, facts)

    def restore(self) -> None:
        """Undoes the changes of a payload that succeeded."""
        (self._folder / "victim").write_text("still here")
        with suppress(FileNotFoundError):
            (self._folder / "new").unlink()
        with suppress(FileNotFoundError):
            (self._folder / "new_folder").rmdir()


def _library(folder: Path) -> str:
    """Returns the path of a shared library that the zygote has not loaded."""
    modules = Path(sysconfig.get_path("stdlib"), "lib-dynload")
    found = sorted(modules.glob("_lsprof*.so")) + sorted(modules.glob("*.so"))
    return shutil.copy(found[0], folder / "library.so") if found else ""


def _shared_memory(stack: ExitStack) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    key = secrets.randbelow(1 << 30) + 1
    segment = libc.shmget(key, 4096, _IPC_CREAT | 0o666)
    if segment < 0:
        return 0
    stack.callback(libc.shmctl, segment, _IPC_RMID, None)
    return key
