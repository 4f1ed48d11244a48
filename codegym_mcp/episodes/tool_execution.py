"""Executes a tool call and builds the result that the agent receives."""

from typing import Any, NamedTuple

from codegym_mcp.environment_definition.json_types import encode_json
from codegym_mcp.environment_definition.tools import Tool, result_text
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import CallResult, CallStatus
from codegym_mcp.episodes.events import CallEvent
from codegym_mcp.episodes.lost_process_replay import ReplayableEnvironment
from codegym_mcp.episodes.tool_outcome import OutcomeStatus, ToolOutcome
from codegym_mcp.errors import (
    BrokenContractError,
    CodegymError,
    EnvironmentLimitError,
    InvalidArgumentsError,
    LimitError,
)
from codegym_mcp.sandbox.process.process_messages import Role

_FAULT = CallResult(
    text="The tool failed inside the environment. Check the arguments, or use other tools.",
    status=CallStatus.FAULT,
)
_FAILED = CallResult(
    text="The environment failed. The episode has ended and will not be scored.",
    status=CallStatus.FAILED,
    over=True,
)


class ToolCallRequest(NamedTuple):
    """A tool call as the agent sent it."""

    name: str
    arguments: dict[str, Any]
    key: str | None = None
    """The idempotency key of the request, or None if the client sent none."""

    def check_size(self, limits: Limits) -> None:
        """Refuses a request that is too large to be stored, or that is not JSON data.

        Raises:
            InvalidArgumentsError: the request is refused.
        """
        try:
            size = len(encode_json([self.name, self.arguments]))
        except ValueError as error:
            raise InvalidArgumentsError(f"The call is not JSON data: {error}.") from None
        if size > limits.argument_bytes:
            raise InvalidArgumentsError(f"The call has {size} bytes, {limits.argument_bytes} are allowed.")

    def event(self, result: CallResult, *, digest: str = "", reason: str = "") -> CallEvent:
        """Returns the event that records this call with its result."""
        return CallEvent(
            name=self.name,
            arguments=self.arguments,
            key=self.key,
            result=result,
            digest=digest,
            reason=reason,
        )


async def execute_call(
    environment: ReplayableEnvironment, tool: Tool, request: ToolCallRequest, limits: Limits
) -> CallEvent:
    """Calls a tool of the environment, and returns the event that records the call.

    Args:
        request: its arguments are validated against the tool's schema.
    """
    try:
        outcome = await environment.perform(tool.name, request.arguments)
        return _event(request, tool, outcome, limits)
    except LimitError as error:
        # The call is undone: its process ends, and the next process does not replay it.
        environment.suspend()
        text = f"The call had no effect. {error.message}"
        return request.event(CallResult(text=text, status=CallStatus.LIMIT), reason=str(error))
    except CodegymError as error:
        return request.event(_FAILED, reason=str(error))


def _event(request: ToolCallRequest, tool: Tool, outcome: ToolOutcome, limits: Limits) -> CallEvent:
    if outcome.status is OutcomeStatus.FAULT:
        return request.event(_FAULT, digest=outcome.digest, reason=outcome.value)
    text = result_text(outcome.value)
    _check_result(text, limits)
    if outcome.status is OutcomeStatus.REFUSED:
        result = CallResult(text=text, status=CallStatus.REFUSED)
    else:
        result = CallResult(text=text, structured=_structure(tool, outcome.value))
    return request.event(result, digest=outcome.digest)


def _check_result(text: str, limits: Limits) -> None:
    size = len(text.encode())
    if size > limits.result_bytes:
        raise EnvironmentLimitError(
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
