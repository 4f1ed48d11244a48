"""The runtime that module-level functions share: the bundled environments with default settings."""

import os
import threading

from codegym_mcp.runtime.blocking_runtime import Runtime

_lock = threading.Lock()
_shared: Runtime | None = None


def shared_runtime() -> Runtime:
    """Returns the shared runtime of this process. It starts nothing before its first need."""
    global _shared  # noqa: PLW0603 - one for the process is the point
    with _lock:
        if _shared is None or _shared.thread.closed or _shared.thread.forked:
            _shared = Runtime()
        return _shared


def _forget() -> None:
    global _shared, _lock
    _shared, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
