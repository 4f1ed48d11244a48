"""All episodes of a server: how they are opened, found, resumed and given up."""

import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import sha256

import anyio
from pydantic import ValidationError

from codegym_mcp.episodes.episode import Episode, EpisodeSettings, EpisodeState, OpenedData
from codegym_mcp.episodes.journal import Event, Journal
from codegym_mcp.episodes.scoring import generate_task
from codegym_mcp.errors import JournalError, LimitError, NotFoundError, SourceError, TaskError
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.spec.catalog import Catalog
from codegym_mcp.spec.environment import Environment, Task

DEFAULT_OPEN_EPISODES = 1000
_EXPIRY_SECONDS = 1.0
_ENDED_KEPT = 1000


class EpisodeManager:
    """The episodes of one server, by id and by token."""

    def __init__(
        self,
        catalog: Catalog,
        pool: SandboxPool,
        journal: Journal,
        *,
        open_limit: int = DEFAULT_OPEN_EPISODES,
    ) -> None:
        self.catalog = catalog
        self.pool = pool
        self._journal = journal
        self._open_limit = open_limit
        self._by_id: dict[str, Episode] = {}
        self._ended: dict[str, Episode] = {}

    @classmethod
    @asynccontextmanager
    async def serve(
        cls, catalog: Catalog, pool: SandboxPool, journal: Journal, *, open_limit: int = DEFAULT_OPEN_EPISODES
    ) -> AsyncIterator["EpisodeManager"]:
        """Episodes that expire when idle, until the block is left; those left open in the journal go on."""
        episodes = cls(catalog, pool, journal, open_limit=open_limit)
        await episodes._resume()
        failure: Exception | None = None
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(episodes._expire_for_ever)
                # What the block raises comes out as it is, not in a group.
                try:
                    yield episodes
                except Exception as error:
                    failure = error
                tasks.cancel_scope.cancel()
        finally:
            # Whoever waits for what is under way has waited long enough, and processes are about to be ended.
            with anyio.CancelScope(shield=True):
                for episode in list(episodes._by_id.values()):
                    await episode.abandon()
        if failure is not None:
            raise failure

    async def find_task(
        self,
        environment: Environment,
        task: str | None,
        difficulty: int | None = None,
        seed: int | None = None,
    ) -> Task:
        """The task of that id, or the one of that difficulty and seed (0 without one); else the first.

        Raises:
            NotFoundError: there is no such task.
            TaskError: both ways were given, or the environment has neither tasks nor a generator.
        """
        if task is not None and (difficulty is not None or seed is not None):
            raise TaskError("A task has an id, or a difficulty and a seed, not both.")
        if seed is not None and difficulty is None:
            raise TaskError("A seed needs a difficulty: the two of them make a task.")
        if difficulty is not None:
            return await generate_task(self.pool, environment, difficulty, seed or 0)
        if task is not None:
            return environment.task(task)
        if environment.tasks:
            return environment.tasks[0]
        if environment.generates:
            return await generate_task(self.pool, environment, 1, 0)
        raise TaskError(
            f"{environment.name} has neither tasks nor a generator.",
            hint=f"Put tasks beside its file, in {environment.name}.jsonl, or write generate.",
        )

    async def open(
        self, environment: Environment, task: Task, settings: EpisodeSettings, *, key: str | None = None
    ) -> Episode:
        """Opens an episode.

        Args:
            key: names the request; made again, also of a later server, it opens no second episode.

        Raises:
            TaskError: an episode of something else was opened with the key.
            LimitError: `open_episodes` are open already.
            CodegymError: the environment cannot be opened; see `Episode.open`. With the same key it cannot be
                opened again.
        """
        chosen_id = sha256(key.encode()).hexdigest()[:16] if key is not None else None
        if chosen_id is not None:
            with suppress(NotFoundError):
                known = self.by_id(chosen_id)
                same_place = known.environment.name == environment.name
                if same_place and (known.full_task, known.settings) == (task, settings):
                    await known.opened()
                    return known
                raise TaskError("Another episode was opened with this request key.", hint="Send a new key.")
        if len(self._by_id) >= self._open_limit:
            raise LimitError(
                "open_episodes",
                self._open_limit,
                f"{self._open_limit} episodes are open; close one, or let the server allow more.",
            )
        episode = Episode(
            pool=self.pool,
            journal=self._journal,
            environment=environment,
            task=task,
            settings=settings,
            id=chosen_id,
        )
        self._keep(episode)
        try:
            await episode.open()
        except JournalError:
            # It was not opened, not even in vain: the same request may be made again.
            self._ended.pop(episode.id, None)
            raise
        return episode

    def by_id(self, episode_id: str) -> Episode:
        """The episode of that id, open or ended.

        Raises:
            NotFoundError: there is none.
            SourceError, JournalError: it ended in an earlier server, and cannot be recalled.
        """
        episode = self._by_id.get(episode_id) or self._ended.get(episode_id)
        if episode is None:
            events = self._journal.events(episode_id)
            if not events:
                raise NotFoundError("episode", episode_id)
            episode = self._rebuild(episode_id, events)
            episode.recall(events)
            if episode.state is EpisodeState.OPEN:
                # Its end could not be recorded, long ago.
                raise NotFoundError("episode", episode_id)
        return episode

    def by_token(self, token: str) -> Episode:
        """The episode of that token, open or ended.

        Raises:
            NotFoundError: there is none; the error does not repeat the token.
        """
        with suppress(NotFoundError, SourceError):
            episode = self.by_id(token.partition("-")[0])
            if secrets.compare_digest(episode.token.encode(), token.encode()):
                return episode
        raise NotFoundError("episode", "", hint="Its address is wrong. Open a new one.")

    def forget(self, episode: Episode) -> None:
        """Lets go of an ended episode that nobody will ask for, so that a long run does not gather them."""
        self._ended.pop(episode.id, None)
        self._journal.forget(episode.id)

    async def expire_idle(self, now: float) -> None:
        """Ends the open episodes that nobody has used for as long as their limits allow.

        Args:
            now: the present, in seconds of `time.monotonic`.
        """
        for episode in list(self._by_id.values()):
            if episode.is_idle(now):
                idle = episode.settings.limits.idle_seconds
                await episode.close(f"Nobody used it for {idle:g} seconds.")

    async def _expire_for_ever(self) -> None:
        while True:
            await anyio.sleep(_EXPIRY_SECONDS)
            await self.expire_idle(time.monotonic())

    async def _resume(self) -> None:
        """Takes up the episodes that were open when the server that wrote the journal ended."""
        resumed: list[tuple[Episode, list[Event]]] = []
        for found in self._journal.open_episodes():
            events = self._journal.events(found)
            try:
                episode = self._rebuild(found, events)
                if episode.environment.program.digest != events[0].data["program"]:
                    raise TaskError(f"{episode.environment.name} has changed since the episode was opened.")
            except (NotFoundError, SourceError, TaskError) as error:
                ended = {"state": EpisodeState.FAILED, "reason": str(error), "verdict": None}
                await self._journal.append(found, len(events), "ended", ended)
                continue
            self._keep(episode)
            resumed.append((episode, events))
        async with anyio.create_task_group() as tasks:
            for episode, events in resumed:
                tasks.start_soon(episode.resume, events)

    def _rebuild(self, episode_id: str, events: Sequence[Event]) -> Episode:
        """An episode of the journal, as it was when it was opened."""
        try:
            opened = OpenedData.model_validate(events[0].data)
        except ValidationError as error:
            raise JournalError(f"The journal of episode {episode_id} cannot be read: {error}.") from None
        return Episode(
            pool=self.pool,
            journal=self._journal,
            environment=self.catalog.get(opened.environment),
            task=opened.task,
            settings=opened.settings,
            id=episode_id,
            token=opened.token,
        )

    def _keep(self, episode: Episode) -> None:
        self._by_id[episode.id] = episode
        episode.on_end = self._let_go

    def _let_go(self, episode: Episode) -> None:
        self._by_id.pop(episode.id, None)
        self._ended[episode.id] = episode
        if len(self._ended) > _ENDED_KEPT:
            # The journal still has it.
            self._ended.pop(next(iter(self._ended)))

    @property
    def open_count(self) -> int:
        """How many episodes are open."""
        return len(self._by_id)
