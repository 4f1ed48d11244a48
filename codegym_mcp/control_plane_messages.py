"""The data models of the control plane, shared by the server and its clients."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import MAX_KEY, CallResult, TaskView
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeOutcome, EpisodeState, Verdict
from codegym_mcp.episodes.events import CallEvent, SubmittedEvent
from codegym_mcp.episodes.journal import Opening
from codegym_mcp.task_reference import TaskReference


class _Opening(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    limits: Limits = Limits()
    reveal: bool = False
    request_key: str | None = Field(default=None, min_length=1, max_length=MAX_KEY)
    """The idempotency key: the same request with the same key opens one episode, however often it is sent."""


class OpenRequest(_Opening, TaskReference):
    """The body of `POST /episodes`."""


class AdaptiveOpenRequest(_Opening):
    """The body of `POST /episodes` if the success of earlier episodes chooses the difficulty."""

    environment: str = Field(min_length=1)
    difficulty: Literal["adaptive"]
    seed: int
    """Chooses among the generated tasks. Episodes of one seed are a group, and have one difficulty."""


class OpenedEpisode(BaseModel):
    """The response to `POST /episodes`."""

    id: str
    mcp_url: str
    """The address for the agent. It is secret: whoever knows it can act in the episode."""
    task: TaskView


class EpisodeInfo(BaseModel):
    """The response to `GET /episodes/{id}`."""

    id: str
    environment: str
    task: str
    state: EpisodeState
    outcome: EpisodeOutcome
    reward: float | None
    """From 0 to 1, or None if the episode is open or is not scored."""
    calls: int
    verdict: Verdict | None
    """None if no answer was judged."""
    reason: str
    """Why the episode ended, if the state alone does not say it."""
    tags: list[str]
    """The tags of the environment."""
    difficulty: int | None
    """The difficulty of the task, from 1 to 5, or None if it is unknown."""
    oracle_calls: int | None
    """The number of calls that the oracle needs for the task, or None if it is unknown."""

    @classmethod
    def of(cls, episode: Episode) -> "EpisodeInfo":
        """Returns the description of an episode for its owner."""
        return cls(
            id=episode.id,
            environment=episode.environment.name,
            task=episode.full_task.id,
            state=episode.state,
            outcome=episode.outcome,
            reward=episode.reward,
            calls=episode.calls,
            verdict=episode.verdict,
            reason=episode.reason,
            tags=list(episode.environment.tags),
            difficulty=episode.full_task.difficulty,
            oracle_calls=episode.full_task.oracle_calls,
        )


class ListedEpisode(EpisodeInfo):
    """An episode as `GET /episodes` lists it."""

    opened_at: float
    """When it was opened, in seconds since the epoch."""

    @classmethod
    def at(cls, episode: Episode, opened_at: float) -> "ListedEpisode":
        """Returns the description of an episode with the time of its opening."""
        return cls(**EpisodeInfo.of(episode).model_dump(), opened_at=opened_at)


class EpisodePage(BaseModel):
    """The response to `GET /episodes`: a part of the list, the newest episode first."""

    episodes: list[ListedEpisode] = []
    next_cursor: str | None = None
    """The cursor of the next part, or None if the list ends here. A part may be shorter than the limit."""

    @property
    def position_after(self) -> Opening | None:
        """The opening after which the next part begins, or None if the list ends here."""
        return None if self.next_cursor is None else _read_cursor(self.next_cursor)


class EpisodeQuery(BaseModel):
    """The query parameters of `GET /episodes`."""

    model_config = ConfigDict(extra="forbid")

    state: list[EpisodeState] = []
    """The states to list; without one, all states."""
    environment: str | None = None
    """The name of the environment to list; without it, all environments."""
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None
    """The `next_cursor` of the part before."""

    @property
    def position(self) -> Opening | None:
        """The opening after which the part begins, or None for the first part."""
        return None if self.cursor is None else _read_cursor(self.cursor)

    @field_validator("cursor")
    @classmethod
    def _check_cursor(cls, cursor: str | None) -> str | None:
        if cursor is not None:
            _read_cursor(cursor)
        return cursor

    def matches(self, episode: Episode) -> bool:
        """Checks whether an episode passes the filters."""
        wanted_state = not self.state or episode.state in self.state
        return wanted_state and self.environment in (None, episode.environment.name)

    @staticmethod
    def cursor_after(opening: Opening) -> str:
        """Returns the cursor of the part after an opening."""
        return f"{opening.at!r}-{opening.episode}"


def _read_cursor(cursor: str) -> Opening:
    at, _, episode = cursor.partition("-")
    try:
        return Opening(float(at), episode)
    except ValueError:
        raise ValueError("this cursor is unknown; send the next_cursor of the part before") from None


class EventInfo(BaseModel):
    """A tool call or the submission with its result, as `GET /episodes/{id}/events` lists them."""

    at: float
    """When it was recorded, before the agent received the result; in seconds since the epoch."""
    name: str
    """The name of the tool; empty, like the arguments, if the call was too large to be stored."""
    arguments: dict[str, Any]
    result: CallResult
    """The result that the agent received."""

    @classmethod
    async def of(cls, episode: Episode) -> "list[EventInfo]":
        """Returns the calls of an episode in their order, after the calls that are in progress."""
        infos = []
        for event in await episode.events():
            match event:
                case CallEvent():
                    infos.append(
                        cls(at=event.at, name=event.name, arguments=event.arguments, result=event.result)
                    )
                case SubmittedEvent():
                    infos.append(
                        cls(
                            at=event.at,
                            name=episode.environment.submission.name,
                            arguments=event.arguments,
                            result=episode.acknowledgement(),
                        )
                    )
        return infos
