"""Lets the oracle play the task of an episode, to be shown beside it."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_viewer.episode_views import (
    STEPS_PER_REQUEST,
    EpisodeQuery,
    EpisodeRow,
    EpisodeView,
    Excerpt,
)
from codegym_mcp.episode_viewer.event_steps import EventSteps
from codegym_mcp.episodes.episode_outcome import EpisodeOutcome, Verdict
from codegym_mcp.episodes.events import Event, SubmittedEvent
from codegym_mcp.errors import NotFoundError
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.verification.recorded_play import play_episode

ORACLE = "oracle"
"""The id of the run in which the plays of the oracle are found."""
_KEPT = 20
"""The number of plays that are kept, so that a page can request their texts."""


@dataclass(frozen=True)
class OraclePlay:
    """How the oracle plays a task.

    Attributes:
        environment: the name of the environment.
        task: the id of the task.
        steps: the steps.
        calls: the number of tool calls without the submission.
        verdict: the verdict on the oracle's answer, or None if it gave none.
        error: why the oracle could not finish, or the empty string.
    """

    environment: str
    task: str
    steps: EventSteps
    calls: int
    verdict: Verdict | None
    error: str

    def view(self, query: EpisodeQuery) -> EpisodeView:
        """Returns the play as an episode, with the part of its steps that a query names."""
        end = query.first + STEPS_PER_REQUEST
        outcome = EpisodeOutcome.NO_SUBMISSION
        if self.verdict is not None:
            outcome = EpisodeOutcome.CORRECT if self.verdict.correct else EpisodeOutcome.INCORRECT
        elif self.error:
            outcome = EpisodeOutcome.FAILED
        return EpisodeView(
            run=ORACLE,
            run_name="the oracle, played now",
            row=EpisodeRow(
                id=query.episode,
                environment=self.environment,
                task=self.task,
                agent=ORACLE,
                outcome=outcome,
                reward=self.verdict.reward if self.verdict is not None else None,
                calls=self.calls,
                steps=len(self.steps),
                error=self.error,
            ),
            submitted=self.steps.submitted,
            overlap=self.verdict.overlap if self.verdict is not None else None,
            error=Excerpt.optional(self.error),
            steps=self.steps.views(query.first, STEPS_PER_REQUEST),
            next_step=end if end < len(self.steps) else None,
            failures=self.steps.failures,
            matches=self.steps.matches(query.search),
        )


async def play_oracle(pool: SandboxPool, environment: Environment, task: Task) -> OraclePlay:
    """Lets the oracle play a task.

    Raises:
        SandboxError, JournalError: the sandbox or the journal does not work.
    """
    play = await play_episode(pool, environment, task, OraclePolicy(pool, environment), Limits())
    events: list[Event] = list(play.steps)
    submission = environment.submission
    if play.submitted:
        events.append(SubmittedEvent(arguments={submission.parameters[0].name: play.answer}))
    steps = EventSteps(
        environment.task_text(task),
        events,
        submission=submission.name,
        acknowledgement=None,
        answer_correct=play.verdict.correct if play.verdict is not None else None,
    )
    error = play.opening_error or play.policy_error
    return OraclePlay(
        environment=environment.name,
        task=task.id,
        steps=steps,
        calls=len(play.steps),
        verdict=play.verdict,
        error=str(error) if error else play.reason,
    )


class OraclePlays:
    """The latest plays of the oracle, by the episode beside which they are shown. One is played at a time."""

    def __init__(self) -> None:
        self._lock = anyio.Lock()
        self._plays: OrderedDict[str, OraclePlay] = OrderedDict()

    async def get(self, key: str, play: Callable[[], Awaitable[OraclePlay]]) -> OraclePlay:
        """Returns the play of a key, which is played if it is not kept."""
        async with self._lock:
            if key not in self._plays:
                self._plays[key] = await play()
                while len(self._plays) > _KEPT:
                    self._plays.popitem(last=False)
            return self._plays[key]

    def kept(self, key: str) -> OraclePlay:
        """Returns a play again.

        Raises:
            NotFoundError: it is no longer kept.
        """
        if key not in self._plays:
            raise NotFoundError("episode", key, hint="Let the oracle play again.")
        return self._plays[key]
