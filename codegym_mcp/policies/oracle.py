"""The oracle: the environment's own `solve`, in a confined process that sees nothing but tools."""

from typing import Any

from codegym_mcp.episode_interface import CallResult, EpisodeProtocol
from codegym_mcp.errors import BrokenContractError
from codegym_mcp.limits import Limits
from codegym_mcp.sandbox.process.confined_process import ConfinedProcess
from codegym_mcp.sandbox.process.messages import (
    CallReply,
    OracleCall,
    OracleFinished,
    ReplyStatus,
    Role,
    Solve,
)
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.spec.environment import Environment


class OraclePolicy:
    """Plays as the environment's own solution does.

    It has the public values that whatever is played tells of the task, and the tools; the process that runs
    `solve` has neither the environment nor its reference answer.
    """

    def __init__(self, pool: SandboxPool, environment: Environment, limits: Limits | None = None) -> None:
        self._pool = pool
        self._environment = environment
        self._limits = limits or Limits()

    async def play(self, playable: EpisodeProtocol) -> None:
        """Runs `solve` to its end, or until the episode is over.

        Raises:
            EnvironmentFaultError: `solve` failed; `BrokenContractError` where its answer is refused.
            LimitError: `solve` thought for longer than `start_seconds` at a stretch, or met another limit.
            WorkerLostError, SandboxError, SourceError: its process was lost or could not be started.
        """
        worker = await self._pool.start(
            self._environment.program,
            solve_assignment(self._environment, playable.task.public),
            self._limits,
        )
        try:
            await self._follow(worker, playable)
        finally:
            worker.kill()

    async def _follow(self, worker: ConfinedProcess, playable: EpisodeProtocol) -> None:
        """Does what the process asks for until it has finished."""
        while True:
            message = await worker.receive(self._limits.start_seconds)
            match message:
                case OracleCall(_, name, arguments):
                    result = await self._act(playable, name, arguments)
                    if result.over:
                        return
                    worker.send_call_reply(solve_reply(self._environment, name, result))
                case OracleFinished():
                    return
                case _:
                    result = await playable.submit(worker.result_of(message))
                    if result.is_error and not result.over:
                        raise BrokenContractError(
                            Role.SOLVE, f"The oracle's answer is refused. {result.text}"
                        )
                    return

    async def _act(self, playable: EpisodeProtocol, name: str, arguments: dict[str, Any]) -> CallResult:
        # A CodeGym class submits by a step like any other.
        if name == self._environment.submission.name and len(arguments) == 1:
            return await playable.submit(next(iter(arguments.values())))
        return await playable.call(name, arguments)


def solve_assignment(environment: Environment, public: dict[str, Any]) -> Solve:
    """Returns the assignment that runs `solve` with a task's public values."""
    parameters = {tool.name: [each.name for each in tool.parameters] for tool in environment.tools}
    return Solve(public, parameters)


def solve_reply(environment: Environment, name: str, result: CallResult) -> CallReply:
    """Returns the result of a call as `solve` receives it."""
    if result.is_error:
        return CallReply(ReplyStatus.REFUSED, result.text)
    if result.structured is None:
        return CallReply(ReplyStatus.OK, result.value)
    return CallReply(ReplyStatus.OK, environment.tool(name).unwrap(result.structured))
