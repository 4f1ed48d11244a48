"""All episodes of a server: opens, finds, resumes and expires them."""

import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_counters import EpisodeCounters
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.episode_registry import EpisodeRegistry
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.episode_shards import Shard, id_of_key, id_of_token
from codegym_mcp.episodes.journal import Journal, Opening
from codegym_mcp.episodes.open_episode_limit import (
    DEFAULT_OPEN_EPISODES,
    OpenEpisodeLimit,
    ProcessOpenEpisodes,
)
from codegym_mcp.episodes.recent_tasks import RecentTasks
from codegym_mcp.episodes.restart_recovery import EpisodeRecovery
from codegym_mcp.episodes.retention import Retention
from codegym_mcp.errors import JournalError, NotFoundError, SourceError, TaskError
from codegym_mcp.sandbox.process.pool import SandboxPool

logger = logging.getLogger(__name__)

_UPKEEP_SECONDS = 1.0
"""Pause between two searches for idle episodes and for episodes that are kept no longer."""

_WHOLE = Shard()


class EpisodeManager:
    """The episodes of one server, by id and by token.

    Attributes:
        missing_hint: why an episode may be missing and what to do, for those who ask for it; usually empty.
    """

    def __init__(
        self,
        catalog: Catalog,
        pool: SandboxPool,
        journal: Journal,
        *,
        open_limit: OpenEpisodeLimit | int = DEFAULT_OPEN_EPISODES,
        retention: Retention | None = None,
        shard: Shard = _WHOLE,
    ) -> None:
        self.catalog = catalog
        self.pool = pool
        self.missing_hint = ""
        self._journal = journal
        self._retention = retention or Retention()
        limit = ProcessOpenEpisodes(open_limit) if isinstance(open_limit, int) else open_limit
        self._registry = EpisodeRegistry(journal, self._retention, limit)
        self._shard = shard
        self._recent = RecentTasks(pool)
        self._recovery = EpisodeRecovery(catalog, pool, journal)

    @classmethod
    @asynccontextmanager
    async def serve(
        cls,
        catalog: Catalog,
        pool: SandboxPool,
        journal: Journal,
        *,
        open_limit: OpenEpisodeLimit | int = DEFAULT_OPEN_EPISODES,
        expire_idle: bool = True,
        resume: bool = True,
        retention: Retention | None = None,
        shard: Shard = _WHOLE,
    ) -> AsyncIterator["EpisodeManager"]:
        """Manages episodes until the block is left.

        Episodes that are open when the block is left stay open in a journal that outlives the process;
        otherwise they are abandoned.

        Args:
            open_limit: how many episodes can be open at the same time, in this process or in several.
            expire_idle: whether episodes end after `idle_seconds` without a call.
            resume: whether the open episodes of the journal continue; no other server may use it then.
            retention: how long ended episodes are kept; the default retention without it.
            shard: the part of all episodes that this process holds; the journal has no others.
        """
        episodes = cls(catalog, pool, journal, open_limit=open_limit, retention=retention, shard=shard)
        if resume:
            await episodes._recovery.resume(episodes._registry.add)
        failure: Exception | None = None
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(episodes._maintain, expire_idle)
                # An exception of the block is raised as it is, not in a group.
                try:
                    yield episodes
                except Exception as error:
                    failure = error
                tasks.cancel_scope.cancel()
        finally:
            # Calls in progress would lose their processes, which end next.
            with anyio.CancelScope(shield=True):
                for episode in episodes._registry.open_episodes:
                    await episode.cancel_actions()
                    if not journal.outlives_process:
                        await episode.close("The server stopped.", state=EpisodeState.ABANDONED)
        if failure is not None:
            raise failure

    async def open_task(
        self,
        environment: str | Environment,
        *,
        task: str | Task | None = None,
        difficulty: int | None = None,
        seed: int | None = None,
        settings: EpisodeSettings | None = None,
        key: str | None = None,
    ) -> Episode:
        """Finds an environment and a task, and opens an episode.

        Args:
            environment: the environment, or its name in the catalog.
            task: the task, or its id; see `select_task`.
            difficulty: see `select_task`.
            seed: see `select_task`.
            settings: the default limits without it.
            key: see `open`.

        Raises:
            NotFoundError: the environment or the task does not exist.
            SourceError: the environment's source cannot be used.
            TaskError: see `select_task` and `open`.
            LimitError: see `open`.
            CodegymError: the environment cannot be opened; see `Episode.open`.
        """
        found = await self._find(environment) if isinstance(environment, str) else environment
        selected = await self._recent.select(found, task, difficulty, seed)
        return await self.open(found, selected, settings or EpisodeSettings(), key=key)

    async def select_task(
        self,
        environment: Environment,
        *,
        task: str | Task | None = None,
        difficulty: int | None = None,
        seed: int | None = None,
    ) -> Task:
        """Returns the task that `open_task` opens; a generated one is kept for the next episodes.

        Raises:
            CodegymError: see `select_task` in `episode_task`.
        """
        return await self._recent.select(environment, task, difficulty, seed)

    async def _find(self, name: str) -> Environment:
        """Returns the environment with a name; one that is read first does not hold up the event loop."""
        entry = self.catalog.entry(name)
        return entry.read() if entry.is_read else await anyio.to_thread.run_sync(entry.read)

    async def open(
        self, environment: Environment, task: Task, settings: EpisodeSettings, *, key: str | None = None
    ) -> Episode:
        """Opens an episode.

        Args:
            key: the idempotency key of the request. The same request with the same key returns the same
                episode, also from a later server.

        Raises:
            TaskError: the key was used to open another episode.
            LimitError: as many episodes are open as `open_limit` allows.
            CodegymError: the environment cannot be opened; see `Episode.open`. The key is used up.
        """
        chosen_id = id_of_key(key) if key is not None else self._shard.new_id()
        if key is not None:
            with suppress(NotFoundError):
                known = self.by_id(chosen_id)
                same_environment = known.environment.name == environment.name
                if same_environment and (known.full_task, known.settings) == (task, settings):
                    await known.wait_until_opened()
                    return known
                raise TaskError("Another episode was opened with this request key.", hint="Send a new key.")
        episode = Episode(
            pool=self.pool,
            journal=self._journal,
            environment=environment,
            task=task,
            settings=settings,
            id=chosen_id,
            recent=self._recent,
        )
        self._registry.add_new(episode)
        try:
            await episode.open()
        except JournalError:
            # The opening was not recorded: the same request may be made again.
            self._registry.remove(episode.id)
            raise
        return episode

    def by_id(self, episode_id: str) -> Episode:
        """Returns the episode with this id, open or ended.

        Raises:
            NotFoundError: no episode has this id.
            SourceError, JournalError: the episode ended in an earlier server, and cannot be read.
        """
        known = self._registry.find(episode_id)
        if known is not None:
            return known
        try:
            return self._recovery.ended_episode(episode_id)
        except NotFoundError as error:
            if error.kind != "episode" or not self.missing_hint:
                raise
            raise NotFoundError("episode", episode_id, hint=self.missing_hint) from None

    def by_key(self, key: str) -> Episode:
        """Returns the episode that was opened with this idempotency key, open or ended; see `by_id`."""
        return self.by_id(id_of_key(key))

    def by_token(self, token: str) -> Episode:
        """Returns the episode with this token, open or ended.

        Raises:
            NotFoundError: no episode has this token; the error does not repeat the token.
        """
        with suppress(NotFoundError, SourceError):
            episode = self.by_id(id_of_token(token))
            if secrets.compare_digest(episode.token.encode(), token.encode()):
                return episode
        hint = self.missing_hint or "Its address is wrong. Open a new one."
        raise NotFoundError("episode", "", hint=hint)

    def in_memory(self, token: str) -> Episode | None:
        """Returns the episode with this token, or None if it is unknown or only in the journal."""
        episode = self._registry.find(id_of_token(token))
        known = episode is not None and secrets.compare_digest(episode.token.encode(), token.encode())
        return episode if known else None

    def openings(self, *, before: Opening | None = None, limit: int) -> list[Opening]:
        """Returns the openings of episodes, open and ended; see `Journal.openings`."""
        return self._journal.openings(before=before, limit=limit)

    def forget(self, episode: Episode) -> None:
        """Removes an ended episode from memory, so that a long run does not collect them."""
        self._registry.remove(episode.id)

    async def expire_idle(self, now: float) -> None:
        """Ends the open episodes that were idle for longer than their limits allow.

        Args:
            now: the current time, in seconds of `time.monotonic`.
        """
        for episode in self._registry.open_episodes:
            if episode.is_idle(now):
                idle = episode.settings.limits.idle_seconds
                reason = f"No call was made for {idle:g} seconds."
                await episode.close(reason, state=EpisodeState.EXPIRED)

    async def remove_expired(self, now: float) -> None:
        """Removes the ended episodes that the retention does not keep, from memory and from the journal.

        Args:
            now: the current time, in seconds of `time.monotonic`.
        """
        self._registry.prune(now)
        keep = self._retention
        if keep.journal_seconds is not None or keep.journal_bytes is not None:
            before = time.time() - keep.journal_seconds if keep.journal_seconds is not None else None
            while self._journal.prune(ended_before=before, max_bytes=keep.journal_bytes):
                # A prune removes a few episodes: calls are answered in between.
                await anyio.lowlevel.checkpoint()

    async def _maintain(self, expire_idle: bool) -> None:
        while True:
            await anyio.sleep(_UPKEEP_SECONDS)
            now = time.monotonic()
            if expire_idle:
                await self.expire_idle(now)
            try:
                await self.remove_expired(now)
            except JournalError as error:
                # Nothing is lost: the next attempt removes the same episodes.
                logger.warning("Old episodes could not be removed. %s", error)

    @property
    def held(self) -> list[Episode]:
        """The episodes in memory; see `EpisodeRegistry.held`."""
        return self._registry.held

    @property
    def counters(self) -> EpisodeCounters:
        """What the episodes did since this server started."""
        return self._registry.counters

    @property
    def open_count(self) -> int:
        """The number of open episodes."""
        return self._registry.open_count

    @property
    def ended_count(self) -> int:
        """The number of ended episodes in memory."""
        return self._registry.ended_count
