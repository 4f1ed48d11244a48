"""What a confined process does in each role. Runs inside the sandbox; `messages` describes the protocol."""

import marshal
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from codegym_mcp.sandbox.language.stdlib_replacements import SeededRandom
from codegym_mcp.sandbox.process.message_frames import FrameChannel
from codegym_mcp.sandbox.process.process_messages import (
    START_NUMBER,
    OracleCall,
    OracleFinished,
    ReplyStatus,
    Role,
    StartMessage,
    parse_assignment,
    parse_start_message,
)
from codegym_mcp.sandbox.process.reply_sending import NoReply, reply_with, without_refusal
from codegym_mcp.sandbox.process.tool_serving import make_adapter, serve_shared_tools, serve_tools


def serve(channel: FrameChannel, namespace: dict[str, Any]) -> None:
    """Receives a role and carries out its assignments until the server closes the channel.

    Args:
        channel: to the server.
        namespace: from `make_namespace`, and not used by any other process.
    """
    start = parse_start_message(channel.receive_message())
    code = channel.receive()
    with suppress(EOFError):
        if start.role is Role.SHARED:
            reply_with(channel, START_NUMBER, lambda: serve_shared_tools(channel, start, code))
            return
        run_role = _ROLES[start.role]
        reply_with(channel, START_NUMBER, lambda: run_role(channel, start, _load(code, namespace)))
        while True:
            again = start._replace(assignment=parse_assignment(start.role, channel.receive_message()))
            reply_with(channel, START_NUMBER, lambda: run_role(channel, again, namespace))  # noqa: B023


def _load(code: bytes, namespace: dict[str, Any]) -> dict[str, Any]:
    exec(marshal.loads(code), namespace)  # noqa: S102, S302 - our own code object, in a confined process
    return namespace


def _reference(_channel: FrameChannel, start: StartMessage, namespace: Mapping[str, Any]) -> Any:
    return without_refusal(lambda: make_adapter(start, namespace).reference(start.assignment.config))


def _judge(_channel: FrameChannel, start: StartMessage, namespace: Mapping[str, Any]) -> Any:
    config, submitted = start.assignment
    return without_refusal(lambda: make_adapter(start, namespace).judge(config, submitted))


def _generate(_channel: FrameChannel, start: StartMessage, namespace: Mapping[str, Any]) -> Any:
    seed, difficulty = start.assignment
    random = SeededRandom(seed)
    return without_refusal(lambda: make_adapter(start, namespace).generate(random, difficulty))


def _mistakes(_channel: FrameChannel, start: StartMessage, namespace: Mapping[str, Any]) -> Any:
    return without_refusal(lambda: make_adapter(start, namespace).mistakes(start.assignment.config))


def _solve(channel: FrameChannel, start: StartMessage, namespace: Mapping[str, Any]) -> Any:
    public, parameters = start.assignment
    adapter = make_adapter(start, namespace)
    calls = _CallChannel(channel, raising=adapter.refusals_raise)
    answer = without_refusal(lambda: adapter.solve(calls.call, parameters, public))
    if adapter.submits_by_call:
        channel.send_message(OracleFinished().encoded())
        raise NoReply
    return answer


class _CallChannel:
    """Sends an oracle's calls to the server and receives their results.

    Args:
        raising: whether a refused call raises ValueError; otherwise it returns the refusal's text.
    """

    def __init__(self, channel: FrameChannel, *, raising: bool) -> None:
        self._channel = channel
        self._raising = raising
        self._number = 0

    def call(self, name: str, arguments: dict[str, Any]) -> Any:
        self._number += 1
        self._channel.send_message(OracleCall(self._number, name, arguments).encoded())
        status, value = self._channel.receive_message()
        if status != ReplyStatus.OK and self._raising:
            raise ValueError(value)
        return value


_ROLES: dict[Role, Callable[[FrameChannel, StartMessage, dict[str, Any]], Any]] = {
    Role.TOOLS: serve_tools,
    Role.REFERENCE: _reference,
    Role.JUDGE: _judge,
    Role.GENERATE: _generate,
    Role.MISTAKES: _mistakes,
    Role.SOLVE: _solve,
}
