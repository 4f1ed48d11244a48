"""Plays one episode from beginning to end and records it."""

import json
from dataclasses import dataclass
from typing import Any

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState, Verdict
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.events import CallEvent, StateEvent, SubmittedEvent
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.errors import EnvironmentFailedError, EnvironmentLimitError
from codegym_mcp.policies.policy import Policy
from codegym_mcp.sandbox.process.pool import SandboxPool

_MAX_VALUE_CHARACTERS = 200


@dataclass(frozen=True)
class RecordedPlay:
    """The record of an episode.

    Attributes:
        task: the task that was played.
        steps: the tool calls before the submission, in order.
        submitted: whether an answer was submitted.
        answer: the submitted answer; None if none was submitted.
        final_state: the final state of the environment; None if it declares none or nothing was submitted.
        verdict: the verdict on the answer, or None if it could not be judged.
        state: the state in which the episode ended.
        reason: why the episode failed, or the empty string.
        opening_error: why the episode could not be opened, or None.
        policy_error: the error that stopped the policy, or None.
    """

    task: Task
    steps: tuple[CallEvent, ...]
    submitted: bool
    answer: Any
    final_state: Any
    verdict: Verdict | None
    state: EpisodeState
    reason: str
    opening_error: EnvironmentFailedError | None
    policy_error: EnvironmentFailedError | None

    @property
    def correct(self) -> bool:
        """Whether the episode earned the reward."""
        return self.verdict is not None and self.verdict.correct

    @property
    def failed(self) -> bool:
        """Whether the environment, not the policy, is the reason why there is no verdict."""
        return self.state is EpisodeState.FAILED


async def play_episode(
    pool: SandboxPool, environment: Environment, task: Task, policy: Policy, limits: Limits
) -> RecordedPlay:
    """Lets a policy play an episode, which is journalled in memory and ends with this call.

    Raises:
        SandboxError, JournalError: the sandbox or the journal does not work; the environment is not at fault.
    """
    play = await _play(pool, environment, task, policy, limits)
    # A failure that the environment did not cause does not occur twice; an exceeded limit does.
    again = play.failed and not isinstance(play.opening_error, EnvironmentLimitError)
    return await _play(pool, environment, task, policy, limits) if again else play


async def _play(
    pool: SandboxPool, environment: Environment, task: Task, policy: Policy, limits: Limits
) -> RecordedPlay:
    opening_error: EnvironmentFailedError | None = None
    policy_error: EnvironmentFailedError | None = None
    with Journal.open() as journal:
        settings = EpisodeSettings(limits=limits)
        episode = Episode(pool=pool, journal=journal, environment=environment, task=task, settings=settings)
        try:
            await episode.open()
        except EnvironmentFailedError as error:
            opening_error = error
        else:
            try:
                await policy.play(episode)
            except EnvironmentFailedError as error:
                policy_error = error
            await episode.close("The policy has finished.")
        events = journal.events(episode.id)
    answers = [event.arguments for event in events if isinstance(event, SubmittedEvent)]
    return RecordedPlay(
        task=task,
        steps=tuple(event for event in events if isinstance(event, CallEvent)),
        submitted=bool(answers),
        answer=next(iter(answers[0].values()), None) if answers else None,
        final_state=next((event.state for event in events if isinstance(event, StateEvent)), None),
        verdict=episode.verdict,
        state=episode.state,
        reason=episode.reason,
        opening_error=opening_error,
        policy_error=policy_error,
    )


def format_call(name: str, arguments: dict[str, Any]) -> str:
    """Returns a call in Python syntax, with long arguments shortened."""
    return f"{name}({', '.join(f'{key}={format_value(value)}' for key, value in arguments.items())})"


def format_submission(environment: Environment, answer: Any) -> str:
    """Returns the submission of an answer in Python syntax."""
    return format_call(environment.submission.name, environment.submission_arguments(answer))


def format_value(value: Any) -> str:
    """Returns a value as JSON, shortened to 200 characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_VALUE_CHARACTERS else f"{text[: _MAX_VALUE_CHARACTERS - 1]}…"
