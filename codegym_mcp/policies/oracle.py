"""The oracle: the environment's own `solve`, in a confined process that has only the tools."""

from typing import Any

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import CallResult, EpisodeProtocol
from codegym_mcp.errors import BrokenContractError
from codegym_mcp.sandbox.process.confined_process import ConfinedProcess
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import (
    CallReply,
    OracleCall,
    OracleFinished,
    ReplyStatus,
    Role,
    Solve,
)


class OraclePolicy:
    """Plays an episode with the environment's own solution.

    `solve` receives the public values of the task and the tools; its process has neither the environment nor
    the reference answer.
    """

    def __init__(self, pool: SandboxPool, environment: Environment, limits: Limits | None = None) -> None:
        self._pool = pool
        self._environment = environment
        self._limits = limits or Limits()

    async def play(self, episode: EpisodeProtocol) -> None:
        """Runs `solve` until it returns or the episode is over.

        Raises:
            EnvironmentFaultError: `solve` failed; `BrokenContractError` if its answer is refused.
            LimitError: `solve` took longer than `start_seconds` between two calls, or exceeded another limit.
            WorkerLostError, SandboxError, SourceError: its process was lost or could not be started.
        """
        process = await self._pool.start(
            self._environment.program,
            solve_assignment(self._environment, episode.task.public),
            self._limits,
        )
        try:
            await self._serve(process, episode)
        finally:
            process.kill()

    async def _serve(self, process: ConfinedProcess, episode: EpisodeProtocol) -> None:
        """Makes the calls that the process requests, until it has finished."""
        while True:
            message = await process.receive(self._limits.start_seconds)
            match message:
                case OracleCall(_, name, arguments):
                    result = await self._call(episode, name, arguments)
                    if result.over:
                        return
                    process.send_call_reply(solve_reply(self._environment, name, result))
                case OracleFinished():
                    return
                case _:
                    result = await episode.submit(process.result_of(message))
                    if result.is_error and not result.over:
                        raise BrokenContractError(
                            Role.SOLVE, f"The oracle's answer is refused. {result.text}"
                        )
                    return

    async def _call(self, episode: EpisodeProtocol, name: str, arguments: dict[str, Any]) -> CallResult:
        # A class in the CodeGym format submits its answer by a step like any other.
        if name == self._environment.submission.name and len(arguments) == 1:
            return await episode.submit(next(iter(arguments.values())))
        return await episode.call(name, arguments)


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
