"""Serves all environments over HTTP with several worker processes."""

import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from codegym_mcp.episodes.journal_shards import divide_journals
from codegym_mcp.errors import CodegymError
from codegym_mcp.python_process import python_command
from codegym_mcp.runtime.runtime_assembly import RuntimeOptions
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.storage.directory_lock import lock_directory

_PATIENCE = 10.0
"""Seconds to wait for the workers of a server that was killed; they keep its lock until they have ended."""


async def serve_in_workers(
    count: int,
    paths: Sequence[Path],
    runtime: RuntimeOptions,
    options: HttpOptions,
    listener: socket.socket,
    *,
    host: str | None,
    ready: Callable[[], object],
) -> None:
    """Serves until the process is told to stop.

    Args:
        count: the number of workers.
        paths: where the environments are; the bundled ones if there are none.
        runtime: how episodes are run, in all workers together.
        listener: a socket that listens.
        host: the address that it is bound to; None for a Unix socket.
        ready: called once when the server is about to answer.

    Raises:
        JournalError: the data folder is in use by another process, or a journal cannot be opened.
        CodegymError: the system cannot pass connections between processes, or a worker cannot be started.
    """
    if not hasattr(socket, "send_fds") or sys.platform == "win32":
        raise CodegymError(
            "This system cannot pass connections between processes.", hint="Serve without --workers."
        )
    from codegym_mcp.server.workers.open_episode_table import OpenEpisodeTable
    from codegym_mcp.server.workers.supervisor_process import serve_with_workers
    from codegym_mcp.server.workers.worker_supervisor import WorkerSupervisor

    with ExitStack() as stack:
        lock = None
        if runtime.data is not None:
            lock = stack.enter_context(lock_directory(runtime.data, alone=True, patience=_PATIENCE))
            divide_journals(runtime.data, count)
        table = OpenEpisodeTable.create(count, runtime.open_limit)
        stack.callback(table.close)
        supervisor = WorkerSupervisor(
            python_command("codegym_mcp.cli.serve_worker", str(os.getpid())),
            paths,
            runtime,
            options,
            host=host,
            table=table,
            lock=lock,
        )
        await serve_with_workers(supervisor, options, listener, host=host, ready=ready)
