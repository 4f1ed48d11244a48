"""Run as a script: imports the project and plays, without the modules and functions that Windows lacks.

What Windows itself would add is not simulated (locks of files are granted), so this shows only that nothing depends on what is missing.
"""

import asyncio
import importlib
import json
import os
import pkgutil
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

MODULES = frozenset(
    {"fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty", "uvloop"}
)
NAMES: dict[Any, str] = {
    os: "O_CLOEXEC O_DIRECTORY O_NOCTTY O_NOFOLLOW O_NONBLOCK O_PATH SCHED_BATCH WNOHANG chown fchmod fork forkpty getegid geteuid getgid getpgid getpgrp getuid initgroups memfd_create "
    "killpg mkfifo nice pidfd_open pread pwrite register_at_fork sched_getaffinity "
    "sched_setscheduler setgid setgroups setpgid setsid setuid statvfs sysconf uname wait3 wait4",
    signal: "ITIMER_REAL SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2 alarm "
    "pidfd_send_signal pthread_sigmask setitimer sigwait",
    socket: "AF_NETLINK AF_UNIX MSG_DONTWAIT SCM_RIGHTS SO_PEERCRED SO_REUSEPORT recv_fds send_fds",
}
LIBRARIES = "mcp.server uvicorn httptools click rich.console httpx2 httpcore2 pydantic_ai anyio._backends._asyncio pydantic jsonschema"


class HiddenModules:
    """Finds nothing, but refuses what the system lacks before other finders are asked."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


NEEDED_BY_PYTHON = {(socket, "AF_UNIX"), (os, "WNOHANG"), (signal, "SIGCHLD"), (signal, "SIGKILL")}
"""Names that this system's own event loop and subprocesses need while something runs."""


def hide() -> dict[tuple[Any, str], Any]:
    """Hides modules and names; returns the values of the names."""
    # The standard library and other projects adapt to a system while they are imported, to this one.
    for library in [
        *LIBRARIES.split(),
        "multiprocessing",
        "tempfile",
        "shutil",
        "getpass",
        "RestrictedPython",
    ]:
        importlib.import_module(library)
    for loaded in [name for name in sys.modules if name.partition(".")[0] in MODULES]:
        del sys.modules[loaded]
    sys.meta_path.insert(0, HiddenModules())  # type: ignore[arg-type]
    hidden = {
        (module, name): getattr(module, name)
        for module, names in NAMES.items()
        for name in names.split()
        if hasattr(module, name)
    }
    for module, name in hidden:
        delattr(module, name)
    sys.platform = "win32"
    sys.modules["msvcrt"] = cast(ModuleType, SimpleNamespace(LK_NBLCK=2, locking=lambda *_: None))
    return hidden


def import_everything() -> dict[str, str]:
    """Imports every module; returns the errors, by module."""
    errors = {}
    for package in ("codegym_mcp", "codegym_harness"):
        folders = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(folders, f"{package}."):
            if not module.name.endswith(".__main__"):
                try:
                    importlib.import_module(module.name)
                except Exception as error:
                    errors[module.name] = f"{type(error).__name__}: {error}"
    return errors


async def stop_at_once(context: Any) -> None:
    """An agent that calls nothing."""


async def play() -> dict[str, Any]:
    from codegym_harness.runs.evaluate import evaluate
    from codegym_harness.runs.run_directory_reader import is_in_progress
    from codegym_mcp import doctor
    from codegym_mcp.catalog.catalog import Catalog
    from codegym_mcp.episode_limits import Limits
    from codegym_mcp.errors import SandboxError
    from codegym_mcp.sandbox.process.pool import SandboxPool
    from codegym_mcp.sandbox.process.process_messages import ComputeReference, GenerateConfig
    from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram

    limits = Limits()
    environment = Catalog.load(["bundled"])["parcel_hunt"]
    async with SandboxPool.open() as pool:
        config = await pool.ask(environment.program, GenerateConfig("1/1", 1), limits)
        tools = await pool.serve(environment.program, limits, config)
        alive = tools.alive
        reference = await pool.ask(environment.program, ComputeReference(config), limits)
        foreign = EnvironmentProgram("foreign.py", "def reference(): return 7")
        try:
            refused = str(await pool.ask(foreign, ComputeReference({}), limits))
        except SandboxError as error:
            refused = str(error)
    async with SandboxPool.open(allow_unconfined=True) as pool:
        answer = await pool.ask(foreign, ComputeReference({}), limits)
    report = await doctor.examine()
    # Since 3.13, removing a folder on Linux needs a flag that was taken away.
    vars(shutil)["_use_fd_functions"] = False
    with tempfile.TemporaryDirectory() as folder:
        run = await evaluate(stop_at_once, "parcel_hunt", tasks=1, out=Path(folder, "run"))
        in_progress = is_in_progress(run.path)
        outcomes = [str(result.outcome) for result in run.results()]
    return {
        "run": outcomes,
        "run_in_progress": in_progress,
        "config": config,
        "alive": alive,
        "reference": reference,
        "refused": refused,
        "answer": answer,
        "confined": report.confined,
        "checks": {check.name: check.passed for check in report.checks},
        "doctor": doctor.render(report),
    }


if __name__ == "__main__":
    hidden = hide()
    errors = import_everything()
    for module, name in NEEDED_BY_PYTHON:
        setattr(module, name, hidden[module, name])
    print(json.dumps({"errors": errors, **asyncio.run(play())}))
