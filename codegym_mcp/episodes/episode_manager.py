"""All episodes of a server: opens, finds, resumes and expires them."""

import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import sha256

import anyio

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.events import EndedEvent, Event, OpenedEvent
from codegym_mcp.episodes.journal import Journal
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
        self._open: dict[str, Episode] = {}
        self._ended: dict[str, Episode] = {}

    @classmethod
    @asynccontextmanager
    async def serve(
        cls,
        catalog: Catalog,
        pool: SandboxPool,
        journal: Journal,
        *,
        open_limit: int = DEFAULT_OPEN_EPISODES,
        expire_idle: bool = True,
        resume: bool = True,
    ) -> AsyncIterator["EpisodeManager"]:
        """Manages episodes until the block is left.

        Episodes that are open when the block is left stay open in a journal that outlives the process;
        otherwise they are abandoned.

        Args:
            open_limit: how many episodes can be open at the same time.
            expire_idle: whether episodes end after `idle_seconds` without a call.
            resume: whether the open episodes of the journal continue. No other server may use the journal then.
        """
        episodes = cls(catalog, pool, journal, open_limit=open_limit)
        if resume:
            await episodes._resume()
        failure: Exception | None = None
        try:
            async with anyio.create_task_group() as tasks:
                if expire_idle:
                    tasks.start_soon(episodes._expire_forever)
                # An exception of the block is raised as it is, not in a group.
                try:
                    yield episodes
                except Exception as error:
                    failure = error
                tasks.cancel_scope.cancel()
        finally:
            # Calls in progress would lose their processes, which end next.
            with anyio.CancelScope(shield=True):
                for episode in list(episodes._open.values()):
                    await episode.cancel_actions()
                    if not journal.outlives_process:
                        await episode.close("The server stopped.", state=EpisodeState.ABANDONED)
        if failure is not None:
            raise failure

    async def find_task(
        self,
        environment: Environment,
        task: str | None,
        difficulty: int | None = None,
        seed: int | None = None,
    ) -> Task:
        """Returns the task with this id, or generates the task of this difficulty and seed.

        Args:
            task: the id of a fixed task. Without it and without a difficulty, the first task is returned.
            difficulty: from 1 to 5.
            seed: 0 if it is None.

        Raises:
            NotFoundError: the environment has no task with this id.
            TaskError: an id and a difficulty or seed were given, or a seed without a difficulty, or the
                environment has neither tasks nor a generator.
        """
        if task is not None and (difficulty is not None or seed is not None):
            raise TaskError("A task is chosen by its id, or by a difficulty and a seed, not by both.")
        if seed is not None and difficulty is None:
            raise TaskError("A seed needs a difficulty: a task is generated from both.")
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
            task: the task, or its id; see `find_task`.
            difficulty: see `find_task`.
            seed: see `find_task`.
            settings: the default limits without it.
            key: see `open`.

        Raises:
            NotFoundError: the environment or the task does not exist.
            SourceError: the environment's source cannot be used.
            TaskError: see `find_task` and `open`.
            LimitError: see `open`.
            CodegymError: the environment cannot be opened; see `Episode.open`.
        """
        found = self.catalog.get(environment) if isinstance(environment, str) else environment
        if isinstance(task, Task):
            if difficulty is not None or seed is not None:
                raise TaskError("A task was given, and a difficulty or a seed too. Give one of them.")
            found.check_task(task)
        else:
            task = await self.find_task(found, task, difficulty, seed)
        return await self.open(found, task, settings or EpisodeSettings(), key=key)

    async def open(
        self, environment: Environment, task: Task, settings: EpisodeSettings, *, key: str | None = None
    ) -> Episode:
        """Opens an episode.

        Args:
            key: the idempotency key of the request. The same request with the same key, also to a later server,
                returns the same episode.

        Raises:
            TaskError: the key was used to open another episode.
            LimitError: as many episodes are open as `open_limit` allows.
            CodegymError: the environment cannot be opened; see `Episode.open`. The key is used up.
        """
        chosen_id = sha256(key.encode()).hexdigest()[:16] if key is not None else None
        if chosen_id is not None:
            with suppress(NotFoundError):
                known = self.by_id(chosen_id)
                same_environment = known.environment.name == environment.name
                if same_environment and (known.full_task, known.settings) == (task, settings):
                    await known.wait_until_opened()
                    return known
                raise TaskError("Another episode was opened with this request key.", hint="Send a new key.")
        if len(self._open) >= self._open_limit:
            raise LimitError(
                "open_episodes",
                self._open_limit,
                f"{self._open_limit} episodes are open; close one, or raise the limit.",
            )
        episode = Episode(
            pool=self.pool,
            journal=self._journal,
            environment=environment,
            task=task,
            settings=settings,
            id=chosen_id,
        )
        self._add(episode)
        try:
            await episode.open()
        except JournalError:
            # The opening was not recorded: the same request may be made again.
            self._ended.pop(episode.id, None)
            raise
        return episode

    def by_id(self, episode_id: str) -> Episode:
        """Returns the episode with this id, open or ended.

        Raises:
            NotFoundError: no episode has this id.
            SourceError, JournalError: the episode ended in an earlier server, and cannot be read.
        """
        episode = self._open.get(episode_id) or self._ended.get(episode_id)
        if episode is None:
            events = self._journal.events(episode_id)
            if not events:
                raise NotFoundError("episode", episode_id)
            episode = self._rebuild(episode_id, _opening(episode_id, events))
            episode.recall(events)
            if episode.state is EpisodeState.OPEN:
                # Its end could not be recorded.
                raise NotFoundError("episode", episode_id)
        return episode

    def by_token(self, token: str) -> Episode:
        """Returns the episode with this token, open or ended.

        Raises:
            NotFoundError: no episode has this token; the error does not repeat the token.
        """
        with suppress(NotFoundError, SourceError):
            episode = self.by_id(token.partition("-")[0])
            if secrets.compare_digest(episode.token.encode(), token.encode()):
                return episode
        raise NotFoundError("episode", "", hint="Its address is wrong. Open a new one.")

    def forget(self, episode: Episode) -> None:
        """Removes an ended episode from memory, so that a long run does not collect them."""
        self._ended.pop(episode.id, None)
        self._journal.forget(episode.id)

    async def expire_idle(self, now: float) -> None:
        """Ends the open episodes that were idle for longer than their limits allow.

        Args:
            now: the current time, in seconds of `time.monotonic`.
        """
        for episode in list(self._open.values()):
            if episode.is_idle(now):
                idle = episode.settings.limits.idle_seconds
                reason = f"No call was made for {idle:g} seconds."
                await episode.close(reason, state=EpisodeState.EXPIRED)

    async def _expire_forever(self) -> None:
        while True:
            await anyio.sleep(_EXPIRY_SECONDS)
            await self.expire_idle(time.monotonic())

    async def _resume(self) -> None:
        """Continues the episodes that were open when the server that wrote the journal ended."""
        resumed: list[tuple[Episode, list[Event]]] = []
        for episode_id in self._journal.open_episodes():
            events = self._journal.events(episode_id)
            try:
                opened = _opening(episode_id, events)
                episode = self._rebuild(episode_id, opened)
                if episode.environment.program.digest != opened.program:
                    raise TaskError(f"{opened.environment} has changed since the episode was opened.")
            except (NotFoundError, SourceError, TaskError) as error:
                ended = EndedEvent(state=EpisodeState.FAILED, reason=str(error))
                await self._journal.append(episode_id, len(events), ended)
                continue
            self._add(episode)
            resumed.append((episode, events))
        async with anyio.create_task_group() as tasks:
            for episode, events in resumed:
                tasks.start_soon(episode.resume, events)

    def _rebuild(self, episode_id: str, opened: OpenedEvent) -> Episode:
        """Creates an episode of the journal, as it was when it was opened."""
        return Episode(
            pool=self.pool,
            journal=self._journal,
            environment=self.catalog.get(opened.environment),
            task=opened.task,
            settings=opened.settings,
            id=episode_id,
            token=opened.token,
        )

    def _add(self, episode: Episode) -> None:
        self._open[episode.id] = episode
        episode.on_end = self._move_to_ended

    def _move_to_ended(self, episode: Episode) -> None:
        self._open.pop(episode.id, None)
        self._ended[episode.id] = episode
        if len(self._ended) > _ENDED_KEPT:
            # The journal still holds the episode.
            self._ended.pop(next(iter(self._ended)))

    @property
    def open_count(self) -> int:
        """The number of open episodes."""
        return len(self._open)


def _opening(episode_id: str, events: Sequence[Event]) -> OpenedEvent:
    opened = events[0]
    if not isinstance(opened, OpenedEvent):
        raise JournalError(f"The journal of episode {episode_id} does not begin with its opening.")
    return opened
