"""Lets the oracle play the task of an episode, to be shown beside it."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import anyio

from codegym_harness.records.trajectory import Outcome
from codegym_harness.runs.run_directory_reader import ENVIRONMENTS, read_configuration
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_outcome import Verdict
from codegym_mcp.episodes.events import Event, SubmittedEvent
from codegym_mcp.episodes.task_selection import select_task
from codegym_mcp.errors import CodegymError, NotFoundError
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.spec.catalog import Catalog
from codegym_mcp.spec.environment import Environment, generated_id
from codegym_mcp.verification.recorded_play import play_episode
from codegym_mcp.viewer_page.episode_views import EpisodeRow
from codegym_mcp.viewer_page.event_steps import EventSteps

_KEPT = 20
"""The number of plays that are kept, so that a page can request their texts."""


@dataclass(frozen=True)
class OraclePlay:
    """How the oracle plays a task.

    Attributes:
        steps: the steps.
        calls: the number of tool calls without the submission.
        verdict: the verdict on the oracle's answer, or None if it gave none.
        error: why the oracle could not finish, or the empty string.
    """

    steps: EventSteps
    calls: int
    verdict: Verdict | None
    error: str

    @property
    def outcome(self) -> Outcome:
        """The outcome of the play."""
        if self.verdict is None:
            return Outcome.FAILED if self.error else Outcome.NO_SUBMISSION
        return Outcome.CORRECT if self.verdict.correct else Outcome.INCORRECT


class OraclePlayer:
    """Plays tasks with the oracle in the sandbox, one at a time, and keeps the latest plays."""

    def __init__(self) -> None:
        self._lock = anyio.Lock()
        self._plays: OrderedDict[str, OraclePlay] = OrderedDict()

    async def play(self, key: str, run: Path, row: EpisodeRow, seed: int | None) -> OraclePlay:
        """Returns how the oracle plays the task of an episode.

        Args:
            key: identifies the episode; a second request for it returns the same play.
            row: the episode.
            seed: the seed of a generated task.

        Raises:
            CodegymError: the environment is not available here, or has changed since the run.
        """
        async with self._lock:
            if key not in self._plays:
                environment = await anyio.to_thread.run_sync(find_environment, run, row.environment)
                self._plays[key] = await _play(environment, row, seed)
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


def find_environment(run: Path, name: str) -> Environment:
    """Returns an environment of a run, as it was when the run was started.

    Raises:
        CodegymError: the environment is not available here, or has changed since.
    """
    configuration, start = read_configuration(run)
    if any(configuration.get(member) for member in ("server_url", "mcp_url", "mcp_command")):
        raise CodegymError("The run played the environments of a server, which are not available here.")
    recorded = configuration.get("paths")
    paths = [Path(str(path)) for path in recorded] if isinstance(recorded, list) else []
    # A run that was moved carries the environments that it was given in memory.
    if (run / ENVIRONMENTS).is_dir():
        paths = [path for path in paths if path.exists() and path.name != ENVIRONMENTS]
        paths.append(run / ENVIRONMENTS)
    environment = Catalog.load(paths).get(name)
    digest = start.environments.get(name)
    if digest is not None and digest != environment.digest:
        raise CodegymError(
            f"The environment {name} has changed since the run was started.",
            hint="Its oracle would play another task.",
        )
    return environment


async def _play(environment: Environment, row: EpisodeRow, seed: int | None) -> OraclePlay:
    limits = Limits()
    async with SandboxPool.open() as pool:
        generated = seed is not None and row.difficulty is not None
        if generated and row.task == generated_id(row.difficulty or 1, seed or 0):
            task = await select_task(pool, environment, difficulty=row.difficulty, seed=seed)
        else:
            task = await select_task(pool, environment, row.task)
        play = await play_episode(pool, environment, task, OraclePolicy(pool, environment), limits)
    events: list[Event] = list(play.steps)
    submission = environment.submission
    if play.submitted:
        events.append(SubmittedEvent(arguments={submission.parameters[0].name: play.answer}))
    steps = EventSteps(environment.task_text(task), events, submission=submission.name, acknowledgement=None)
    error = play.opening_error or play.policy_error
    return OraclePlay(steps, len(play.steps), play.verdict, str(error) if error else play.reason)
