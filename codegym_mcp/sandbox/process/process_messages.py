"""The messages between the server and a confined process: who sends what, and how it is written as JSON.

A process first receives two frames: a `StartMessage` as JSON, then the marshalled code of its role. It
answers with a `Reply` numbered 0. What follows depends on the role:

| role | the server sends | the process sends |
|---|---|---|
| tools, shared | `OpenSharedEpisode`, `CallTool`, `CloseEpisode` | a `Reply` for each but `CloseEpisode` |
| solve | a `CallReply` for each call | `OracleCall`s, then a `Reply` numbered 0, or `OracleFinished` |
| all except tools and shared | another assignment of the same role, as JSON | a `Reply` numbered 0 |

Both ends import this module, so it uses only the standard library: pydantic would cost every confined process
memory. The server parses what a process sends with `parse_process_message`, because it does not trust it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

START_NUMBER = 0
"""The number of the reply to a start message. Requests are numbered from 1."""


class Role(StrEnum):
    """What a confined process does with an environment's source."""

    TOOLS = "tools"
    SHARED = "shared"
    """Serves the tools of many episodes in one process."""
    REFERENCE = "reference"
    JUDGE = "judge"
    SOLVE = "solve"
    GENERATE = "generate"
    MISTAKES = "mistakes"


class ReplyStatus(StrEnum):
    """How a request to a confined process ended."""

    OK = "ok"
    """The value is the result."""
    REFUSED = "refused"
    """The environment raised a ValueError; the value is its message, meant for the agent."""
    FAULT = "fault"
    """The environment raised another exception; the value describes it."""
    MEMORY = "memory"
    """The process reached its memory limit."""
    TOO_LARGE = "too_large"
    """The result does not fit into a frame; the value is its size in bytes."""
    NOT_JSON = "not_json"
    """The result is not JSON data; the value is the reason."""


# --- assignments: the part of the start message that depends on the role


class ServeTools(NamedTuple):
    """Serve the tools of one episode with this configuration."""

    config: Mapping[str, Any]


class ServeSharedTools(NamedTuple):
    """Serve the tools of many episodes, opened later by `OpenSharedEpisode`."""


class ComputeReference(NamedTuple):
    """Compute the reference answer for a configuration."""

    config: Mapping[str, Any]


class JudgeAnswer(NamedTuple):
    """Judge what was submitted with the environment's `accepts`.

    Attributes:
        config: the configuration of the task.
        submitted: the answer, the final state, or both in this order: the first arguments of `accepts`.
    """

    config: Mapping[str, Any]
    submitted: list[Any]


class GenerateConfig(NamedTuple):
    """Generate a task's configuration."""

    seed: str
    difficulty: int


class ComputeMistakes(NamedTuple):
    """Compute what plausible misunderstandings lead to for a configuration."""

    config: Mapping[str, Any]


class Solve(NamedTuple):
    """Run the environment's `solve`.

    Attributes:
        public: the public values of the task.
        parameters: the parameter names of each tool, in order.
    """

    public: Mapping[str, Any]
    parameters: Mapping[str, list[str]]


Assignment = (
    ServeTools | ServeSharedTools | ComputeReference | JudgeAnswer | GenerateConfig | ComputeMistakes | Solve
)

_ROLES: dict[type[Assignment], Role] = {
    ServeTools: Role.TOOLS,
    ServeSharedTools: Role.SHARED,
    ComputeReference: Role.REFERENCE,
    JudgeAnswer: Role.JUDGE,
    GenerateConfig: Role.GENERATE,
    ComputeMistakes: Role.MISTAKES,
    Solve: Role.SOLVE,
}
_ASSIGNMENTS = {role: assignment for assignment, role in _ROLES.items()}
_ROLE_NAMES = {str(role): role for role in Role}


def role_of(assignment: Assignment) -> Role:
    """Returns the role that carries out an assignment."""
    return _ROLES[type(assignment)]


def parse_assignment(role: Role, fields: list[Any]) -> Any:
    """Builds the assignment of a role from decoded JSON; the sender is the server, which is trusted."""
    return _ASSIGNMENTS[role](*fields)


class StartMessage(NamedTuple):
    """The first message to a process.

    Attributes:
        role: what the process does.
        dialect: the form of the environment's source, a `Dialect`.
        entry: the class that holds the tools.
        infinite: see `EnvironmentProgram`.
        one_config: see `EnvironmentProgram`.
        assignment: the first assignment.
    """

    role: Role
    dialect: str
    entry: str
    infinite: Mapping[str, Any]
    one_config: bool
    assignment: Any


def parse_start_message(frame: list[Any]) -> StartMessage:
    """Builds a start message from decoded JSON; the sender is the server, which is trusted."""
    name, dialect, entry, infinite, one_config, fields = frame
    # Looking members up by name instead of calling the enumeration keeps a process 150 KiB smaller.
    role = _ROLE_NAMES[name]
    return StartMessage(role, dialect, entry, infinite, one_config, parse_assignment(role, fields))


# --- from the server to a process that serves tools


class OpenSharedEpisode(NamedTuple):
    """Open an episode. In a process of one episode, it replaces the previous one."""

    number: int
    episode: int
    config: Mapping[str, Any]


class CallTool(NamedTuple):
    """Call a tool of an episode."""

    number: int
    episode: int
    name: str
    arguments: Mapping[str, Any]


class CloseEpisode(NamedTuple):
    """Close an episode; it is not answered."""

    episode: int


ToolRequest = OpenSharedEpisode | CallTool | CloseEpisode

_REQUEST_KINDS: dict[type[ToolRequest], str] = {
    OpenSharedEpisode: "open",
    CallTool: "call",
    CloseEpisode: "close",
}
_REQUESTS = {kind: request for request, kind in _REQUEST_KINDS.items()}


def encode_request(request: ToolRequest) -> tuple[Any, ...]:
    """Returns a request as a JSON array: its kind, then its fields."""
    return (_REQUEST_KINDS[type(request)], *request)


def parse_request(frame: list[Any]) -> Any:
    """Builds a `ToolRequest` from decoded JSON; the sender is the server, which is trusted."""
    return _REQUESTS[frame[0]](*frame[1:])


class CallReply(NamedTuple):
    """The result of a call that an oracle made: `ReplyStatus.OK` and a value, or REFUSED and a message."""

    status: ReplyStatus
    value: Any


# --- from a process to the server


class Reply(NamedTuple):
    """The outcome of the request with this number. In JSON: `[number, status, value]`."""

    number: int
    status: ReplyStatus
    value: Any


class OracleCall(NamedTuple):
    """A call that an oracle wants to make. In JSON: `[number, "call", name, arguments]`."""

    number: int
    name: str
    arguments: dict[str, Any]

    def encoded(self) -> tuple[Any, ...]:
        """Returns the message as a JSON array."""
        return (self.number, "call", self.name, self.arguments)


class OracleFinished(NamedTuple):
    """An oracle that has submitted by a call, and so has no answer. In JSON: `[0, "finished", null]`."""

    def encoded(self) -> tuple[Any, ...]:
        """Returns the message as a JSON array."""
        return (START_NUMBER, "finished", None)


ProcessMessage = Reply | OracleCall | OracleFinished

_STATUSES = {str(status): status for status in ReplyStatus}


def parse_process_message(frame: Any) -> ProcessMessage:
    """Checks what a confined process sent, decoded from JSON.

    Raises:
        ValueError: it is not one of the protocol's messages.
    """
    match frame:
        case [int(number), str(status), value] if status in _STATUSES:
            return Reply(number, _STATUSES[status], value)
        case [int(number), "call", str(name), dict(arguments)]:
            return OracleCall(number, name, arguments)
        case [0, "finished", None]:
            return OracleFinished()
    raise ValueError("not a message of the protocol")
