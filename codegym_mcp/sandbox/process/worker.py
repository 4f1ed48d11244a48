"""The server's end of one confined process."""

import asyncio
import math
import re
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from pydantic_core import from_json, to_json

from codegym_mcp.errors import (
    BrokenContractError,
    EnvironmentFaultError,
    LimitError,
    ToolError,
    WorkerLostError,
)
from codegym_mcp.sandbox.process.frames import MAX_FRAME, FrameReader, FrameTooLargeError, pack

Frame = list[Any]
_UNREAD_FRAMES = 2
_LOOK_SECONDS = 0.05
# The parser turns numbers beyond all floats into infinity. Few bodies have anything like one.
_HUGE_NUMBER = re.compile(rb"[eE]\+?\d{3}|\d{309}")


class ConfinedProcess(asyncio.Protocol):
    """A confined process that plays one role; one request at a time.

    It is not trusted: whatever it sends that is not a frame of the protocol is its end.
    """

    def __init__(self, role: str, kill: Callable[[], None]) -> None:
        self.role = role
        self._kill = kill
        self._reader = FrameReader()
        self._frames: deque[Frame] = deque()
        self._arrival: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._number = 0
        self._lost: str | None = None
        self._ended = asyncio.Event()
        self._patience = 1.0
        self._clock: Callable[[], float] | None = None
        self._has_answered = False
        self._unread = _UNREAD_FRAMES
        self._deadline: asyncio.TimerHandle | None = None
        self.on_end: Callable[[ConfinedProcess], object] | None = None

    @classmethod
    async def connect(
        cls, role: str, connection: socket.socket, kill: Callable[[], None]
    ) -> "ConfinedProcess":
        """Takes over the socket of a process that was just forked, and what kills it."""
        worker = cls(role, kill)
        await asyncio.get_running_loop().create_unix_connection(lambda: worker, sock=connection)
        return worker

    @property
    def alive(self) -> bool:
        """Whether the process can still answer."""
        return self._lost is None

    def start(self, message: bytes, code: bytes) -> None:
        """Hands the process its role, as JSON, and the role's code; the answer is still to be received."""
        self.send(message, code)

    async def call(self, name: str, arguments: dict[str, Any], *, seconds: float) -> Any:
        """Calls a tool of a served environment.

        Args:
            name: the tool.
            arguments: checked against the tool's schema by the caller.
            seconds: how long the answer may take; the process is killed when they are over.

        Returns:
            The result, as plain JSON data.

        Raises:
            ToolError: the tool refused, in words for the agent.
            EnvironmentFaultError: the environment's code failed.
            BrokenContractError: its result is not JSON data.
            LimitError: `call_seconds`, `memory_bytes` or `frame_bytes` was met.
            WorkerLostError: the process ended, or sent garbage.
        """
        number = self.request(name, arguments)
        return self.outcome(await self.receive(seconds), number)

    def request(self, *parts: Any) -> int:
        """Sends a request; returns the number that its answer, still to be received, will bear.

        Raises:
            LimitError, WorkerLostError: as `send`.
        """
        self._number += 1
        self.send(to_json([self._number, *parts]))
        return self._number

    def tell(self, *parts: Any) -> None:
        """Sends a message that is not answered.

        Raises:
            WorkerLostError: the process has ended.
        """
        self.send(to_json(parts))

    def send(self, *bodies: bytes) -> None:
        """Sends frames, all at once.

        Raises:
            LimitError: a frame is larger than the protocol carries; nothing was sent.
            WorkerLostError: the process has ended.
        """
        if self._lost is not None or self._transport is None:
            raise WorkerLostError(self._lost or "The process was never connected.")
        try:
            self._transport.write(b"".join(map(pack, bodies)))
        except FrameTooLargeError:
            raise LimitError("frame_bytes", MAX_FRAME, "The request is too large.") from None

    async def receive(self, seconds: float) -> Frame:
        """The next frame: `[number, status, value]` or an oracle's `[number, "call", name, arguments]`.

        Raises:
            LimitError: nothing came in time (`call_seconds`); the process has been killed.
            WorkerLostError: the process ended, or sent garbage.
        """
        if not self._frames:
            if self._lost is not None:
                raise WorkerLostError(self._lost)
            loop = asyncio.get_running_loop()
            self._arrival = loop.create_future()
            at = loop.time()
            # Before its first answer, all that the process has used was for that.
            used = self._used() if self._has_answered else 0.0
            latest = at + seconds * self._patience
            self._deadline = loop.call_at(at + seconds, self._expire, seconds, latest, used + seconds)
            try:
                await self._arrival
            finally:
                self._deadline.cancel()
                self._arrival = None
        self._has_answered = True
        return self._frames.popleft()

    def outcome(self, frame: Frame, number: int = 0) -> Any:
        """The value of a frame that answers request `number`, or the error that it reports."""
        match frame:
            case [int(answered), str(status), value] if answered == number:
                match status:
                    case "ok":
                        return value
                    case "refused":
                        raise ToolError(str(value))
                    case "fault":
                        raise EnvironmentFaultError(self.role, str(value))
                    case "not_json":
                        raise BrokenContractError(self.role, f"The result is not JSON data: {value}")
                    case "memory":
                        raise LimitError("memory_bytes", 0, "It needed more memory than is allowed.")
                    case "too_large":
                        raise LimitError("frame_bytes", MAX_FRAME, "The result is too large.")
        self._lose("The process sent something that is not a message of the protocol.")
        raise WorkerLostError("The process sent something that is not a message of the protocol.")

    def kill(self) -> None:
        """Ends the process at once; safe to call again."""
        self._lose("The process was ended.")

    async def ended(self) -> None:
        """Waits until the process has really ended, as the closing of its end of the channel shows."""
        await self._ended.wait()

    async def reopen(self, config: dict[str, Any], *, seconds: float) -> None:
        """Opens another task in a process that serves tools, for verification alone.

        Raises:
            EnvironmentFaultError, LimitError, WorkerLostError: as `call`.
        """
        await self.call("", config, seconds=seconds)

    def expect(self, frames: int) -> None:
        """Lets so many frames arrive before they are received, where they were asked for all at once."""
        self._unread = max(frames, _UNREAD_FRAMES)

    def be_patient(self, patience: float, clock: Callable[[], float]) -> None:
        """Lets the process have its seconds of processor time, however busy the machine is.

        Args:
            patience: how many times as long as allowed an answer may take.
            clock: the processor time that the process has used, in seconds.
        """
        self._patience = patience
        self._clock = clock

    def _used(self) -> float:
        if self._clock is None or self._patience <= 1:
            return 0.0
        if self._lost is not None:
            return math.inf
        try:
            return self._clock()
        except OSError:
            # It has ended, which is noticed elsewhere.
            return math.inf

    def _expire(self, seconds: float, latest: float, entitled: float) -> None:
        """Ends a process whose time is over.

        Args:
            seconds: how long its answer may take.
            latest: when it must have come, on the loop's clock.
            entitled: the processor time up to which it may go on until then, in seconds.
        """
        loop = asyncio.get_running_loop()
        left = entitled - self._used()
        if loop.time() < latest and left > 0:
            at = min(loop.time() + max(left, _LOOK_SECONDS), latest)
            self._deadline = loop.call_at(at, self._expire, seconds, latest, entitled)
            return
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_exception(
                LimitError("call_seconds", seconds, f"It took longer than {seconds:g} seconds.")
            )
        self.kill()

    def _lose(self, reason: str) -> None:
        if self._lost is not None:
            return
        self._lost = reason
        self._kill()
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
        if self._lost is not None:
            return
        try:
            for body in self._reader.feed(data):
                frame = from_json(body, allow_inf_nan=False)
                if _HUGE_NUMBER.search(body) and not _is_finite(frame):
                    raise ValueError("a number that no float can hold")
                if not isinstance(frame, list) or len(self._frames) >= self._unread:
                    raise ValueError("not a message that was asked for")
                self._frames.append(frame)
        except (FrameTooLargeError, ValueError) as error:
            self._frames.clear()
            self._lose(f"The process sent something that is not a frame of the protocol: {error}.")
            return
        if self._frames and self._arrival is not None and not self._arrival.done():
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
