"""The oracle: the environment's own `solve`, in a confined process that sees nothing but tools."""

from typing import Any

from pydantic_core import to_json

from codegym_mcp.episode_interface import CallResult, EpisodeProtocol
from codegym_mcp.errors import BrokenContractError
from codegym_mcp.limits import Limits
from codegym_mcp.sandbox.process.messages import Role
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.confined_process import ConfinedProcess
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
            Role.SOLVE,
            self._limits,
            **solve_message(self._environment, playable.task.public),
        )
        try:
            await self._follow(worker, playable)
        finally:
            worker.kill()

    async def _follow(self, worker: ConfinedProcess, playable: EpisodeProtocol) -> None:
        """Does what the process asks for until it has finished."""
        while True:
            frame: Frame = await worker.receive(self._limits.start_seconds)
            match frame:
                case [int(), "call", str(name), dict(arguments)]:
                    result = await self._act(playable, name, arguments)
                    if result.over:
                        return
                    worker.send(solve_reply(self._environment, name, result))
                case [0, "finished", None]:
                    return
                case _:
                    result = await playable.submit(worker.outcome(frame))
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


def solve_message(environment: Environment, public: dict[str, Any]) -> dict[str, Any]:
    """What a process that runs `solve` is told: the public values, and how tools are called."""
    parameters = {tool.name: [each.name for each in tool.parameters] for tool in environment.tools}
    return {"public": public, "parameters": parameters}


def solve_reply(environment: Environment, name: str, result: CallResult) -> bytes:
    """What `solve` is told of a call's result, as a frame's body."""
    if result.is_error:
        return to_json(("error", result.text))
    if result.structured is None:
        return to_json(("ok", result.value))
    return to_json(("ok", environment.tool(name).unwrap(result.structured)))
