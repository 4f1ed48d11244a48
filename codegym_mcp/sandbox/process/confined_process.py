"""The server's end of the channel to one confined process."""

import asyncio
import math
import re
import socket
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from pydantic_core import from_json, to_json

from codegym_mcp.errors import (
    BrokenContractError,
    EnvironmentFaultError,
    EnvironmentLimitError,
    ToolError,
    WorkerLostError,
)
from codegym_mcp.sandbox.process.deadline_timer import DeadlineTimer
from codegym_mcp.sandbox.process.forked_process import ForkedProcess
from codegym_mcp.sandbox.process.message_frames import MAX_FRAME, FrameReader, FrameTooLargeError, pack
from codegym_mcp.sandbox.process.process_messages import (
    START_NUMBER,
    Assignment,
    CallReply,
    CallTool,
    CloseEpisode,
    OpenSharedEpisode,
    ProcessMessage,
    Reply,
    ReplyStatus,
    encode_request,
    parse_process_message,
)

_UNREAD_MESSAGES = 2
_CLOCK_INTERVAL_SECONDS = 0.05
# The parser turns numbers beyond the range of floats into infinity. Few bodies contain anything similar.
_HUGE_NUMBER = re.compile(rb"[eE]\+?\d{3}|\d{309}")
_WRONG_MESSAGE = "The process sent something that is not a message of the protocol."


class _Allowance(NamedTuple):
    """How long the answer to a request may take."""

    seconds: float
    """Seconds of wall time."""
    latest: float
    """Latest time of the answer, on the loop's clock."""
    cpu_limit: float
    """While the process has used less processor time, in seconds, it may continue until `latest`."""


class ConfinedProcess(asyncio.Protocol):
    """A confined process with one role; it handles one request at a time.

    It is not trusted: if it sends anything that is not a message of the protocol, it is killed.

    Args:
        role: named in errors.
        forked: the process and its channel.
        cpu_grace: an answer may take this many times its allowed seconds, as long as the process has not
            received that much processor time. 1 means that only wall time counts.
    """

    def __init__(self, role: str, forked: ForkedProcess, *, cpu_grace: float = 1.0) -> None:
        self.role = role
        self._forked = forked
        self._cpu_grace = cpu_grace
        self._reader = FrameReader()
        self._messages: deque[ProcessMessage] = deque()
        self._arrival: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._number = START_NUMBER
        self._lost_reason: str | None = None
        self._ended = asyncio.Event()
        self._has_answered = False
        self._unread_limit = _UNREAD_MESSAGES
        self._deadline = DeadlineTimer(self._expire)
        self._allowance = _Allowance(0.0, 0.0, 0.0)
        self.on_end: Callable[[ConfinedProcess], object] | None = None

    @classmethod
    async def connect(cls, role: str, forked: ForkedProcess, *, cpu_grace: float = 1.0) -> "ConfinedProcess":
        """Takes over a forked process and its channel."""
        process = cls(role, forked, cpu_grace=cpu_grace)
        loop = asyncio.get_running_loop()
        if forked.connection.family == socket.AF_INET:
            await loop.create_connection(lambda: process, sock=forked.connection)
        else:
            await loop.create_unix_connection(lambda: process, sock=forked.connection)
        return process

    @property
    def alive(self) -> bool:
        """Whether the process can still answer."""
        return self._lost_reason is None

    # --- requests and their results

    async def call(self, name: str, arguments: Mapping[str, Any], *, seconds: float) -> Any:
        """Calls a tool of a served environment.

        Args:
            name: the tool.
            arguments: validated against the tool's schema by the caller.
            seconds: the process is killed if the result takes longer.

        Returns:
            The result, as plain JSON data.

        Raises:
            ToolError: the tool refused the call, with a message for the agent.
            EnvironmentFaultError: the environment's code failed.
            BrokenContractError: its result is not JSON data.
            LimitError: `call_seconds`, `memory_bytes` or `frame_bytes` was reached.
            WorkerLostError: the process ended, or violated the protocol.
        """
        return await self.result(self.send_call(name, arguments), seconds=seconds)

    async def reopen(self, config: Mapping[str, Any], *, seconds: float) -> None:
        """Opens another task in a process that serves the tools of one episode; only verification does this.

        Raises:
            EnvironmentFaultError, LimitError, WorkerLostError: as `call`.
        """
        await self.result(self.send_open(config), seconds=seconds)

    def send_call(self, name: str, arguments: Mapping[str, Any], *, episode: int = 0) -> int:
        """Sends a tool call without waiting; returns its number, for `result`.

        Raises:
            LimitError, WorkerLostError: as `send`.
        """
        self._number += 1
        self.send(to_json(encode_request(CallTool(self._number, episode, name, arguments))))
        return self._number

    def send_open(self, config: Mapping[str, Any], *, episode: int = 0) -> int:
        """Sends a request to open an episode without waiting; returns its number, for `result`.

        Raises:
            LimitError, WorkerLostError: as `send`.
        """
        self._number += 1
        self.send(to_json(encode_request(OpenSharedEpisode(self._number, episode, config))))
        return self._number

    def send_close(self, episode: int) -> None:
        """Closes an episode of a process that serves many.

        Raises:
            WorkerLostError: the process has ended.
        """
        self.send(to_json(encode_request(CloseEpisode(episode))))

    def send_call_reply(self, reply: CallReply) -> None:
        """Sends an oracle the result of its call.

        Raises:
            LimitError, WorkerLostError: as `send`.
        """
        self.send(to_json(reply))

    def assign_again(self, assignment: Assignment) -> None:
        """Sends another assignment of the same role; its result is that of number 0.

        Raises:
            LimitError, WorkerLostError: as `send`.
        """
        self.send(to_json(assignment))

    async def result(self, number: int = START_NUMBER, *, seconds: float) -> Any:
        """Waits for the result of a request; by default, of the assignment that the process started with.

        Raises:
            CodegymError: as `call`.
        """
        return self.result_of(await self.receive(seconds), number)

    def result_of(self, message: ProcessMessage, number: int = START_NUMBER) -> Any:
        """Returns the result that a message reports for a request.

        Raises:
            CodegymError: as `call`: the message reports an error, or is no reply to this request.
        """
        match message:
            case Reply(answered, status, value) if answered == number:
                match status:
                    case ReplyStatus.OK:
                        return value
                    case ReplyStatus.REFUSED:
                        raise ToolError(str(value))
                    case ReplyStatus.FAULT:
                        raise EnvironmentFaultError(self.role, str(value))
                    case ReplyStatus.NOT_JSON:
                        raise BrokenContractError(self.role, f"The result is not JSON data: {value}")
                    case ReplyStatus.MEMORY:
                        raise EnvironmentLimitError(
                            "memory_bytes", 0, "It needed more memory than is allowed."
                        )
                    case ReplyStatus.TOO_LARGE:
                        raise EnvironmentLimitError("frame_bytes", MAX_FRAME, "The result is too large.")
        self._lose(_WRONG_MESSAGE)
        raise WorkerLostError(_WRONG_MESSAGE)

    # --- frames

    def send(self, *bodies: bytes) -> None:
        """Sends frames, all at once.

        Raises:
            LimitError: a frame is larger than the protocol allows; nothing was sent.
            WorkerLostError: the process has ended.
        """
        if self._lost_reason is not None or self._transport is None:
            raise WorkerLostError(self._lost_reason or "The process was never connected.")
        try:
            self._transport.write(b"".join(map(pack, bodies)))
        except FrameTooLargeError:
            raise EnvironmentLimitError("frame_bytes", MAX_FRAME, "The request is too large.") from None

    async def receive(self, seconds: float) -> ProcessMessage:
        """Waits for the next message of the process.

        Raises:
            LimitError: no message arrived in time (`call_seconds`); the process has been killed.
            WorkerLostError: the process ended, or violated the protocol.
        """
        if not self._messages:
            if self._lost_reason is not None:
                raise WorkerLostError(self._lost_reason)
            loop = asyncio.get_running_loop()
            self._arrival = loop.create_future()
            now = loop.time()
            # Until its first answer, all processor time of the process counts towards that answer.
            used = self._cpu_seconds() if self._has_answered else 0.0
            self._allowance = _Allowance(seconds, now + seconds * self._cpu_grace, used + seconds)
            self._deadline.set(now + seconds)
            try:
                await self._arrival
            finally:
                self._deadline.remove()
                self._arrival = None
        self._has_answered = True
        return self._messages.popleft()

    def expect(self, messages: int) -> None:
        """Allows this many messages to arrive before they are received, for requests sent all at once."""
        self._unread_limit = max(messages, _UNREAD_MESSAGES)

    # --- the end

    def kill(self) -> None:
        """Ends the process at once; safe to call again."""
        self._lose("The process was ended.")

    async def ended(self) -> None:
        """Waits until the process has ended, which closes its end of the channel."""
        await self._ended.wait()

    def close_descriptors(self) -> None:
        """Closes this process's descriptors in a child after `os.fork`; the parent can still use it."""
        self._lost_reason = self._lost_reason or "The process belongs to the parent of this process."
        # Also those of a process that was killed: its channel is open until the loop has seen it close.
        self._forked.close_descriptors()

    def _cpu_seconds(self) -> float:
        """Returns the processor time used so far; infinity if the process has ended."""
        if self._cpu_grace <= 1:
            return 0.0
        if self._lost_reason is not None:
            return math.inf
        try:
            used = self._forked.cpu_seconds()
        except OSError:
            # It has ended, which `connection_lost` handles.
            return math.inf
        # Without a CPU clock only wall time counts.
        return math.inf if used is None else used

    def _expire(self) -> None:
        """Ends a process whose time is over."""
        now = asyncio.get_running_loop().time()
        seconds, latest, cpu_limit = self._allowance
        left = cpu_limit - self._cpu_seconds()
        if now < latest and left > 0:
            self._deadline.set(min(now + max(left, _CLOCK_INTERVAL_SECONDS), latest))
            return
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_exception(
                EnvironmentLimitError("call_seconds", seconds, f"It took longer than {seconds:g} seconds.")
            )
        self.kill()

    def _lose(self, reason: str) -> None:
        if self._lost_reason is not None:
            return
        self._lost_reason = reason
        self._deadline.stop()
        self._forked.kill()
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_exception(WorkerLostError(reason))

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose("The process ended unexpectedly.")
        self._ended.set()
        if self.on_end is not None:
            self.on_end(self)

    def data_received(self, data: bytes) -> None:
        if self._lost_reason is not None:
            return
        try:
            for body in self._reader.feed(data):
                frame = from_json(body, allow_inf_nan=False)
                if _HUGE_NUMBER.search(body) and not _is_finite(frame):
                    raise ValueError("a number beyond the range of floats")
                if len(self._messages) >= self._unread_limit:
                    raise ValueError("more messages than were requested")
                self._messages.append(parse_process_message(frame))
        except (FrameTooLargeError, ValueError) as error:
            self._messages.clear()
            self._lose(f"The process sent something that is not a frame of the protocol: {error}.")
            return
        if self._messages and self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)


def _is_finite(value: Any) -> bool:
    match value:
        case float():
            return math.isfinite(value)
        case list():
            return all(map(_is_finite, value))
        case dict():
            return all(map(_is_finite, value.values()))
    return True
