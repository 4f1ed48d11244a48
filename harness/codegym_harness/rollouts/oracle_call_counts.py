"""Counts the calls that the oracle needs for generated tasks, whose files do not state it."""

from collections import defaultdict

import anyio

from codegym_harness.episode_sources.episode_source import Assignment, EpisodeSource
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.errors import CodegymError
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.sandbox.process.pool import SandboxPool


class OracleCallCounter:
    """Lets the oracle play each task once."""

    def __init__(self, pool: SandboxPool, catalog: Catalog, source: EpisodeSource) -> None:
        self._pool = pool
        self._catalog = catalog
        self._source = source
        self._counts: dict[str, int | None] = {}
        self._locks: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    async def count(self, assignment: Assignment) -> int | None:
        """Returns how many calls the oracle needs for a task, or None if it does not solve the task."""
        task = f"{assignment.environment}/{assignment.task_id}"
        async with self._locks[task]:
            if task not in self._counts:
                self._counts[task] = await self._play(assignment)
        return self._counts[task]

    async def _play(self, assignment: Assignment) -> int | None:
        try:
            async with self._source.open(assignment) as episode:
                assert episode.read_status is not None
                environment = self._catalog.get(assignment.environment)
                await OraclePolicy(self._pool, environment).play(episode.episode)
                status = await episode.read_status()
        except CodegymError:
            return None
        return status.calls if status.verdict is not None and status.verdict.correct else None
