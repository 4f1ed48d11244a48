"""The errors of codegym-mcp.

    CodegymError
    ├── SourceError              an environment's file cannot be used: path, line, problem, what to do
    ├── NotFoundError            a name that nothing answers to: environment, task, tool, episode
    ├── TaskError                a task cannot be made or does not fit its environment
    ├── ToolCallError            what a tool call came to when it did not come to a result
    │   ├── ToolError            the tool refused, in words meant for the agent
    │   └── InvalidArgumentsError  the arguments do not fit the tool's schema
    ├── LimitError               a limit was met: which, and its value
    ├── EnvironmentFaultError    the environment's own code failed
    │   └── BrokenContractError  it returned what it has no right to: not JSON data, not the declared type
    ├── EpisodeOverError         the episode has ended and refuses every action
    ├── WorkerLostError          a confined process ended, or spoke garbage
    ├── SandboxError             the sandbox itself cannot work here
    ├── JournalError             the journal cannot be read or written
    ├── UnwritableError          a file cannot be written
    ├── RunError                 a run directory cannot be made, read, written, or gone on with
    ├── ConnectionFailedError    an MCP server or the control plane cannot be reached or refuses
    ├── RemoteError              what another process of ours raised: the kind of error
    ├── SynthesisError           environments cannot be synthesized here, or not published
    ├── MissingExtraError        an optional part is not installed; the hint is the command
    ├── ModelError               a language model gave no answer: whose fault, the status
    │   └── ContextOverflowError  the conversation has outgrown the model
    └── RunHaltedError           no episode that is still to be played could come to anything
        ├── ModelAccessError     the provider, the key, the account or the model itself will not do
        └── CeilingError         tokens or money that a run may use are used up

Every message says what is wrong; `hint`, where there is one, says what to do next. Both are meant for
people. What may be shown to an agent is decided where it is shown, never here.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from os import PathLike
from typing import Literal

_NAME_SHOWN = 80
"""The characters of an unknown name that a message repeats."""


class CodegymError(Exception):
    """The root of all errors that this project raises on purpose.

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


class SourceError(CodegymError):
    """An environment's source cannot be used.

    Attributes:
        path: the file, or the record of a set, as the user named it.
        line: the line, counted from one, or None where the whole file is meant.
        problem: what is wrong there.
    """

    def __init__(self, path: str, line: int | None, problem: str, *, hint: str = "") -> None:
        self.path = path
        self.line = line
        self.problem = problem
        where = f"{path}:{line}" if line is not None else path
        super().__init__(f"{where}: {problem.rstrip('.')}.", hint=hint)


class NotFoundError(CodegymError):
    """A name that nothing answers to.

    Attributes:
        kind: what was looked for: "environment", "task", "tool", "episode".
        name: the name that was asked for; empty where it must not be repeated.
        known: the names that exist, where they are few enough to be told.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str] = (), *, hint: str = "") -> None:
        self.kind = kind
        self.name = name
        self.known = sorted(known)
        shown = name if len(name) <= _NAME_SHOWN else f"{name[:_NAME_SHOWN]}…"
        message = f"There is no {kind} named {shown!r}." if name else f"There is no such {kind}."
        super().__init__(message, hint=hint or self._suggest())

    def _suggest(self) -> str:
        close = get_close_matches(self.name, self.known, n=3)
        if close:
            return f"Did you mean {' or '.join(close)}?"
        if 0 < len(self.known) <= 30:
            return f"Known: {', '.join(self.known)}."
        return ""


class TaskError(CodegymError):
    """A task cannot be made, or its configuration does not fit its environment."""


class ToolCallError(CodegymError):
    """A call that ended in words for the agent instead of a result."""


class ToolError(ToolCallError):
    """The environment's tool refused the call; the message is the environment's own, for the agent."""


class InvalidArgumentsError(ToolCallError):
    """The arguments, or the submitted answer, do not fit the declared schema."""


class LimitError(CodegymError):
    """A limit was met.

    Attributes:
        limit: the limit's name, as in `Limits`.
        value: the limit's value, in the unit of `Limits`.
    """

    def __init__(self, limit: str, value: float, message: str) -> None:
        self.limit = limit
        self.value = value
        super().__init__(message)


class EnvironmentFaultError(CodegymError):
    """The environment's own code failed: an exception it should not raise, a result that breaks its schema.

    Attributes:
        role: which part of the environment was running: "tools", "reference", "solve", "generate", "judge".
    """

    def __init__(self, role: str, message: str) -> None:
        self.role = role
        super().__init__(message)


class BrokenContractError(EnvironmentFaultError):
    """The environment returned what JSON cannot carry, or what its own declared type forbids."""


class EpisodeOverError(CodegymError):
    """The episode has ended; it refuses every further action.

    Attributes:
        state: the state in which the episode ended.
    """

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__(
            f"This episode is over ({state.replace('_', ' ')}). No further calls are accepted.",
            hint="Open a new episode to try again.",
        )


class WorkerLostError(CodegymError):
    """A confined process ended before it answered, or what it sent was not a frame of the protocol."""


class SandboxError(CodegymError):
    """The sandbox itself cannot work on this machine, or its zygote cannot be started."""


class JournalError(CodegymError):
    """The journal cannot be read or written."""


class UnwritableError(CodegymError):
    """A file cannot be written.

    Attributes:
        path: the file.
    """

    def __init__(self, path: PathLike[str], reason: str, *, hint: str = "") -> None:
        self.path = path
        super().__init__(f"{path} cannot be written: {reason}.", hint=hint)


class RunError(CodegymError):
    """A run directory cannot be made, read, written, or gone on with.

    Attributes:
        path: the run directory.
    """

    def __init__(self, path: PathLike[str], message: str, *, hint: str = "") -> None:
        self.path = path
        super().__init__(message, hint=hint)


class SynthesisError(CodegymError):
    """Environments cannot be synthesized as they were asked for, or what was made cannot be published."""


class ConnectionFailedError(CodegymError):
    """An MCP server or the control plane cannot be reached, or refuses the request."""


class RemoteError(CodegymError):
    """What another process of ours raised.

    Attributes:
        kind: the name of the error's type.
    """

    def __init__(self, kind: str, message: str, *, hint: str = "") -> None:
        self.kind = kind
        super().__init__(message, hint=hint)


class MissingExtraError(CodegymError):
    """An optional part of the installation is missing.

    Attributes:
        command: installs it.
    """

    def __init__(self, what: str, command: str) -> None:
        self.command = command
        super().__init__(f"{what} needs an optional part that is not installed.", hint=f"Run: {command}")


class ModelError(CodegymError):
    """A language model gave no answer, however often it was asked.

    Attributes:
        model: the model's name, with its provider.
        fault: "provider" for what failed or was refused there, "request" for what no model could answer.
        status: the HTTP status of the last answer, or None where there was none.
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
    """The run as a whole cannot go on: the next episode would meet the same."""


class ModelAccessError(RunHaltedError):
    """The model cannot be used at all: no key, a refused one, an empty account, or no such model."""


class CeilingError(RunHaltedError):
    """The run has used what it may use.

    Attributes:
        ceiling: "tokens" or "cost".
        value: what the run may use, in tokens or US dollars.
    """

    def __init__(self, ceiling: Literal["tokens", "cost"], value: float, message: str, *, hint: str) -> None:
        self.ceiling = ceiling
        self.value = value
        super().__init__(message, hint=hint)
