"""What a tool call comes to: the environment acts, and the agent is told in words and data."""

from typing import Any, NamedTuple

from codegym_mcp.episode_interface import CallResult
from codegym_mcp.episodes.journal import digest
from codegym_mcp.episodes.replay import ActionOutcome, ReplayableEnvironment
from codegym_mcp.errors import BrokenContractError, CodegymError, InvalidArgumentsError, LimitError
from codegym_mcp.limits import Limits
from codegym_mcp.sandbox.process.environment_program import Role
from codegym_mcp.spec.json_types import encode_json
from codegym_mcp.spec.tools import Tool, result_text

_INTERNAL = "The tool failed inside the environment. Check the arguments, or go on with other tools."
_FAILED = CallResult(
    text="The environment has failed. The episode is over and is not held against you.",
    is_error=True,
    over=True,
)


class ToolCallRequest(NamedTuple):
    """What the agent asked for."""

    name: str
    arguments: dict[str, Any]
    key: str | None = None
    """Names the request, so that it can be sent again; None where the client gave it no name."""

    def check_size(self, limits: Limits) -> None:
        """Refuses what is too large to be kept, or cannot be kept as JSON.

        Raises:
            InvalidArgumentsError: it is.
        """
        try:
            size = len(encode_json([self.name, self.arguments]))
        except ValueError as error:
            raise InvalidArgumentsError(f"The call is not JSON data: {error}.") from None
        if size > limits.argument_bytes:
            raise InvalidArgumentsError(f"The call has {size} bytes, {limits.argument_bytes} are allowed.")


class ToolCallRecord(NamedTuple):
    """What a tool call came to, and what the journal keeps of it."""

    status: str
    """"ok", "refused" by the tool, "invalid", "fault" inside the tool, "limit" met, "failed" environment."""
    result: CallResult
    digest: str = ""
    """Of the environment's outcome; empty where the call left no trace in the environment."""
    reason: str = ""
    """What really happened, where the agent is not told; for people."""


async def execute_call(
    environment: ReplayableEnvironment, tool: Tool, arguments: dict[str, Any], limits: Limits
) -> ToolCallRecord:
    """Lets an environment act.

    Args:
        arguments: they fit the tool.
    """
    try:
        outcome = await environment.perform(tool.name, arguments)
        return _made(tool, outcome, limits)
    except LimitError as error:
        # The call is undone: the process goes, and the next one never sees this call.
        environment.suspend()
        told = f"The call had no effect. {error.message}"
        return ToolCallRecord("limit", CallResult(text=told, is_error=True), reason=str(error))
    except CodegymError as error:
        return ToolCallRecord("failed", _FAILED, reason=str(error))


def _made(tool: Tool, outcome: ActionOutcome, limits: Limits) -> ToolCallRecord:
    made = digest(outcome)
    if outcome.status == "fault":
        return ToolCallRecord("fault", CallResult(text=_INTERNAL, is_error=True), made, outcome.value)
    text = result_text(outcome.value)
    _check_result(text, limits)
    if outcome.status == "refused":
        return ToolCallRecord("refused", CallResult(text=text, is_error=True), made)
    return ToolCallRecord("ok", CallResult(text=text, structured=_structure(tool, outcome.value)), made)


def _check_result(text: str, limits: Limits) -> None:
    size = len(text.encode())
    if size > limits.result_bytes:
        raise LimitError(
            "result_bytes",
            limits.result_bytes,
            f"Its result has {size} bytes, {limits.result_bytes} are allowed.",
        )


def _structure(tool: Tool, value: Any) -> dict[str, Any]:
    try:
        return tool.structure(value)
    except InvalidArgumentsError as error:
        raise BrokenContractError(
            Role.TOOLS, f"The result of {tool.name} breaks its schema. {error.message}"
        ) from None
