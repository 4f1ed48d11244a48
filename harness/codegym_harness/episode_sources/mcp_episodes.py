"""Episodes that are played over MCP: those of a server of this project, and the tools of any other server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio

from codegym_harness.agents.agent_context import EpisodeAddress
from codegym_harness.clients.control_client import ControlClient
from codegym_harness.clients.lost_connection_retries import LEAST_PATIENCE
from codegym_harness.clients.mcp_client import Target, connect
from codegym_harness.episode_sources.call_limit import CallLimitedEpisode
from codegym_harness.episode_sources.episode_source import Assignment, OpenEpisode
from codegym_harness.records.trajectory import Transport
from codegym_mcp.control_plane_messages import EpisodeInfo
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.errors import CodegymError

_CLOSE_SECONDS = 5


class ServedEpisodes:
    """Episodes of a server, opened over its control plane and played over MCP as by any other client.

    Args:
        patience: seconds to wait for a server that was lost.
    """

    def __init__(
        self,
        control: ControlClient,
        limits: Limits | None = None,
        *,
        patience: float = 0.0,
    ) -> None:
        self._control = control
        self._patience = max(patience, LEAST_PATIENCE)
        self._limits = limits or Limits()

    @asynccontextmanager
    async def open(self, assignment: Assignment) -> AsyncIterator[OpenEpisode]:
        """Opens an episode; see `EpisodeSource.open`."""
        opened = await self._control.open_episode(assignment.request(self._limits))
        is_open = True

        async def read_status() -> EpisodeInfo:
            nonlocal is_open
            info = await self._control.episode(opened.id)
            is_open = info.state is EpisodeState.OPEN
            return info

        try:
            socket_path = self._control.socket_path
            async with connect(
                opened.mcp_url, patience=self._patience, socket_path=socket_path
            ) as connection:
                yield OpenEpisode(
                    opened.id,
                    connection,
                    Transport.MCP,
                    read_status,
                    self._limits.calls,
                    EpisodeAddress(opened.mcp_url, connection.instructions, socket_path),
                    lambda: self._control.events(opened.id),
                )
        finally:
            if is_open:
                await self._close(opened.id)

    async def _close(self, episode_id: str) -> None:
        """Closes an episode, also in a run that is being cancelled. The server may no longer run."""
        with anyio.move_on_after(_CLOSE_SECONDS, shield=True), suppress(CodegymError):
            await self._control.close(episode_id)


class ThirdPartyEpisodes:
    """Connections to another MCP server: its tools are played and recorded, and nothing is scored.

    Args:
        limits: how many calls an episode allows; that server does not count them.
    """

    def __init__(
        self, target: Target, limits: Limits | None = None, *, prompt: str = "", mode: str = "auto"
    ) -> None:
        self._limits = limits or Limits()
        self._target = target
        self._prompt = prompt
        self._mode = mode

    @asynccontextmanager
    async def open(self, assignment: Assignment) -> AsyncIterator[OpenEpisode]:
        """Connects to the server; see `EpisodeSource.open`."""
        async with connect(self._target, prompt=self._prompt, mode=self._mode) as connection:
            limited = CallLimitedEpisode(connection, self._limits.calls)
            yield OpenEpisode(
                assignment.key,
                limited,
                Transport.MCP,
                None,
                self._limits.calls,
                is_out_of_calls=lambda: limited.is_out_of_calls,
            )
