"""Runs an agent program in an enclosure, and ends every process that it starts."""

import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from subprocess import PIPE

import anyio
from anyio.abc import Process, TaskGroup

from codegym_harness.agent_enclosure.enclosure_options import Enclosure, Network
from codegym_harness.agent_enclosure.episode_relay import EpisodeRelay, forward_port
from codegym_harness.agent_enclosure.network_namespace import listening_ports, receive_listener
from codegym_harness.agent_enclosure.output_excerpt import OutputExcerpt
from codegym_harness.agent_enclosure.supervisor import SupervisorReport, SupervisorRequest
from codegym_harness.agent_enclosure.workspace import Workspace
from codegym_mcp.errors import CodegymError, RunHaltedError
from codegym_mcp.python_process import python_command
from codegym_mcp.sandbox.confinement import linux_functions

_DRAIN_SECONDS = 5
_REPORT_BYTES = 65536


class AgentProcess:
    """A program that is run once.

    Attributes:
        exit_code: the exit code; if negative, the number of the signal that ended it. None if it has not
            ended by itself.
        refused: by enclosure that the system refused, the reason.
        enclosure: what enclosed it; None if it was not started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        workspace: Workspace,
        environ: Mapping[str, str],
        readable: Sequence[Path] = (),
        network: Network = Network.HOST,
        relay: EpisodeRelay | None = None,
        enclosures: Sequence[Enclosure] = (Enclosure.NAMESPACES,),
    ) -> None:
        """Describes a program to run.

        Args:
            command: the path of the executable and its arguments.
            workspace: the folders that the program may change; it runs in `workspace.directory`.
            environ: all its environment variables.
            readable: files, folders and symbolic links that it may find besides, those above others first.
            network: what it may reach besides its episode.
            relay: the way to its episode, which is open while the program runs.
            enclosures: the enclosures to try, in their order.
        """
        self._workspace = workspace
        self._network = network
        self._relay = relay
        ports: list[int] | None = None
        if network is not Network.HOST:
            ports = [relay.port] if relay is not None else []
        if network is Network.LOOPBACK:
            ports = sorted({*(ports or []), *listening_ports()})
        self._request = SupervisorRequest(
            command=list(command),
            directory=str(workspace.directory),
            environ=dict(environ),
            enclosures=[enclosure.value for enclosure in enclosures],
            readable=[str(path) for path in readable],
            writable=[str(path) for path in workspace.writable],
            temporary=str(workspace.temporary),
            scratch=str(workspace.scratch),
            ports=ports,
        )
        self._stdout, self._stderr = OutputExcerpt(), OutputExcerpt()
        self.exit_code: int | None = None
        self.enclosure: Enclosure | None = None
        self.refused: dict[str, str] = {}

    @property
    def stdout(self) -> str:
        """The standard output so far; of a long one, the beginning and the end."""
        return self._stdout.text

    @property
    def stderr(self) -> str:
        """The standard error so far; of a long one, the beginning and the end."""
        return self._stderr.text

    async def run(self) -> None:
        """Runs the program until it ends, or until this is cancelled; then none of its processes is left.

        From then on, other programs of the same user cannot read this process's memory or environment.

        Raises:
            RunHaltedError: the program cannot be started, the system has none of the enclosures, or it is not
                Linux.
            CodegymError: the supervisor failed.
        """
        if sys.platform != "linux":
            raise RunHaltedError(
                f"Agent programs run on Linux only, and this system is {sys.platform}.",
                hint="Evaluate a model or a Python function instead, or use Linux.",
            )
        with suppress(OSError):
            linux_functions.forbid_inspection()
        reading, writing = os.pipe()
        listeners, supervisor_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listeners.setblocking(False)
        try:
            try:
                process = await _start_supervisor(writing, supervisor_end.fileno())
            finally:
                os.close(writing)
                supervisor_end.close()
            try:
                async with anyio.create_task_group() as tasks:
                    self._open_relay(tasks, listeners)
                    await self._attend(process)
                    tasks.cancel_scope.cancel()
            finally:
                report = _read_report(reading)
                self.exit_code = report.get("status")
                self.refused = report.get("unavailable", {})
                self.enclosure = Enclosure(report["enclosure"]) if "enclosure" in report else None
        finally:
            os.close(reading)
            listeners.close()
        self._check(report)

    def _check(self, report: SupervisorReport) -> None:
        if "error" in report:
            raise RunHaltedError(f"{self._request['command'][0]} cannot be started: {report['error']}.")
        if self.enclosure is None and self.refused:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in self.refused.items())
            raise RunHaltedError(
                f"This system refuses to enclose an agent program ({reasons}).",
                hint="Give --allow-unenclosed if the program may read everything that you can read.",
            )
        if self.enclosure is None:
            raise CodegymError(f"The supervisor of the program failed. {self.stderr.strip()}".strip())

    def _open_relay(self, tasks: TaskGroup, listeners: socket.socket) -> None:
        """Serves the episode at the machine's port, and at the listeners that the supervisor sends."""
        if self._relay is not None:
            tasks.start_soon(self._relay.serve)
        if self._network is not Network.HOST:
            tasks.start_soon(self._receive_listeners, tasks, listeners)

    async def _receive_listeners(self, tasks: TaskGroup, channel: socket.socket) -> None:
        while True:
            try:
                received = receive_listener(channel)
            except BlockingIOError:
                await anyio.wait_readable(channel)
                continue
            except ConnectionError:
                return
            if received is None:
                return
            port, listener = received
            if self._relay is not None and port == self._relay.port:
                tasks.start_soon(_serve_and_close, self._relay.serve_listener, listener)
            else:
                tasks.start_soon(_serve_and_close, partial(forward_port, port), listener)

    async def _attend(self, process: Process) -> None:
        """Waits for the supervisor; if this is cancelled, has the supervisor end all processes."""
        assert process.stdin is not None
        # What was written is read to its end, also after a cancellation.
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
                # A process that still has the other ends was not started by the program.
                reading.deadline = anyio.current_time() + _DRAIN_SECONDS

    async def _read(self, process: Process, scope: anyio.CancelScope) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        with scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._stdout.read, process.stdout)
                tasks.start_soon(self._stderr.read, process.stderr)


async def _serve_and_close(
    serve: Callable[[socket.socket], Awaitable[None]], listener: socket.socket
) -> None:
    with listener:
        await serve(listener)


async def _start_supervisor(report: int, listeners: int) -> Process:
    module = "codegym_harness.agent_enclosure.supervisor"
    return await anyio.open_process(
        python_command(module, str(report), str(listeners)),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        # The program can read the supervisor's variables where it has no processes of its own.
        env={},
        start_new_session=True,
        pass_fds=[report, listeners],
    )


def _read_report(descriptor: int) -> SupervisorReport:
    """Returns what the supervisor wrote before it ended."""
    os.set_blocking(descriptor, False)
    report: SupervisorReport = {}
    with suppress(BlockingIOError):
        for line in os.read(descriptor, _REPORT_BYTES).splitlines():
            part: SupervisorReport = json.loads(line)
            refused = report.get("unavailable", {}) | part.get("unavailable", {})
            report.update(part)
            if refused:
                report["unavailable"] = refused
    return report
