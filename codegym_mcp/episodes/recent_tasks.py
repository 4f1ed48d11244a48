"""Generated tasks and reference answers of the last episodes, for episodes of the same task.

Group-based trainers such as GRPO open several episodes of each task. A generator and a reference are
functions of their arguments alone, as the gates of verification check, so that one process for each suffices.
"""

from collections import OrderedDict
from typing import Any, TypeVar

from codegym_mcp.environment_definition.environment import Environment, Task, generated_id
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_task import select_task
from codegym_mcp.episodes.scoring import reference_answer
from codegym_mcp.sandbox.process.pool import SandboxPool

_Key = tuple[str, str]
"""The digest of an environment, and the id of a task."""

V = TypeVar("V")


class RecentTasks:
    """What the last episodes have computed. Failures are not kept.

    Args:
        pool: starts the processes that compute it.
        kept: how many tasks, and how many reference answers, are kept.
    """

    def __init__(self, pool: SandboxPool, *, kept: int = 128) -> None:
        self._pool = pool
        self._kept = kept
        self._generated: OrderedDict[_Key, Task] = OrderedDict()
        self._references: OrderedDict[_Key, tuple[Task, Any]] = OrderedDict()

    async def select(
        self,
        environment: Environment,
        task: str | Task | None = None,
        difficulty: int | None = None,
        seed: int | None = None,
    ) -> Task:
        """Returns a task; see `select_task`."""
        if task is not None or difficulty is None:
            return await select_task(self._pool, environment, task, difficulty, seed)
        key = environment.digest, generated_id(difficulty, seed or 0)
        if key not in self._generated:
            generated = await select_task(self._pool, environment, None, difficulty, seed)
            self._keep(self._generated, key, generated)
        return self._generated[key]

    async def reference(self, environment: Environment, task: Task, limits: Limits) -> Any:
        """Returns the correct answer of a task; see `reference_answer`."""
        key = environment.digest, task.id
        if key in self._references:
            known, reference = self._references[key]
            if known == task:
                return reference
        reference = await reference_answer(self._pool, environment, task, limits)
        self._keep(self._references, key, (task, reference))
        return reference

    def _keep(self, entries: OrderedDict[_Key, V], key: _Key, value: V) -> None:
        entries[key] = value
        entries.move_to_end(key)
        if len(entries) > self._kept:
            entries.popitem(last=False)
