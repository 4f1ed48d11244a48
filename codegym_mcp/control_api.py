"""The data models of the control plane, shared by the server and its clients."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from codegym_mcp.episode_interface import MAX_KEY, CallResult, TaskView
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeOutcome, EpisodeState, Verdict
from codegym_mcp.episodes.events import CallEvent, SubmittedEvent
from codegym_mcp.limits import Limits
from codegym_mcp.spec.environment import Environment


class EnvironmentInfo(BaseModel):
    """An environment, as `GET /environments` lists it."""

    name: str
    title: str
    tags: list[str]
    tools: list[str]
    """The names of the tools, without the submission."""
    tasks: list[str]
    """The ids of the fixed tasks."""
    generates: bool
    """Whether tasks can be generated from a difficulty and a seed."""
    license: str
    source: str
    digest: str
    """Changes when the environment's source or its fixed tasks change."""

    @classmethod
    def of(cls, environment: Environment) -> "EnvironmentInfo":
        """Returns the description of an environment."""
        return cls(
            name=environment.name,
            title=environment.title,
            tags=list(environment.tags),
            tools=[tool.name for tool in environment.tools],
            tasks=[task.id for task in environment.tasks],
            generates=environment.generates,
            license=environment.license,
            source=environment.origin,
            digest=environment.digest,
        )


class OpenRequest(BaseModel):
    """The body of `POST /episodes`."""

    model_config = ConfigDict(extra="forbid")

    environment: str
    task: str | None = None
    """The id of a fixed task; without it and without a difficulty, the first task."""
    difficulty: int | None = Field(default=None, ge=1, le=5)
    seed: int | None = None
    limits: Limits = Limits()
    reveal: bool = False
    request_key: str | None = Field(default=None, min_length=1, max_length=MAX_KEY)
    """The idempotency key: the same request with the same key opens one episode, however often it is sent."""


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
    """The number of calls that the environment's own solution needs for the task, or None if it is unknown."""

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
