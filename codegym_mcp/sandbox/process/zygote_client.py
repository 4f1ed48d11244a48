"""The server's end of the zygote: starts it, asks it for processes, and ends it."""

import asyncio
import contextlib
import functools
import json
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from codegym_mcp.errors import SandboxError
from codegym_mcp.sandbox.confinement.confinement_layers import Layer, Layers
from codegym_mcp.sandbox.process.frames import FrameReader, pack

_START_SECONDS = 30.0
_END_SECONDS = 5.0
_FORKS_AT_ONCE = 32
"""Requests on their way; more of them would only fill the socket."""

_layers_type = TypeAdapter(Layers)


@dataclass(frozen=True)
class ForkedProcess:
    """A confined process that waits for its part.

    Attributes:
        connection: our end of its channel.
        kill: ends it at once; to be called exactly once.
        clock: the processor time it has used, in seconds, until `kill`; None where the system has no pidfd.
    """

    connection: socket.socket
    kill: Callable[[], None]
    clock: Callable[[], float] | None

    def abandon(self) -> None:
        """Gives the process up before anything was made of it."""
        self.connection.close()
        self.kill()


class ZygoteClient:
    """A running zygote. Use `ZygoteClient.start()`.

    Attributes:
        layers: which layers of confinement stand, as the zygote found them.
        alive: whether it takes requests.
    """

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self.layers: Layers = {}
        self.alive = True
        self._process = process
        self._control = control
        self._reader = FrameReader()
        self._descriptors: deque[int] = deque()
        self._answers: deque[asyncio.Future[Any]] = deque()
        self._turns = asyncio.Semaphore(_FORKS_AT_ONCE)
        asyncio.get_running_loop().add_reader(control, self._take_answers)

    @classmethod
    async def start(cls, disabled: Collection[Layer] = (), *, hash_seed: int = 0) -> "ZygoteClient":
        """Starts a zygote and waits until it is confined.

        Args:
            disabled: layers to leave out; for tests alone.
            hash_seed: decides in which order processes iterate over sets of strings.

        Raises:
            SandboxError: it cannot be started.
        """
        if not hasattr(os, "fork") or not hasattr(socket, "send_fds"):
            raise SandboxError(
                "This system cannot hold environments in processes of their own.",
                hint="Use Linux, or a Linux container.",
            )
        try:
            server = await cls._exec(disabled, hash_seed)
        except OSError as error:
            raise SandboxError(f"The zygote cannot be started: {error}") from None
        try:
            async with asyncio.timeout(_START_SECONDS):
                server.layers = _layers_type.validate_python(await server._next_answer())
        except (SandboxError, ValidationError, TimeoutError) as error:
            await server.close()
            said = await server._last_words()
            raise SandboxError(
                f"The zygote did not start: {said or str(error) or 'it took too long'}."
            ) from None
        except BaseException:
            await server.close()
            raise
        return server

    @classmethod
    async def _exec(cls, disabled: Collection[Layer], hash_seed: int) -> "ZygoteClient":
        ours, theirs = socket.socketpair()
        with theirs:
            ours.setblocking(False)
            try:
                # -s -P: nothing from the user's or the working directory shadows a module. The hash seed and
                # the time zone are fixed so that sets are iterated, and dates read, the same in every run.
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *(
                        "-s",
                        "-P",
                        "-m",
                        "codegym_mcp.sandbox.process.zygote",
                        str(theirs.fileno()),
                        *disabled,
                    ),
                    pass_fds=[theirs.fileno()],
                    env={
                        "PYTHONHASHSEED": str(hash_seed),
                        "TZ": "UTC",
                        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                    },
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                )
            except BaseException:
                ours.close()
                raise
        return cls(process, ours)

    async def fork(self, memory: int) -> ForkedProcess:
        """Forks a confined process.

        Args:
            memory: address space that it may use, in bytes.

        Raises:
            SandboxError: there is none; `alive` says whether asking again can help.
        """
        async with self._turns:
            try:
                ours, theirs = socket.socketpair()
            except OSError as error:
                raise SandboxError(
                    f"No process could be started: {error.strerror}.",
                    hint="Raise the limit of open files (ulimit -n), or hold fewer episodes.",
                ) from None
            with theirs:
                ours.setblocking(False)
                answer = self._request({"fork": memory}, theirs.fileno())
            try:
                forked = await asyncio.shield(answer)
                return ForkedProcess(ours, self._killer(forked), _processor_clock(forked.get("pidfd")))
            except BaseException:
                ours.close()
                answer.add_done_callback(self._kill_unclaimed)
                raise

    def _request(self, request: dict[str, int], *descriptors: int) -> asyncio.Future[Any]:
        if self.alive:
            try:
                socket.send_fds(self._control, [pack(json.dumps(request).encode())], descriptors)
            except OSError:
                self._end("The zygote does not take requests.")
        return self._next_answer()

    def _next_answer(self) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.alive:
            self._answers.append(answer)
        else:
            answer.set_exception(SandboxError("The zygote has ended."))
        return answer

    def _take_answers(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 16)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        self._descriptors.extend(descriptors)
        if not data:
            self._end("The zygote ended.")
            return
        for body in self._reader.feed(data):
            self._settle(self._answers.popleft(), json.loads(body))

    def _settle(self, answer: asyncio.Future[Any], message: dict[str, Any]) -> None:
        if "error" in message:
            answer.set_exception(SandboxError(f"No process could be started: {message['error']}."))
        elif "pid" not in message or not self.layers[Layer.PIDFD].active:
            answer.set_result(message)
        elif self._descriptors:
            answer.set_result(message | {"pidfd": self._descriptors.popleft()})
        else:
            self._order_kill(message["pid"])
            answer.set_exception(
                SandboxError(
                    "No process could be started: there are too many open files.",
                    hint="Raise the limit of open files (ulimit -n), or hold fewer episodes.",
                )
            )

    def _killer(self, answer: dict[str, int]) -> Callable[[], None]:
        if "pidfd" in answer:
            return functools.partial(self._kill, answer["pid"], answer["pidfd"])
        return functools.partial(self._order_kill, answer["pid"])

    def _kill_unclaimed(self, answer: asyncio.Future[Any]) -> None:
        if not answer.cancelled() and answer.exception() is None:
            self._killer(answer.result())()

    def _kill(self, pid: int, pidfd: int) -> None:
        try:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        except ProcessLookupError:
            pass
        except PermissionError:
            # The process is no longer root, and this one is root without the right to kill.
            self._order_kill(pid)
        finally:
            os.close(pidfd)

    def _order_kill(self, pid: int) -> None:
        """Has the zygote kill a child; once it has ended itself, there is none left."""
        if self.alive:
            with contextlib.suppress(OSError):
                self._control.send(pack(json.dumps({"kill": pid}).encode()))

    def _end(self, reason: str) -> None:
        if self.alive:
            self.alive = False
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            while self._descriptors:
                os.close(self._descriptors.popleft())
            while self._answers:
                answer = self._answers.popleft()
                if not answer.done():
                    answer.set_exception(SandboxError(reason))

    async def _last_words(self) -> str:
        assert self._process.stderr is not None
        lines = (await self._process.stderr.read()).decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    async def close(self) -> None:
        """Ends the zygote and all processes that came from it, and waits for that."""
        self._end("The sandbox is closed.")
        try:
            # It has lost its socket, so it kills its children, takes their exit codes and ends.
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


def _processor_clock(pidfd: int | None) -> Callable[[], float] | None:
    """What tells the processor time that a process has used, in seconds; None where the system does not.

    Few processes are ever asked: which one it is, is looked up with the first question.
    """
    if pidfd is None:
        return None

    @functools.cache
    def clock() -> int | None:
        try:
            # The zygote knows its children by other numbers than this process does.
            with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as info:
                pid = next(int(line.split()[1]) for line in info if line.startswith("Pid:"))
        except (OSError, StopIteration):
            return None
        if pid <= 0:
            raise ProcessLookupError("the process has ended")
        # As clock_getcpuclockid(3) makes it.
        return (~pid << 3) | 2

    def used() -> float:
        number = clock()
        return time.clock_gettime(number) if number is not None else 0.0

    return used
