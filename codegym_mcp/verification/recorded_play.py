"""One episode, played from beginning to end and recorded."""

import json
from dataclasses import dataclass
from typing import Any

from codegym_mcp.episode_interface import CallResult
from codegym_mcp.episodes.episode import Episode, EpisodeSettings, EpisodeState
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.episodes.scoring import Verdict
from codegym_mcp.errors import CodegymError, JournalError, SandboxError
from codegym_mcp.limits import Limits
from codegym_mcp.policies.policy import Policy
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.spec.environment import Environment, Task

_SHOWN = 200


@dataclass(frozen=True)
class PlayedCall:
    """One call of an episode.

    Attributes:
        name: the tool's name.
        arguments: as they were given.
        status: "ok", "refused", "invalid", "fault", "limit" or "failed", as in the journal.
        digest: of what the environment said; the empty string where it did not come to speak.
        result: what the player was told.
        reason: what went wrong, for people; the empty string where nothing did.
    """

    name: str
    arguments: dict[str, Any]
    status: str
    digest: str
    result: CallResult
    reason: str

    @property
    def call(self) -> str:
        """The call as Python would write it."""
        return call_text(self.name, self.arguments)


@dataclass(frozen=True)
class RecordedPlay:
    """What came of an episode.

    Attributes:
        task: the task that was played.
        steps: the calls before the submission, in their order.
        submitted: whether there was a submission.
        answer: what was submitted; meaningless without a submission.
        verdict: the verifier's, or None where there is none.
        state: how the episode ended.
        reason: why it failed, or the empty string.
        opening_error: why the episode could not be opened, or None.
        player_error: what stopped the player, or None.
    """

    task: Task
    steps: tuple[PlayedCall, ...]
    submitted: bool
    answer: Any
    verdict: Verdict | None
    state: EpisodeState
    reason: str
    opening_error: CodegymError | None
    player_error: CodegymError | None

    @property
    def correct(self) -> bool:
        """Whether it earned the reward."""
        return self.verdict is not None and self.verdict.correct

    @property
    def failed(self) -> bool:
        """Whether the environment, not the player, is why there is no verdict."""
        return self.state is EpisodeState.FAILED


async def play_episode(
    pool: SandboxPool, environment: Environment, task: Task, player: Policy, limits: Limits
) -> RecordedPlay:
    """Lets a player play an episode, which is journalled in memory and ends with this call.

    Raises:
        SandboxError, JournalError: nothing can be played here; the environment is not to blame.
    """
    played = await _play(pool, environment, task, player, limits)
    # What fails through no fault of the environment's fails once.
    return await _play(pool, environment, task, player, limits) if played.failed else played


async def _play(
    pool: SandboxPool, environment: Environment, task: Task, player: Policy, limits: Limits
) -> RecordedPlay:
    opening_error: CodegymError | None = None
    player_error: CodegymError | None = None
    with Journal.open() as journal:
        settings = EpisodeSettings(limits=limits)
        episode = Episode(pool=pool, journal=journal, environment=environment, task=task, settings=settings)
        try:
            await episode.open()
        except (SandboxError, JournalError):
            raise
        except CodegymError as error:
            opening_error = error
        else:
            try:
                await player.play(episode)
            except (SandboxError, JournalError):
                raise
            except CodegymError as error:
                player_error = error
            await episode.close("The player has finished.")
        events = journal.events(episode.id)
    answers = [event.data["arguments"] for event in events if event.kind == "submitted"]
    return RecordedPlay(
        task=task,
        steps=tuple(_step(event.data) for event in events if event.kind == "call"),
        submitted=bool(answers),
        answer=next(iter(answers[0].values())) if answers else None,
        verdict=episode.verdict,
        state=episode.state,
        reason=episode.reason,
        opening_error=opening_error,
        player_error=player_error,
    )


def _step(data: dict[str, Any]) -> PlayedCall:
    return PlayedCall(
        name=data["name"],
        arguments=data["arguments"],
        status=data["status"],
        digest=data["digest"],
        result=CallResult.model_validate(data["result"]),
        reason=data["reason"],
    )


def call_text(name: str, arguments: dict[str, Any]) -> str:
    """A call as Python would write it, long arguments cut short."""
    return f"{name}({', '.join(f'{key}={shown(value)}' for key, value in arguments.items())})"


def shown(value: Any) -> str:
    """A value for people, as JSON, cut short where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
