"""What sources of episodes have in common.

Episodes are in this process (`in_process_episodes`), in a worker process (`worker_episodes`), or on a server
and played over MCP (`mcp_episodes`). Only the last imports the MCP client, which takes longer than
everything else that a worker imports.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from pydantic import Field

from codegym_harness.agents.agent_context import EpisodeAddress
from codegym_harness.records.trajectory import Transport
from codegym_mcp.control_plane_messages import EpisodeInfo, EventInfo, OpenRequest
from codegym_mcp.environment_definition.environment import generated_id
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import EpisodeProtocol
from codegym_mcp.task_reference import TaskReference


class Assignment(TaskReference):
    """One episode that is to be played."""

    epoch: int = Field(default=1, ge=1)
    """Number of the attempt at the task, starting at 1."""

    @property
    def task_id(self) -> str:
        """The id of the task, also of a generated task."""
        if self.difficulty is not None:
            return generated_id(self.difficulty, self.seed or 0)
        return self.task or "-"

    @property
    def key(self) -> str:
        """Identifies the assignment within its run."""
        return f"{self.environment}/{self.task_id}/{self.epoch}"

    def request(self, limits: Limits) -> OpenRequest:
        """Returns the request by which the control plane opens the episode."""
        return OpenRequest(**self.model_dump(exclude={"epoch"}), limits=limits)


@dataclass(frozen=True)
class OpenEpisode:
    """An episode that is ready to be played.

    Attributes:
        id: the id of the episode in records.
        episode: the episode as the agent plays it.
        transport: how calls reach the episode.
        read_status: reads the state and the verdict; None if the server has no episodes.
        max_calls: calls that the episode allows; None without a limit.
        address: where a program connects by itself; None if the episode has no address.
        read_events: reads the events of the episode; None if the server records none.
        is_out_of_calls: tells whether a call exceeded the limit; None if the status of the episode does.
    """

    id: str
    episode: EpisodeProtocol
    transport: Transport
    read_status: Callable[[], Awaitable[EpisodeInfo]] | None
    max_calls: int | None = None
    address: EpisodeAddress | None = None
    read_events: Callable[[], Awaitable[list[EventInfo]]] | None = None
    is_out_of_calls: Callable[[], bool] | None = None


class EpisodeSource(Protocol):
    """Opens episodes."""

    def open(self, assignment: Assignment) -> AbstractAsyncContextManager[OpenEpisode]:
        """Opens an episode, which is closed when the block is left.

        Raises:
            CodegymError: the episode cannot be opened, or was lost while the block ran.
        """
