"""Opens the episodes of a trainer, in this process or on a server, and reads their rewards."""

import os
import threading
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from codegym_harness.clients.remote_client import AsyncClient, Client
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import CodegymError, TaskError, UnscoredError
from codegym_mcp.runtime.async_episode import AsyncEpisode
from codegym_mcp.runtime.async_runtime import AsyncRuntime
from codegym_mcp.runtime.blocking_episode import Episode
from codegym_mcp.runtime.blocking_runtime import Runtime
from codegym_mcp.runtime.episode_backend import EpisodeBackend
from codegym_mcp.runtime.episode_properties import EpisodeView
from codegym_mcp.runtime.shared_runtime import shared_runtime
from codegym_mcp.sandbox.process.pool import Isolation
from codegym_mcp.task_reference import TaskReference
from codegym_mcp.validation_messages import first_fault

TOKEN_VARIABLE = "CODEGYM_MCP_TOKEN"  # noqa: S105 - the variable's name
_PATIENCE = 30.0
"""Longest time in seconds to wait for a server that was lost, for example while it restarts."""


class EpisodeOptions(BaseModel):
    """Where and how the episodes of a trainer are opened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environments: tuple[str, ...] = ()
    """Files, folders and sets of environments; the bundled environments if empty."""
    url: str | None = None
    """The address of the server that holds the episodes; without it, they are in this process."""
    token: SecretStr | None = None
    """The token of the server's control plane; without it, it is read from `CODEGYM_MCP_TOKEN`."""
    calls: int = Field(default=Limits().calls, ge=1, le=100_000)
    """Tool calls that an episode allows. A row with a value of its own for `calls` has precedence."""
    isolation: Isolation = "process"
    """Whether each episode in this process has a confined process of its own, or shares one with others of
    its environment, which is faster: see docs/sandbox.md for what it guarantees less."""

    @field_validator("environments", mode="before")
    @classmethod
    def _read_environments(cls, value: Any) -> tuple[Any, ...]:
        """Takes one path, or any sequence: configurations of trainers have sequences of their own."""
        return (value,) if isinstance(value, str | os.PathLike) else tuple(value)

    @classmethod
    def read(cls, **options: object) -> "EpisodeOptions":
        """Reads options as a trainer's configuration gives them.

        Raises:
            CodegymError: an option is unknown or has a wrong value.
        """
        try:
            return cls.model_validate(options)
        except ValidationError as error:
            raise CodegymError(f"The options of the episodes are wrong: {first_fault(error)}.") from None

    def open(self, task: TaskReference, calls: int | None = None) -> Episode:
        """Opens an episode whose calls block.

        Args:
            calls: the tool calls that it allows, in place of the option.

        Raises:
            NotFoundError: the environment or the task does not exist.
            TaskError: the environment has no such task.
            CodegymError: the episode cannot be opened; see `codegym_mcp.open_episode`.
        """
        return self.holder().open_episode(**_arguments(task), limits=self.limits(calls))

    def task_text(self, task: TaskReference) -> str | None:
        """Returns the text of a task without opening an episode; None for the tasks of a server.

        Raises:
            NotFoundError: the environment or the task does not exist.
            TaskError: the environment has no such task.
            CodegymError: the task cannot be generated.
        """
        holder = self.holder()
        if not isinstance(holder, Runtime):
            return None
        selected = holder.select_task(**_arguments(task))
        return holder.catalog.get(task.environment).task_text(selected)

    async def open_async(self, task: TaskReference, calls: int | None = None) -> AsyncEpisode:
        """Opens an episode to be awaited on any event loop; see `open`."""
        holder = self.holder()
        opener: AsyncRuntime | AsyncClient = (
            holder.async_runtime if isinstance(holder, Runtime) else holder.async_client
        )

        limits = self.limits(calls)

        async def open_backend() -> EpisodeBackend:
            return await opener.open_backend(**_arguments(task), limits=limits, key=None)

        backend = await holder.thread.run_from_loop(open_backend)
        return AsyncEpisode(backend, holder.thread.run_from_loop, holder.thread.notify)

    def limits(self, calls: int | None) -> Limits:
        """Returns the limits of an episode.

        Args:
            calls: the tool calls that it allows, in place of the option.

        Raises:
            TaskError: they are no number of calls.
        """
        try:
            return Limits(calls=self.calls if calls is None else calls)
        except ValidationError as error:
            raise TaskError(f"A row allows {calls!r} calls: {first_fault(error).message}.") from None

    def holder(self) -> Runtime | Client:
        """Returns the runtime or client of this process that all episodes with these options share."""
        if self.url is None and not self.environments and self.isolation == "process":
            return shared_runtime()
        with _lock:
            holder = _holders.get(self)
            if holder is None or holder.thread.closed:
                holder = self._start() if self.url is None else self._connect(self.url)
                _holders[self] = holder
            return holder

    def _start(self) -> Runtime:
        return Runtime(self.environments or "bundled", isolation=self.isolation)

    def _connect(self, url: str) -> Client:
        if self.environments:
            raise CodegymError(
                "The environments of a server are the server's own.",
                hint="Leave the environments out, and start the server with them.",
            )
        if self.isolation != "process":
            raise CodegymError(
                "The isolation of episodes on a server is the server's own.",
                hint=f"Leave it out, and start the server with --isolation {self.isolation}.",
            )
        token = self.token.get_secret_value() if self.token else os.environ.get(TOKEN_VARIABLE)
        if not token:
            raise CodegymError(
                f"The server at {url} needs the token of its control plane.",
                hint=f"Set it in {TOKEN_VARIABLE}.",
            )
        return Client(url, token=token, patience=_PATIENCE)


def _arguments(task: TaskReference) -> dict[str, Any]:
    return task.model_dump(include=set(TaskReference.model_fields))


_lock = threading.Lock()
_holders: dict[EpisodeOptions, Runtime | Client] = {}


def _forget() -> None:
    """Leaves to a forked child nothing of its parent's."""
    global _lock  # noqa: PLW0603 - another thread of the parent may hold it
    _lock = threading.Lock()
    _holders.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def reward_of(episode: EpisodeView) -> float:
    """Returns the reward of an episode that was closed, from 0 to 1.

    Raises:
        UnscoredError: the episode is not scored.
    """
    if episode.reward is None:
        raise UnscoredError(episode.id, episode.outcome, episode.reason)
    return episode.reward
