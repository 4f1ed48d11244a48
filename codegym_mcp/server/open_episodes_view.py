"""Shows the episodes of a server in the viewer's page, call by call. Only the owner's token gives access."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from codegym_mcp.episode_viewer.episode_views import (
    STEPS_PER_REQUEST,
    EpisodeList,
    EpisodeListQuery,
    EpisodeQuery,
    EpisodeRow,
    EpisodeView,
    Excerpt,
    Facets,
    FacetValue,
    OtherAttempt,
    OtherAttempts,
    ReadProgress,
    RunView,
    SortField,
    TextQuery,
    TextSlice,
)
from codegym_mcp.episode_viewer.event_steps import EventSteps
from codegym_mcp.episode_viewer.oracle_solution import ORACLE, OraclePlays, play_oracle
from codegym_mcp.episode_viewer.viewer_data import ViewSource
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_outcome import EpisodeOutcome, EpisodeState
from codegym_mcp.errors import NotFoundError

RUN = "server"
"""The id under which the page shows the episodes of the server."""
_NAME = "episodes of this server"
_SHOWN = 2000
"""The maximum number of episodes in the list, the newest first."""


class ServerViewSource(ViewSource):
    """The episodes that a server holds in memory: the open ones, and ended ones as long as they are kept."""

    def __init__(self, episodes: EpisodeManager, *, run: str = RUN, name: str = _NAME) -> None:
        """
        Args:
            run: the id under which the page shows the episodes.
            name: what the page calls them.
        """
        self._episodes = episodes
        self._id = run
        self._name = name
        self._plays = OraclePlays()

    async def runs(self) -> list[RunView]:
        return [self._run()]

    async def episodes(self, query: EpisodeListQuery) -> EpisodeList:
        self._check(query.run)
        everything = self._rows()
        rows = [row for row in everything if _matches(row, query)]
        sort = query.sort or SortField.RECORDED
        if sort is not SortField.RECORDED:
            known = [row for row in rows if getattr(row, sort) is not None]
            known.sort(key=lambda row: getattr(row, sort), reverse=query.descending)
            rows = known + [row for row in rows if getattr(row, sort) is None]
        elif query.descending:
            rows.reverse()
        version = hash(tuple((row.id, row.outcome, row.calls) for row in everything)) & 0xFFFF_FFFF
        return EpisodeList(
            rows=rows[query.offset : query.offset + query.limit],
            total=len(rows),
            sort=sort,
            progress=ReadProgress(live=True, version=version),
            run=self._run(),
        )

    async def facets(self, run: str) -> Facets:
        self._check(run)
        rows = self._rows()
        return Facets(
            environment=_counted(row.environment for row in rows),
            outcome=_counted(row.outcome for row in rows),
            difficulty=_counted(str(row.difficulty) for row in rows if row.difficulty is not None),
            tag=_counted(tag for row in rows for tag in row.tags),
            ended=_counted(row.ended for row in rows),
            searchable=False,
        )

    async def episode(self, query: EpisodeQuery) -> EpisodeView:
        if query.run == ORACLE:
            return self._plays.kept(query.episode).view(query)
        self._check(query.run)
        episode = self._episodes.by_id(query.episode)
        steps = _steps(episode)
        end = query.first + STEPS_PER_REQUEST
        return EpisodeView(
            run=self._id,
            run_name=self._name,
            row=_row(episode, steps=len(steps)),
            live=episode.state is EpisodeState.OPEN,
            max_calls=episode.settings.limits.calls,
            state=episode.state,
            submitted=steps.submitted,
            overlap=episode.verdict.overlap if episode.verdict is not None else None,
            final_state=steps.final_state,
            error=Excerpt.optional(episode.reason if episode.state is EpisodeState.FAILED else ""),
            steps=steps.views(query.first, STEPS_PER_REQUEST),
            next_step=end if end < len(steps) else None,
            failures=steps.failures,
            matches=steps.matches(query.search),
        )

    async def text(self, query: TextQuery) -> TextSlice:
        if query.run == ORACLE:
            steps = self._plays.kept(query.episode).steps
        else:
            self._check(query.run)
            steps = _steps(self._episodes.by_id(query.episode))
        text = steps.text(query)
        if text is None:
            raise NotFoundError("text", query.part, hint="Load the episode again.")
        return TextSlice.of(text, query.offset)

    async def other_attempts(self, query: EpisodeQuery) -> OtherAttempts:
        if query.run == ORACLE:
            return OtherAttempts()
        self._check(query.run)
        episode = self._episodes.by_id(query.episode)
        task = (episode.environment.name, episode.full_task.id)
        return OtherAttempts(
            attempts=[
                OtherAttempt(
                    run=self._id,
                    run_name=f"{self._name}: {row.id}",
                    id=row.id,
                    agent=row.agent or "an agent",
                    outcome=row.outcome,
                    reward=row.reward,
                    epoch=row.epoch,
                    calls=row.calls,
                )
                for row in self._rows()
                if (row.environment, row.task) == task and row.id != episode.id
            ]
        )

    async def oracle(self, query: EpisodeQuery) -> EpisodeView:
        self._check(query.run)
        episode = self._episodes.by_id(query.episode)
        pool, environment, task = self._episodes.pool, episode.environment, episode.full_task
        play = await self._plays.get(episode.id, lambda: play_oracle(pool, environment, task))
        return play.view(query)

    def _run(self) -> RunView:
        held = self._episodes.held
        return RunView(
            id=self._id,
            name=self._name,
            agent="",
            state=f"{self._episodes.open_count} open",
            live=True,
            episodes=len(held),
            solved=sum(episode.outcome is EpisodeOutcome.CORRECT for episode in held),
            unsolved=sum(
                episode.outcome in (EpisodeOutcome.INCORRECT, EpisodeOutcome.NO_SUBMISSION)
                for episode in held
            ),
            failed=sum(episode.outcome is EpisodeOutcome.FAILED for episode in held),
        )

    def _check(self, run: str) -> None:
        if run != self._id:
            raise NotFoundError("run", run)

    def _rows(self) -> list[EpisodeRow]:
        """Returns the episodes in memory: the open ones first, in each group the newest first."""
        held = self._episodes.held[:_SHOWN]
        return [_row(episode, steps=1 + episode.calls) for episode in held]


def _row(episode: Episode, *, steps: int) -> EpisodeRow:
    opened = datetime.fromtimestamp(episode.opened_at, UTC).isoformat(timespec="seconds")
    return EpisodeRow(
        id=episode.id,
        environment=episode.environment.name,
        task=episode.full_task.id,
        difficulty=episode.full_task.difficulty,
        tags=list(episode.environment.tags),
        outcome=episode.outcome,
        reward=episode.reward,
        ended=episode.state,
        calls=episode.calls,
        oracle_calls=episode.full_task.oracle_calls,
        steps=steps,
        at=opened if episode.opened_at else "",
        error=episode.reason if episode.state is EpisodeState.FAILED else "",
    )


def _matches(row: EpisodeRow, query: EpisodeListQuery) -> bool:
    solved = row.outcome in (EpisodeOutcome.CORRECT, EpisodeOutcome.OPEN)
    wanted = (
        (query.environment, row.environment),
        (query.outcome, row.outcome),
        (query.difficulty, row.difficulty),
        (query.ended, row.ended),
    )
    return (
        all(not values or value in values for values, value in wanted)
        and (not query.tag or not set(query.tag).isdisjoint(row.tags))
        and (query.min_reward is None or (row.reward is not None and row.reward >= query.min_reward))
        and (query.max_reward is None or (row.reward is not None and row.reward <= query.max_reward))
        and not (query.failures and solved)
    )


def _counted(values: Iterable[str]) -> list[FacetValue]:
    return [FacetValue(value=value, count=count) for value, count in Counter(values).most_common()]


def _steps(episode: Episode) -> EventSteps:
    return EventSteps(
        episode.task.text,
        episode.recorded_events(),
        submission=episode.environment.submission.name,
        acknowledgement=None if episode.state is EpisodeState.OPEN else episode.acknowledgement(),
        answer_correct=episode.verdict.correct if episode.verdict is not None else None,
    )
