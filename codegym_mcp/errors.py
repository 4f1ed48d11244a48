"""The errors of codegym-mcp.

    CodegymError
    ├── NotFoundError            no environment, task, tool, … has this name (also a KeyError)
    ├── EnvironmentFailedError   an environment cannot be used, or failed while it ran
    │   ├── SourceError          its file cannot be used: path, line, problem, next step
    │   ├── TaskError            a task cannot be generated, or does not fit its environment
    │   ├── EnvironmentFaultError  its code raised an exception that it should not raise
    │   │   └── BrokenContractError  it returned what is not JSON data, or not of the declared type
    │   ├── EnvironmentLimitError  it exceeded a limit of the episode (also a LimitError)
    │   └── WorkerLostError      its confined process ended, or violated the protocol
    ├── LimitError               a limit was exceeded: which, and its value
    ├── ToolError                a tool refused the call; the message is for the agent
    ├── InvalidArgumentsError    arguments do not fit the tool's schema (also a ValueError)
    ├── ClosedError              a runtime, episode, server or client is closed
    │   └── ForkedError          it belongs to the parent process of a fork
    ├── BlockingCallError        a blocking call would wait for its own thread (also a RuntimeError)
    ├── SandboxError             the sandbox cannot work on this machine
    ├── JournalError             the journal cannot be read or written
    │   └── EventsRemovedError   the events of an ended episode are no longer kept
    ├── UnwritableError          a file cannot be written
    ├── RunError                 a run directory cannot be created, read, written or resumed
    ├── ConnectionFailedError    an MCP server or the control plane cannot be reached or refuses a request
    ├── RemoteError              an error that another process of codegym-mcp raised
    ├── SynthesisError           environments cannot be synthesized or published
    ├── UnscoredError            an episode ended without a score, and a trainer needs one
    ├── MissingExtraError        an optional part is not installed; the hint is the command
    ├── ModelError               a language model gave no response: cause, HTTP status
    │   └── ContextOverflowError  the conversation is longer than the model can read
    └── RunHaltedError           no further episode of the run can succeed
        ├── ModelAccessError     the provider, the key, the account or the model cannot be used
        └── CeilingError         the run has used up its tokens or its budget

A message says what is wrong; `hint` says what to do next, or is empty. Both are meant for people. What an
agent may see is decided where it is sent, never here. Every error can be pickled.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from os import PathLike
from typing import Any, Literal

_MAX_NAME_CHARACTERS = 80
"""Maximum length of an unknown name in a message."""


class CodegymError(Exception):
    """The base of all errors that this project raises on purpose.

    Attributes:
        message: what is wrong, in one sentence.
        hint: what to do next, or the empty string.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        # The constructors of the subclasses take other arguments than the message.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[CodegymError], args: tuple[Any, ...], attributes: dict[str, Any]) -> CodegymError:
    """Creates an error from its pickled parts."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(attributes)
    return error


class EnvironmentFailedError(CodegymError):
    """An environment cannot be used, or failed while it ran; the machine and the server are not the cause."""


class SourceError(EnvironmentFailedError):
    """An environment's source cannot be used.

    Attributes:
        path: the file, or the record of a set, as the user named it.
        line: the line, starting at 1, or None if the whole file is meant.
        problem: what is wrong.
    """

    def __init__(self, path: str, line: int | None, problem: str, *, hint: str = "") -> None:
        self.path = path
        self.line = line
        self.problem = problem
        where = f"{path}:{line}" if line is not None else path
        super().__init__(f"{where}: {problem.rstrip('.')}.", hint=hint)


class NotFoundError(CodegymError, KeyError):
    """No environment, task, split, tool or episode has this name.

    Attributes:
        kind: "environment", "task", "split", "tool" or "episode".
        name: the unknown name; empty if it is secret.
        known: the names that exist.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str] = (), *, hint: str = "") -> None:
        self.kind = kind
        self.name = name
        self.known = sorted(known)
        shown = name if len(name) <= _MAX_NAME_CHARACTERS else f"{name[:_MAX_NAME_CHARACTERS]}…"
        message = f"There is no {kind} named {shown!r}." if name else f"There is no such {kind}."
        super().__init__(message, hint=hint or self._suggest())

    def _suggest(self) -> str:
        close = get_close_matches(self.name, self.known, n=3)
        if close:
            return f"Did you mean {' or '.join(close)}?"
        if 0 < len(self.known) <= 30:
            return f"Known: {', '.join(self.known)}."
        return ""


class TaskError(EnvironmentFailedError):
    """A task cannot be generated, or its configuration does not fit its environment."""


class ToolError(CodegymError):
    """A tool refused the call; the message is the environment's own, for the agent."""


class InvalidArgumentsError(CodegymError, ValueError):
    """The arguments or the submitted answer do not fit the declared schema."""


class LimitError(CodegymError):
    """A limit was exceeded.

    Attributes:
        limit: the name of the limit, as in `Limits`, or "open_episodes" or "open_files".
        value: the value of the limit, in the unit of `Limits`.
    """

    def __init__(self, limit: str, value: float, message: str, *, hint: str = "") -> None:
        self.limit = limit
        self.value = value
        super().__init__(message, hint=hint)


class EnvironmentLimitError(EnvironmentFailedError, LimitError):
    """An environment exceeded a limit of its episode."""


class EnvironmentFaultError(EnvironmentFailedError):
    """The environment's code raised an exception that it should not raise.

    Attributes:
        role: the part of the environment that failed: "tools", "reference", "solve", "generate", "judge" or
            "mistakes".
    """

    def __init__(self, role: str, message: str) -> None:
        self.role = role
        super().__init__(message)


class BrokenContractError(EnvironmentFaultError):
    """The environment returned a value that is not JSON data, or not of the declared type."""


class WorkerLostError(EnvironmentFailedError):
    """A confined process ended before it responded, or what it sent is not a message of the protocol."""


class ClosedError(CodegymError):
    """A runtime, an episode, a server or a client was used after it was closed."""


class ForkedError(ClosedError):
    """A runtime or an episode of the parent process was used in a forked child."""


class BlockingCallError(CodegymError, RuntimeError):
    """A blocking call was made on the thread whose event loop would have to answer it."""


class SandboxError(CodegymError):
    """The sandbox cannot work on this machine, or its zygote cannot be started."""


class JournalError(CodegymError):
    """The journal cannot be read or written."""


class EventsRemovedError(JournalError):
    """The events of an ended episode are no longer kept; its state and its verdict are."""


class UnwritableError(CodegymError):
    """A file cannot be written.

    Attributes:
        path: the file.
    """

    def __init__(self, path: PathLike[str], reason: str, *, hint: str = "") -> None:
        self.path = path
        super().__init__(f"{path} cannot be written: {reason}.", hint=hint)


class RunError(CodegymError):
    """A run directory cannot be created, read, written or resumed.

    Attributes:
        path: the run directory.
    """

    def __init__(self, path: PathLike[str], message: str, *, hint: str = "") -> None:
        self.path = path
        super().__init__(message, hint=hint)


class SynthesisError(CodegymError):
    """Environments cannot be synthesized as requested, or cannot be published."""


class ConnectionFailedError(CodegymError):
    """An MCP server or the control plane cannot be reached, or refuses a request."""


class RemoteError(CodegymError):
    """An error that another process of codegym-mcp raised.

    Attributes:
        kind: the name of the error's class.
    """

    def __init__(self, kind: str, message: str, *, hint: str = "") -> None:
        self.kind = kind
        super().__init__(message, hint=hint)


class UnscoredError(CodegymError):
    """An episode ended without a score, and the trainer that played it has no other way to say so.

    An unscored episode is not one with the reward 0: its environment or its server failed, not the agent.

    Attributes:
        episode: the id of the episode.
        outcome: the outcome of the episode, for example "failed".
    """

    def __init__(self, episode: str, outcome: str, reason: str) -> None:
        self.episode = episode
        self.outcome = outcome
        ending = f" {reason}" if reason else ""
        super().__init__(
            f"The episode {episode} has no reward; its outcome is {outcome}.{ending}",
            hint="Play the task again, or leave this sample out. Do not count it as 0.",
        )


class MissingExtraError(CodegymError):
    """An optional part of the installation is missing.

    Attributes:
        command: the command that installs it.
    """

    def __init__(self, what: str, command: str) -> None:
        self.command = command
        super().__init__(f"{what} needs an optional part that is not installed.", hint=f"Run: {command}")


class ModelError(CodegymError):
    """A language model gave no response, after all retries.

    Attributes:
        model: the model's name, with its provider.
        fault: "provider" if the provider failed or refused, "request" if no model could respond.
        status: the last HTTP status, or None if no response was received.
    """

    def __init__(
        self,
        model: str,
        message: str,
        *,
        fault: Literal["provider", "request"],
        status: int | None = None,
        hint: str = "",
    ) -> None:
        self.model = model
        self.fault = fault
        self.status = status
        super().__init__(message, hint=hint)


class ContextOverflowError(ModelError):
    """The conversation is longer than the model can read."""


class RunHaltedError(CodegymError):
    """The run cannot continue: every further episode would fail in the same way."""


class ModelAccessError(RunHaltedError):
    """The model cannot be used: no valid key, an empty account, or an unknown model."""


class CeilingError(RunHaltedError):
    """The run has used up its tokens or its budget.

    Attributes:
        ceiling: "tokens" or "cost".
        value: the ceiling, in tokens or US dollars.
    """

    def __init__(self, ceiling: Literal["tokens", "cost"], value: float, message: str, *, hint: str) -> None:
        self.ceiling = ceiling
        self.value = value
        super().__init__(message, hint=hint)
