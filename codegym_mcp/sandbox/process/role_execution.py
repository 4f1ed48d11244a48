"""What a confined process does in each role. Runs inside the sandbox; nothing it says is trusted.

A role is told its part in one message and then answers or asks over the channel. Messages to the server are
lists: `[id, status, value]`, where the status is "ok", "refused" (a ValueError of the environment, for the
agent), "fault" (any other exception), "memory", "too_large" or "not_json"; the oracle also sends
`[id, "call", name, arguments]` and receives `[status, value]`. Whoever serves tools receives
`[id, name, arguments]`; whoever serves those of many episodes, `[id, "open", episode, configuration]`,
`[id, "call", episode, name, arguments]` and, without an answer, `["close", episode]`.
"""

import marshal
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from codegym_mcp.sandbox.language.guarded_builtins import make_namespace
from codegym_mcp.sandbox.language.safe_stdlib import SeededRandom
from codegym_mcp.sandbox.process.codegym_adapter import CodegymClass
from codegym_mcp.sandbox.process.frames import FrameChannel, FrameTooLargeError

Message = dict[str, Any]


def serve(channel: FrameChannel, namespace: dict[str, Any]) -> None:
    """Takes one role from the channel and plays it, again and again, until the other end closes.

    Args:
        channel: to the server.
        namespace: from `make_namespace`, and nobody else's.
    """
    message: Message = channel.receive_message()
    code = channel.receive()
    with suppress(EOFError):
        if message["role"] == "shared":
            answer(channel, 0, lambda: _shared(channel, message, code))
            return
        part = _PARTS[message["role"]]
        answer(channel, 0, lambda: part(channel, message, _load(code, namespace)))
        while True:
            # The same part for another task.
            message.update(channel.receive_message())
            answer(channel, 0, lambda: part(channel, message, namespace))


def _load(code: bytes, namespace: dict[str, Any]) -> dict[str, Any]:
    exec(marshal.loads(code), namespace)  # noqa: S102, S302 - our own code object, in a confined process
    return namespace


class _Answered(Exception):  # noqa: N818 - no error: the part has sent its answer itself
    """Raised by a part that has nothing more to send."""


def answer(channel: FrameChannel, number: int, action: Callable[[], Any]) -> None:
    """Runs an action and sends what it came to."""
    try:
        try:
            outcome = [number, "ok", action()]
        except _Answered:
            return
        except ValueError as error:
            outcome = [number, "refused", str(error)]
        except MemoryError:
            outcome = [number, "memory", ""]
        except EOFError:
            raise
        except _Fault as error:
            outcome = [number, "fault", str(error)]
        except Exception as error:
            # Whatever else the environment raised is reported, not handled.
            outcome = [number, "fault", describe(error)]
        channel.send_message(outcome)
    except FrameTooLargeError as error:
        channel.send_message([number, "too_large", error.length])
    except MemoryError:
        channel.send_message([number, "memory", ""])
    except (TypeError, ValueError, RecursionError) as error:
        channel.send_message([number, "not_json", f"{type(error).__name__}: {error}"[:500]])


def describe(error: BaseException) -> str:
    """An exception with the line of the environment's source where it arose."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == "<environment>"
    ]
    where = f" (line {lines[-1]})" if lines else ""
    try:
        text = str(error)
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text[:500]}{where}"


class _Served:
    """An environment that was opened for one task."""

    def __init__(self, message: Message, names: dict[str, Any], config: dict[str, Any]) -> None:
        self._names = names
        self._codegym = _codegym_class(message, names) if message["format"] == "codegym" else None
        made = self._codegym.open if self._codegym is not None else _opener(names)
        self._environment = _faultless(lambda: made(config))

    def act(self, name: str, arguments: dict[str, Any]) -> Any:
        if self._codegym is not None:
            return self._codegym.act(self._environment, name, arguments)
        return getattr(self._environment, name)(**arguments)

    def close(self) -> None:
        """Lets go of what it holds at once: functions and their module hold each other."""
        self._names.clear()


def _opener(names: Mapping[str, Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda config: names["Environment"](**config)


def _tools(channel: FrameChannel, message: Message, names: dict[str, Any]) -> Any:
    served = _Served(message, names, message["config"])

    def act(name: str, arguments: dict[str, Any]) -> Any:
        nonlocal served
        if name:
            return served.act(name, arguments)
        # Without a name it is the configuration of another task.
        served = _Served(message, names, arguments)
        return None

    channel.send_message([0, "ok", None])
    while True:
        number, name, arguments = channel.receive_message()
        answer(channel, number, lambda: act(name, arguments))  # noqa: B023 - called at once


def _shared(channel: FrameChannel, message: Message, code: bytes) -> Any:
    """Serves the tools of many episodes: each has its own namespace, and runs the same code in it."""
    module = marshal.loads(code)  # noqa: S302 - our own code object, in a confined process
    served: dict[int, _Served] = {}

    def start(episode: int, config: dict[str, Any]) -> None:
        namespace = make_namespace()
        _faultless(lambda: exec(module, namespace))  # noqa: S102 - as above
        served[episode] = _Served(message, namespace, config)

    channel.send_message([0, "ok", None])
    while True:
        match channel.receive_message():
            case [number, "open", episode, config]:
                answer(channel, number, lambda: start(episode, config))
            case [number, "call", episode, name, arguments]:
                answer(channel, number, lambda: served[episode].act(name, arguments))
            case ["close", episode] if episode in served:
                served.pop(episode).close()


def _codegym_class(message: Message, names: Mapping[str, Any]) -> CodegymClass:
    return CodegymClass(names[message["entry"]], message["infinite"])


def _reference(_channel: FrameChannel, message: Message, names: Mapping[str, Any]) -> Any:
    if message["format"] == "codegym":
        return _faultless(lambda: _codegym_class(message, names).reference(message["config"]))
    return _faultless(lambda: names["reference"](**message["config"]))


def _judge(_channel: FrameChannel, message: Message, names: Mapping[str, Any]) -> Any:
    if message["format"] == "codegym":
        codegym = _codegym_class(message, names)
        return _faultless(lambda: codegym.judge(message["config"], message["answer"]))
    return _faultless(lambda: names["accepts"](message["answer"], **message["config"]))


def _generate(_channel: FrameChannel, message: Message, names: Mapping[str, Any]) -> Any:
    source = SeededRandom(message["seed"])
    return _faultless(lambda: names["generate"](source, message["difficulty"]))


def _solve(channel: FrameChannel, message: Message, names: Mapping[str, Any]) -> Any:
    calls = CallChannel(channel)
    if message["format"] == "codegym":
        codegym = _codegym_class(message, names)
        _faultless(lambda: codegym.solve(lambda name, arguments: calls.call(name, arguments, raising=False)))
        calls.finish()
        raise _Answered
    return _faultless(lambda: names["solve"](OracleTools(calls, message["parameters"]), **message["public"]))


class OracleTools:
    """What an oracle holds: every attribute is a tool, and every call goes out over the channel."""

    def __init__(self, calls: "CallChannel", parameters: Mapping[str, list[str]]) -> None:
        self._calls = calls
        self._parameters = parameters

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name not in self._parameters:
            raise AttributeError(f"there is no tool named {name}")

        def call(*positional: Any, **arguments: Any) -> Any:
            if len(positional) > len(self._parameters[name]):
                raise TypeError(f"{name} takes {len(self._parameters[name])} arguments")
            arguments = dict(zip(self._parameters[name], positional, strict=False)) | arguments
            return self._calls.call(name, arguments, raising=True)

        return call


class CallChannel:
    """Carries an oracle's calls to the server."""

    def __init__(self, channel: FrameChannel) -> None:
        self._channel = channel
        self._number = 0

    def call(self, name: str, arguments: dict[str, Any], *, raising: bool) -> Any:
        self._number += 1
        self._channel.send_message([self._number, "call", name, arguments])
        status, value = self._channel.receive_message()
        if status != "ok" and raising:
            raise ValueError(value)
        return value

    def finish(self) -> None:
        self._channel.send_message([0, "finished", None])


class _Fault(Exception):  # noqa: N818 - wraps a ValueError that is no tool error
    """A ValueError raised where no agent is listening, so that it counts as a fault."""


def _faultless(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except ValueError as error:
        raise _Fault(describe(error)) from None


_PARTS: dict[str, Callable[[FrameChannel, Message, dict[str, Any]], Any]] = {
    "tools": _tools,
    "reference": _reference,
    "judge": _judge,
    "generate": _generate,
    "solve": _solve,
}
