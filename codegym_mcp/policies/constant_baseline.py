"""The `constant` baseline: submits the most frequent answer of other tasks without a call."""

from collections.abc import Mapping
from typing import Any

import anyio

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import EpisodeProtocol
from codegym_mcp.episodes.scoring import reference_answer
from codegym_mcp.sandbox.process.pool import SandboxPool


class ReferenceAnswers:
    """The reference answers of the fixed tasks of environments, each computed once."""

    def __init__(self, pool: SandboxPool, limits: Limits | None = None) -> None:
        self._pool = pool
        self._limits = limits or Limits()
        self._known: dict[Environment, dict[str, Any]] = {}
        self._lock = anyio.Lock()

    async def of(self, environment: Environment) -> Mapping[str, Any]:
        """Returns the reference answers of an environment by the id of the task, in the order of the tasks.

        Raises:
            EnvironmentFaultError, LimitError, WorkerLostError, SandboxError: an answer could not be computed.
        """
        async with self._lock:
            if environment not in self._known:
                self._known[environment] = {
                    task.id: await reference_answer(self._pool, environment, task, self._limits)
                    for task in environment.tasks
                }
        return self._known[environment]


class ConstantPolicy:
    """Submits the most frequent reference answer of the environment's other fixed tasks, without a call.

    It submits nothing if the environment has no other fixed task.
    """

    def __init__(self, environment: Environment, answers: ReferenceAnswers) -> None:
        self._environment = environment
        self._answers = answers

    async def play(self, episode: EpisodeProtocol) -> None:
        known = await self._answers.of(self._environment)
        others = [answer for task, answer in known.items() if task != episode.task.id]
        if others:
            await episode.submit(max(others, key=lambda answer: self._count(answer, others)))

    def _count(self, answer: Any, among: list[Any]) -> int:
        return sum(self._environment.answer.equal(other, answer) for other in among)
