"""Runs a program, and leaves no process of it."""

import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE

import anyio
from anyio.abc import ByteReceiveStream, Process

from codegym_harness.processes.supervisor import SupervisorReport, SupervisorRequest
from codegym_mcp.errors import CodegymError, RunHaltedError
from codegym_mcp.sandbox.confinement import linux_calls

OUTPUT_KEPT = 64 * 1024
"""Bytes of each output that are kept: of a longer one, the beginning and the end."""

_DRAIN_SECONDS = 5
_REPORT_BYTES = 65536


class AgentProcess:
    """A program that is run once.

    Attributes:
        exit_code: negative, the signal that ended it; None where it has not ended by itself.
        enclosed: whether it had a pid namespace and a mount namespace of its own.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        environ: Mapping[str, str],
        hidden: Collection[Path] = (),
        namespaces: bool = True,
    ) -> None:
        """A program that is to be run.

        Args:
            command: its path and its arguments.
            directory: where it runs.
            environ: its environment variables, all of them.
            hidden: existing files and directories that it is to find empty, where there are namespaces.
            namespaces: whether to use them where the system has them.
        """
        self._request = SupervisorRequest(
            command=list(command),
            directory=str(directory),
            environ=dict(environ),
            hidden=[str(path) for path in hidden],
            namespaces=namespaces,
        )
        self._stdout, self._stderr = _Excerpt(), _Excerpt()
        self.exit_code: int | None = None
        self.enclosed = False

    @property
    def stdout(self) -> str:
        """What it wrote there so far; of a long output, the beginning and the end."""
        return self._stdout.text

    @property
    def stderr(self) -> str:
        """What it wrote there so far; of a long output, the beginning and the end."""
        return self._stderr.text

    async def run(self) -> None:
        """Runs it until it ends, or until this is cancelled; then no process that it started is left.

        From then on no program of the same user can read this process's memory or environment.

        Raises:
            RunHaltedError: it cannot be started, or this system is not Linux.
            CodegymError: its warden failed.
        """
        if sys.platform != "linux":
            raise RunHaltedError("Agent programs run on Linux only: elsewhere nothing ends all they start.")
        with suppress(OSError):
            linux_calls.forbid_inspection()
        reading, writing = os.pipe()
        try:
            try:
                process = await _start_warden(writing)
            finally:
                os.close(writing)
            try:
                await self._attend(process)
            finally:
                report = _read_report(reading)
                self.exit_code = report.get("status")
                self.enclosed = self._request["namespaces"] and "unavailable" not in report
        finally:
            os.close(reading)
        if "error" in report:
            raise RunHaltedError(f"{self._request['command'][0]} cannot be started: {report['error']}.")
        if "started" not in report:
            raise CodegymError(f"The warden of the program failed. {self.stderr.strip()}".strip())

    async def _attend(self, process: Process) -> None:
        """Waits for the warden, and makes it end everything when nobody waits any more."""
        assert process.stdin is not None
        # What was written is read to its end, also when nobody waits any more.
        reading = anyio.CancelScope(shield=True)
        async with process, anyio.create_task_group() as tasks:
            tasks.start_soon(self._read, process, reading)
            try:
                with suppress(anyio.BrokenResourceError):
                    await process.stdin.send(json.dumps(self._request).encode() + b"\n")
                await process.wait()
            finally:
                with anyio.CancelScope(shield=True):
                    await process.stdin.aclose()
                    await process.wait()
                # Whoever could still hold the other ends is none that the program started.
                reading.deadline = anyio.current_time() + _DRAIN_SECONDS

    async def _read(self, process: Process, scope: anyio.CancelScope) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        with scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._stdout.read, process.stdout)
                tasks.start_soon(self._stderr.read, process.stderr)


async def _start_warden(report: int) -> Process:
    return await anyio.open_process(
        [sys.executable, "-s", "-P", "-m", "codegym_harness.processes.supervisor", str(report)],
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        # The program can read it, and is to learn nothing from it.
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
        pass_fds=[report],
    )


def _read_report(descriptor: int) -> SupervisorReport:
    """What the warden wrote before it ended; less where somebody ended it."""
    os.set_blocking(descriptor, False)
    report: SupervisorReport = {}
    with suppress(BlockingIOError):
        for line in os.read(descriptor, _REPORT_BYTES).splitlines():
            report.update(json.loads(line))
    return report


class _Excerpt:
    """The beginning and the end of an output that may be long."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    async def read(self, stream: ByteReceiveStream) -> None:
        """Reads a stream to its end."""
        async for part in stream:
            self._add(part)

    def _add(self, part: bytes) -> None:
        half = OUTPUT_KEPT // 2
        room = half - len(self._head)
        self._head += part[:room]
        self._tail += part[room:]
        excess = len(self._tail) - half
        if excess > 0:
            self._dropped += excess
            del self._tail[:excess]

    @property
    def text(self) -> str:
        """What is kept, with a note where something is missing."""
        note = f"\n[… {self._dropped} bytes left out …]\n".encode() if self._dropped else b""
        return (self._head + note + self._tail).decode(errors="replace")
