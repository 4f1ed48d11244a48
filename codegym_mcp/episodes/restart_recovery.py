"""Rebuilds episodes from the journal: those that ended, and those that an earlier server left open."""

import logging
from collections.abc import Callable

import anyio

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.events import EndedEvent, EpisodeRecord, OpenedEvent
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.errors import EnvironmentFailedError, JournalError, NotFoundError, TaskError
from codegym_mcp.sandbox.process.pool import SandboxPool

logger = logging.getLogger(__name__)


class EpisodeRecovery:
    """Rebuilds episodes from a journal."""

    def __init__(self, catalog: Catalog, pool: SandboxPool, journal: Journal) -> None:
        self._catalog = catalog
        self._pool = pool
        self._journal = journal

    def ended_episode(self, episode_id: str) -> Episode:
        """Returns an episode that has ended. A damaged episode has failed.

        Raises:
            NotFoundError: no episode with this id has ended, or its environment does not exist any more.
            SourceError: its environment cannot be used any more.
            JournalError: its opening is damaged, or the journal cannot be read.
        """
        record = self._journal.record(episode_id)
        if not record.events and not record.damage:
            raise NotFoundError("episode", episode_id)
        episode = self._rebuild(episode_id, record)
        episode.recall(record.events, damage=record.damage)
        if episode.state is EpisodeState.OPEN:
            # Its end could not be recorded.
            raise NotFoundError("episode", episode_id)
        return episode

    async def resume(self, register: Callable[[Episode], object]) -> None:
        """Continues the open episodes of the journal.

        An episode that cannot continue has failed: its end is recorded, and its events stay in the journal.

        Args:
            register: called with each episode before it continues.
        """
        resumed: list[tuple[Episode, EpisodeRecord]] = []
        for episode_id in self._journal.open_episodes():
            record = self._journal.record(episode_id)
            try:
                resumed.append((self._continue(episode_id, record), record))
            except (NotFoundError, EnvironmentFailedError, JournalError) as error:
                logger.error("Episode %r cannot continue and has failed: %s", episode_id, error)
                ended = EndedEvent(state=EpisodeState.FAILED, reason=str(error))
                await self._journal.append(episode_id, self._journal.next_number(episode_id), ended)
        async with anyio.create_task_group() as tasks:
            for episode, record in resumed:
                register(episode)
                tasks.start_soon(episode.resume, record.events)

    def _continue(self, episode_id: str, record: EpisodeRecord) -> Episode:
        if record.damage:
            raise JournalError(f"The journal of the episode is damaged: {record.damage}.")
        episode = self._rebuild(episode_id, record)
        opened = record.events[0]
        assert isinstance(opened, OpenedEvent)
        if episode.environment.program.digest != opened.program:
            raise TaskError(f"{opened.environment} has changed since the episode was opened.")
        episode.environment.check_task(episode.full_task)
        return episode

    def _rebuild(self, episode_id: str, record: EpisodeRecord) -> Episode:
        """Creates an episode as it was when it was opened."""
        opened = record.events[0] if record.events else None
        if not isinstance(opened, OpenedEvent):
            raise JournalError(f"The journal of episode {episode_id} is damaged: {record.damage}.")
        if opened.token.partition("-")[0] != episode_id:
            raise JournalError(f"The journal of episode {episode_id} is damaged: its token has another id.")
        return Episode(
            pool=self._pool,
            journal=self._journal,
            environment=self._catalog.get(opened.environment),
            task=opened.task,
            settings=opened.settings,
            id=episode_id,
            token=opened.token,
        )
