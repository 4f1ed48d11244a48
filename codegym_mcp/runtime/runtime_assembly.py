"""Assembles what episodes need: the catalog, the journal, the sandbox and the episode manager.

The server, the harness, verification and the Python API all open their episodes on such an assembly.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_shards import Shard
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.episodes.journal_shards import divide_journals
from codegym_mcp.episodes.open_episode_limit import DEFAULT_OPEN_EPISODES, OpenEpisodeLimit
from codegym_mcp.episodes.retention import Retention
from codegym_mcp.sandbox.process.pool import SERVING_CPU_GRACE, Isolation, SandboxPool
from codegym_mcp.storage.directory_lock import lock_directory

JOURNAL_FILE = Shard().journal_name
CURRICULUM_FILE = "curriculum.json"


@dataclass(frozen=True)
class RuntimeOptions:
    """How episodes are run.

    Attributes:
        isolation: "process" gives each episode a process of its own; "shared" puts episodes of one
            environment into one process, which takes less memory and promises less.
        limits: the limits of an episode that was opened without limits of its own.
        data: the folder of a journal that outlives the process; None keeps the journal in memory.
        open_limit: how many episodes may be open at once.
        expire_idle: whether an episode that is not used for `limits.idle_seconds` ends.
        resume: whether the open episodes of an earlier process are continued; it needs `data`, and no other
            process may use that folder meanwhile.
        allow_unconfined: whether environments run on a system that cannot confine them.
        retention: how long episodes are kept that have ended.
        shard: the part of all episodes that this process holds. One of several processes shares the data
            folder with the others, whose parent has locked it.
    """

    isolation: Isolation = "process"
    limits: Limits = field(default_factory=Limits)
    data: Path | None = None
    open_limit: int = DEFAULT_OPEN_EPISODES
    expire_idle: bool = True
    resume: bool = True
    allow_unconfined: bool = False
    retention: Retention = field(default_factory=Retention)
    shard: Shard = field(default_factory=Shard)

    @property
    def curriculum(self) -> Path | None:
        """The file of adaptive difficulties, in the data folder; None keeps them in memory."""
        return self.data / CURRICULUM_FILE if self.data is not None else None


@asynccontextmanager
async def assemble(
    catalog: Catalog, options: RuntimeOptions, *, open_episodes: OpenEpisodeLimit | None = None
) -> AsyncIterator[EpisodeManager]:
    """Opens an episode manager over a catalog. Its processes end when the block is left.

    Args:
        open_episodes: counts the open episodes of several processes; without it, those of this process are
            counted.

    Raises:
        SandboxError: environments cannot be confined here.
        JournalError: the data folder is in use by another process, or its journal cannot be opened.
    """
    async with AsyncExitStack() as stack:
        path = None
        if options.data is not None:
            if options.shard.count == 1:
                stack.enter_context(lock_directory(options.data, alone=options.resume))
                if options.resume:
                    divide_journals(options.data, 1)
            path = options.data / options.shard.journal_name
        journal = stack.enter_context(Journal.open(path))
        pool = await stack.enter_async_context(
            SandboxPool.open(
                allow_unconfined=options.allow_unconfined,
                cpu_grace=SERVING_CPU_GRACE,
                isolation=options.isolation,
            )
        )
        yield await stack.enter_async_context(
            EpisodeManager.serve(
                catalog,
                pool,
                journal,
                open_limit=open_episodes or options.open_limit,
                expire_idle=options.expire_idle,
                resume=options.resume,
                retention=options.retention,
                shard=options.shard,
            )
        )
