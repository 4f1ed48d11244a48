"""Obtains the final state of an environment at the submission, from the process that has acted."""

from typing import Any

from pydantic_core import to_json

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.tools import Tool
from codegym_mcp.episodes.lost_process_replay import ReplayableEnvironment
from codegym_mcp.errors import (
    BrokenContractError,
    EnvironmentFaultError,
    EnvironmentLimitError,
    InvalidArgumentsError,
    ToolError,
)
from codegym_mcp.sandbox.process.process_messages import Role

MAX_STATE_BYTES = 256 * 1024
"""Maximum size of a final state as JSON in bytes. State, answer and configuration share one message."""


async def obtain_final_state(runner: ReplayableEnvironment, environment: Environment) -> Any:
    """Returns the final state as plain data, or None if the environment declares none.

    Raises:
        EnvironmentFaultError: `final_state` failed; `BrokenContractError` if its result is not of its type.
        LimitError: the state is too large, or took too long.
        WorkerLostError, SandboxError, SourceError: the environment's process cannot be used.
    """
    if environment.final_state is None:
        return None
    try:
        state = await runner.final_state()
        check_final_state(environment.final_state, state)
    except ToolError as error:
        raise EnvironmentFaultError(Role.TOOLS, f"final_state raised a ValueError: {error.message}") from None
    except EnvironmentLimitError as error:
        raise EnvironmentLimitError(error.limit, error.value, f"final_state: {error.message}") from None
    except BrokenContractError as error:
        raise BrokenContractError(Role.TOOLS, f"final_state: {error.message}") from None
    except EnvironmentFaultError as error:
        raise EnvironmentFaultError(Role.TOOLS, f"final_state: {error.message}") from None
    return state


def check_final_state(declared: Tool, state: Any) -> None:
    """Checks a state against its declared type and the maximum size.

    Raises:
        BrokenContractError: the state is not of the declared type.
        EnvironmentLimitError: the state is too large.
    """
    size = len(to_json(state))
    if size > MAX_STATE_BYTES:
        raise EnvironmentLimitError(
            "state_bytes", MAX_STATE_BYTES, f"The state has {size} bytes, {MAX_STATE_BYTES} are allowed."
        )
    try:
        declared.structure(state)
    except InvalidArgumentsError as error:
        raise BrokenContractError(
            Role.TOOLS, f"The state is not of its declared type. {error.message}"
        ) from None
