"""Computes what plausible misunderstandings of a task would submit, as the environment names them."""

from typing import Any, NamedTuple

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.final_state import check_final_state
from codegym_mcp.errors import BrokenContractError, EnvironmentLimitError, InvalidArgumentsError
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import ComputeMistakes, Role


class Mistake(NamedTuple):
    """What an agent submits that has misunderstood a task in one way.

    Attributes:
        name: a short phrase for the misunderstanding.
        answer: the answer; None if the environment takes none.
        state: the final state; None if the environment declares none.
    """

    name: str
    answer: Any
    state: Any


async def compute_mistakes(
    pool: SandboxPool, environment: Environment, task: Task, limits: Limits
) -> list[Mistake]:
    """Returns the misunderstandings of a task, or an empty list if the environment names none.

    Raises:
        EnvironmentFaultError: `mistakes` failed; `BrokenContractError` if its result breaks the contract.
        LimitError, WorkerLostError, SandboxError: the misunderstandings could not be computed.
    """
    if not environment.names_mistakes:
        return []
    named = await pool.ask(environment.program, ComputeMistakes(task.config), limits)
    if not isinstance(named, dict):
        raise BrokenContractError(Role.MISTAKES, "mistakes returned no dict.")
    return [_read(environment, name, value) for name, value in named.items()]


def _read(environment: Environment, name: str, value: Any) -> Mistake:
    if environment.final_state is None:
        mistake = Mistake(name, value, None)
    else:
        expected = {"state", *(["answer"] if environment.takes_answer else [])}
        if not isinstance(value, dict) or value.keys() != expected:
            keys = " and ".join(sorted(expected))
            raise BrokenContractError(
                Role.MISTAKES, f"The mistake {name!r} is not a dict with the keys {keys}."
            )
        mistake = Mistake(name, value.get("answer"), value["state"])
    try:
        environment.submission.validate_arguments(environment.submission_arguments(mistake.answer))
        if environment.final_state is not None:
            check_final_state(environment.final_state, mistake.state)
    except (InvalidArgumentsError, BrokenContractError, EnvironmentLimitError) as error:
        raise BrokenContractError(
            Role.MISTAKES, f"The mistake {name!r} cannot be submitted. {error.message}"
        ) from None
    return mistake
