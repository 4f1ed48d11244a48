"""Serves the tools of one episode, or of many, in a confined process. Runs inside the sandbox."""

import marshal
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from codegym_mcp.sandbox.language.environment_dialects import Dialect
from codegym_mcp.sandbox.language.guarded_builtins import make_namespace
from codegym_mcp.sandbox.process.codegym_format_adapter import CodegymAdapter
from codegym_mcp.sandbox.process.message_frames import FrameChannel
from codegym_mcp.sandbox.process.native_adapter import NativeAdapter
from codegym_mcp.sandbox.process.process_messages import (
    START_NUMBER,
    CallTool,
    CloseEpisode,
    OpenSharedEpisode,
    StartMessage,
    parse_request,
)
from codegym_mcp.sandbox.process.reply_sending import reply_with, without_refusal

Adapter = NativeAdapter | CodegymAdapter


def make_adapter(start: StartMessage, namespace: Mapping[str, Any]) -> Adapter:
    """Returns the adapter of the environment whose code has run in a namespace."""
    if start.dialect == Dialect.CODEGYM:
        return CodegymAdapter(namespace[start.entry], start.infinite)
    return NativeAdapter(namespace, one_config=start.one_config)


class _OpenEnvironment:
    """An environment that was opened for one task."""

    def __init__(self, start: StartMessage, namespace: dict[str, Any], config: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._adapter = make_adapter(start, namespace)
        self._environment = without_refusal(lambda: self._adapter.open(config))

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        return self._adapter.act(self._environment, name, arguments)

    def close(self) -> None:
        """Frees its memory at once: functions and the namespace refer to each other."""
        self._namespace.clear()


def serve_tools(channel: FrameChannel, start: StartMessage, namespace: dict[str, Any]) -> NoReturn:
    """Serves the tools of one episode; opening another one replaces it.

    Raises:
        EOFError: the server has closed the channel.
    """

    def open_environment(_episode: int, config: Mapping[str, Any]) -> _OpenEnvironment:
        return _OpenEnvironment(start, namespace, config)

    opened = {0: open_environment(0, start.assignment.config)}
    _serve_requests(channel, opened, open_environment)


def serve_shared_tools(channel: FrameChannel, start: StartMessage, code: bytes) -> NoReturn:
    """Serves the tools of many episodes: each has its own namespace, in which the same code runs.

    Raises:
        EOFError: the server has closed the channel.
    """
    module = marshal.loads(code)  # noqa: S302 - our own code object, in a confined process

    def open_environment(_episode: int, config: Mapping[str, Any]) -> _OpenEnvironment:
        namespace = make_namespace()
        without_refusal(lambda: exec(module, namespace))  # noqa: S102 - as above
        return _OpenEnvironment(start, namespace, config)

    _serve_requests(channel, {}, open_environment)


def _serve_requests(
    channel: FrameChannel,
    opened: dict[int, _OpenEnvironment],
    open_environment: Callable[[int, Mapping[str, Any]], _OpenEnvironment],
) -> NoReturn:
    def open_episode(episode: int, config: Mapping[str, Any]) -> None:
        opened[episode] = open_environment(episode, config)

    reply_with(channel, START_NUMBER, lambda: None)
    while True:
        match parse_request(channel.receive_message()):
            case CallTool(number, episode, name, arguments):
                reply_with(channel, number, lambda: opened[episode].call(name, arguments))
            case OpenSharedEpisode(number, episode, config):
                reply_with(channel, number, lambda: open_episode(episode, config))
            case CloseEpisode(episode) if episode in opened:
                opened.pop(episode).close()
