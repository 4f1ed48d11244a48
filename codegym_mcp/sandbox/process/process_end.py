"""Waits for the end of a process that was started with `subprocess`, on any thread's event loop."""

import asyncio
import os
import subprocess

_POLL_SECONDS = 0.01


async def process_end(process: "subprocess.Popen[bytes]") -> int:
    """Waits until a process has ended, and returns its exit code.

    No thread is used, so it works while the interpreter ends.
    """
    code = process.poll()
    if code is not None:
        return code
    try:
        pidfd = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        while (code := process.poll()) is None:  # noqa: ASYNC110 - there is nothing to wait for
            await asyncio.sleep(_POLL_SECONDS)
        return code
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(pidfd, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
    return process.wait()
