"""An episode on a server, as the Python API holds it."""

from collections.abc import Sequence
from typing import Any

from codegym_harness.clients.control_client import ControlClient
from codegym_harness.clients.lost_connection_retries import LEAST_PATIENCE
from codegym_harness.clients.mcp_client import McpConnection, connect
from codegym_mcp.control_plane_messages import EpisodeInfo, EventInfo, OpenRequest
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import CallResult, TaskView, ToolView
from codegym_mcp.episodes.episode_outcome import EpisodeState, Verdict
from codegym_mcp.runtime.task_owned_context_manager import HeldContext


class RemoteEpisode:
    """Implements `EpisodeBackend` over a server's control plane and an MCP connection.

    The verdict is read when the episode is closed; until then the state is the one at the last request.
    """

    def __init__(
        self,
        control: ControlClient,
        held: HeldContext[McpConnection],
        *,
        connection: McpConnection,
        info: EpisodeInfo,
        mcp_url: str,
        limits: Limits,
    ) -> None:
        self._control = control
        self._held = held
        self._connection = connection
        self._info = info
        self._calls = info.calls
        self.id: str = info.id
        self.task: TaskView = connection.task
        self.tools: Sequence[ToolView] = connection.tools
        self.submission: ToolView = connection.submission
        self.limits = limits
        self.mcp_url: str | None = mcp_url

    @classmethod
    async def open(cls, control: ControlClient, request: OpenRequest, *, patience: float) -> "RemoteEpisode":
        """Opens an episode on the server and connects to it.

        Raises:
            NotFoundError: the environment or the task does not exist.
            LimitError: too many episodes are open on the server.
            ConnectionFailedError: the server cannot be reached, or refuses.
        """
        opened = await control.open_episode(request)
        held = HeldContext(connect(opened.mcp_url, patience=max(patience, LEAST_PATIENCE)))
        try:
            connection = await held.enter()
            info = await control.episode(opened.id)
        except BaseException:
            await control.close(opened.id)
            raise
        return cls(
            control,
            held,
            connection=connection,
            info=info,
            mcp_url=opened.mcp_url,
            limits=request.limits,
        )

    @property
    def state(self) -> EpisodeState:
        return self._info.state

    @property
    def calls(self) -> int:
        return max(self._calls, self._info.calls)

    @property
    def verdict(self) -> Verdict | None:
        return self._info.verdict

    @property
    def reason(self) -> str:
        return self._info.reason

    async def call(self, name: str, arguments: dict[str, Any]) -> CallResult:
        result = await self._connection.call(name, arguments)
        if name != self.submission.name:
            self._calls += 1
        return result

    async def submit(self, answer: Any = None) -> CallResult:
        return await self._connection.submit(answer)

    async def events(self) -> list[EventInfo]:
        return await self._control.events(self.id)

    async def close(self, state: EpisodeState, reason: str) -> None:
        try:
            self._info = await self._control.close(self.id)
            if state is EpisodeState.ABANDONED and self._info.state is EpisodeState.CLOSED:
                # The server was told only that the episode is over; that it is not scored is known here.
                self._info = self._info.model_copy(update={"state": state, "reason": reason})
        finally:
            await self._held.leave()
