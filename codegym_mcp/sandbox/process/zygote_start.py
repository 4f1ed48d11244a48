"""The operating system's process of a zygote: started by exec, awaited, killed.

It is started with `subprocess` on the calling thread, not with asyncio: the zygote dies with the thread that
started it, no helper thread or child watcher is needed, and it works on any thread's event loop.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Collection
from contextlib import suppress

from codegym_mcp.sandbox.confinement.confinement_layers import Layer
from codegym_mcp.sandbox.process.process_end import process_end

_MAX_STDERR = 1 << 16


class ZygoteProcess:
    """A started zygote.

    Args:
        control: the zygote's end of the control socket; it is inherited, and closed here by the caller.
        disabled: layers to leave out.
        hash_seed: decides in which order processes iterate over sets of strings.

    Raises:
        OSError: the interpreter cannot be started.
    """

    def __init__(self, control: socket.socket, disabled: Collection[Layer], hash_seed: int) -> None:
        ours, stderr = os.pipe()
        os.set_blocking(ours, False)
        self._stderr: int | None = ours
        try:
            # -s -P: no module is shadowed by one in the user's site directory or the working directory. The
            # hash seed and the time zone are fixed so that sets and dates are the same in every run.
            self._process = subprocess.Popen(
                (
                    sys.executable,
                    *("-s", "-P", "-m", "codegym_mcp.sandbox.process.zygote"),
                    *(str(control.fileno()), *disabled),
                ),
                pass_fds=[control.fileno()],
                env={
                    "PYTHONHASHSEED": str(hash_seed),
                    "TZ": "UTC",
                    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(stderr)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def kill(self) -> None:
        """Kills the process, and with it all that it forked."""
        self._process.kill()

    async def ended(self) -> None:
        """Waits until the process has ended. No thread is used, so it works while the interpreter ends."""
        await process_end(self._process)

    def close(self) -> str:
        """Closes the pipe of stderr.

        Returns:
            The last line that the process wrote to stderr.
        """
        stderr, self._stderr = self._stderr, None
        if stderr is None:
            return ""
        data = b""
        with suppress(BlockingIOError):
            data = os.read(stderr, _MAX_STDERR)
        os.close(stderr)
        lines = data.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def close_descriptors(self) -> None:
        """Closes the descriptors in a child after `os.fork`; the zygote is not affected."""
        # It is no child of this process: without a return code, `Popen` would warn that it still runs.
        self._process.returncode = 0
        stderr, self._stderr = self._stderr, None
        if stderr is not None:
            with suppress(OSError):
                os.close(stderr)
