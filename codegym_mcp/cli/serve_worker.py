"""`python -m codegym_mcp.cli.serve_worker PARENT`: a worker of `serve --workers`, with its settings on stdin.

The argument is the id of the supervisor process. Linux ends a worker with it; on other systems the worker
stops when its channel to the supervisor process is closed.
"""

import os
import sys
from contextlib import suppress

from codegym_mcp.sandbox.confinement.linux_functions import die_with_parent, forbid_inspection


def main(parent: int) -> int:
    """Runs a worker and returns its exit code."""
    if sys.platform == "linux":
        die_with_parent()
        if os.getppid() != parent:
            return 1
    from codegym_mcp.runtime.garbage_collector_settings import pause_garbage_collection

    pause_garbage_collection()
    # Importing the server takes a second, in which the supervisor process may be killed.
    from codegym_mcp.cli.command_output import run, show_log_messages
    from codegym_mcp.errors import CodegymError
    from codegym_mcp.opentelemetry_tracer import export_traces
    from codegym_mcp.runtime.open_file_limit import raise_open_file_limit
    from codegym_mcp.server.workers.server_worker_process import serve_worker
    from codegym_mcp.server.workers.worker_settings import WorkerSettings

    settings = WorkerSettings.model_validate_json(sys.stdin.buffer.read())
    with suppress(OSError):
        # As the supervisor process: it holds the tokens and the answers.
        forbid_inspection()
    raise_open_file_limit()
    show_log_messages()
    export_traces("codegym-mcp server")
    try:
        run(lambda: serve_worker(settings))
    except CodegymError:
        # The supervisor process tells it.
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
