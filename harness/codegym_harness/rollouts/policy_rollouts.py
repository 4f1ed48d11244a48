"""Rollouts of a built-in agent in worker processes, so that all processors play.

Each worker holds the episodes that it plays. Between the agent and its episode there is no protocol: an MCP
client and server would take several times the processor time of everything else.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.episode_sources.episode_worker_service import EpisodeWorkerReady
from codegym_harness.processes.worker_process import WorkerProcess
from codegym_harness.records.trajectory import AgentInfo, Trajectory
from codegym_harness.rollouts.policy_worker_service import Operation, PolicyWorkerOptions
from codegym_mcp.errors import ConnectionFailedError, RunHaltedError
from codegym_mcp.version import VERSION

_WORKER = "codegym_harness.rollouts.policy_worker_service"
_EPISODES_PER_WORKER = 30
"""Fewer episodes take less time than the start of a worker for them."""


class PolicyRollouts:
    """Rollouts of a built-in agent. It implements `Rollouts`. Use `PolicyRollouts.start`.

    Attributes:
        agent: the agent's name and version.
        ready: the environments of the workers.
    """

    ready: EpisodeWorkerReady

    def __init__(self, options: PolicyWorkerOptions, stack: AsyncExitStack) -> None:
        self.agent = AgentInfo(name=options.agent, version=VERSION)
        self._options = options
        self._stack = stack
        self._playing: dict[WorkerProcess, int] = {}
        """How many episodes each worker plays at the moment."""

    @classmethod
    @asynccontextmanager
    async def start(cls, options: PolicyWorkerOptions) -> AsyncIterator["PolicyRollouts"]:
        """Starts one worker. Workers end when the block is left.

        Raises:
            ConnectionFailedError: the worker does not start.
            RemoteError: the worker cannot play on this system.
        """
        async with AsyncExitStack() as stack:
            rollouts = cls(options, stack)
            (ready,) = await rollouts._add_workers(1)
            rollouts.ready = EpisodeWorkerReady.model_validate(ready)
            yield rollouts

    async def extend(self, episodes: int, concurrency: int) -> None:
        """Starts as many further workers as are of use.

        Args:
            episodes: the number of episodes to play.
            concurrency: the number of episodes that are played at the same time.

        Raises:
            ConnectionFailedError, RemoteError: as `start`.
        """
        count = worker_count(episodes, concurrency, usable_processors())
        await self._add_workers(count - len(self._playing))

    async def _add_workers(self, count: int) -> list[Any]:
        """Starts workers, all at once, and returns their first messages."""
        added = [
            await self._stack.enter_async_context(WorkerProcess.start(_WORKER, self._options))
            for _ in range(count)
        ]
        messages = [await worker.ready() for worker in added]
        self._playing |= dict.fromkeys(added, 0)
        return messages

    async def play(self, assignment: Assignment) -> Trajectory:
        """Plays one assignment in the worker that plays the fewest; see `Rollouts.play`."""
        worker = min(self._playing, key=self._playing.__getitem__)
        self._playing[worker] += 1
        try:
            line = await worker.send(Operation.PLAY, assignment.model_dump(exclude_defaults=True))
        except ConnectionFailedError as error:
            # The episode was lost with its worker. It is not recorded, so that a resumed run plays it.
            raise RunHaltedError(error.message, hint=error.hint) from None
        finally:
            self._playing[worker] -= 1
        return Trajectory.model_validate_json(line)


def worker_count(episodes: int, concurrency: int, processors: int) -> int:
    """Returns how many workers play a run."""
    return max(1, min(processors, concurrency, episodes // _EPISODES_PER_WORKER))


def usable_processors() -> int:
    """Returns the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
