"""Sessions of the Open Reward Standard: each is an episode, found by the session's id.

The id of a session is the idempotency key by which its episode was opened. The server keeps no other state of
a session, so sessions continue after a restart of a server with a journal.
"""

import logging

from pydantic import BaseModel
from starlette.requests import Request

from codegym_mcp.control_plane_messages import AdaptiveOpenRequest
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import CallResult, CallStatus
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.errors import CodegymError, NotFoundError, TaskError
from codegym_mcp.json_line_escapes import escape_line_separators
from codegym_mcp.server.curriculum_openings import AdaptiveOpenings
from codegym_mcp.server.trainer_protocols.ors_models import (
    CallRefusal,
    CallRefusalReason,
    CallRequest,
    CallSuccess,
    TextBlock,
    ToolOutput,
)
from codegym_mcp.server.trainer_protocols.ors_streams import StreamError
from codegym_mcp.server.trainer_protocols.ors_tasks import Task
from codegym_mcp.server.trainer_protocols.trainer_endpoints import TrainerRequestError

logger = logging.getLogger(__name__)

IDLE_SECONDS = 900.0
"""Seconds without a call or a ping after which a session expires, as in openreward's own server."""

_SETTINGS = EpisodeSettings(limits=Limits(idle_seconds=IDLE_SECONDS))
_GONE = frozenset({EpisodeState.EXPIRED, EpisodeState.ABANDONED, EpisodeState.CLOSED})
_NOT_SCORED = "The environment failed. The episode has ended and is not scored."
"""What is wrong inside the environment is in the journal: agents may be shown this text."""


class OrsSessions:
    """Creates, finds, plays and deletes sessions."""

    def __init__(self, episodes: EpisodeManager, adaptive: AdaptiveOpenings | None = None) -> None:
        self._episodes = episodes
        self._adaptive = adaptive

    async def create(self, session: str, task: Task) -> None:
        """Opens the episode of a session; the same request again changes nothing.

        Raises:
            TrainerRequestError: the session has ended, or plays another task; or the difficulty is adaptive
                and this server has no curriculum.
            CodegymError: see `EpisodeManager.open_task` and `AdaptiveOpenings.open`.
        """
        known = self._find(session)
        if known is not None and known.state is not EpisodeState.OPEN:
            raise TrainerRequestError(410, "The session has ended. Create a new one.")
        try:
            await self._open(task, session_key(session))
        except TaskError:
            if known is None:
                raise
            raise TrainerRequestError(400, "The session exists already, with another task.") from None

    async def _open(self, task: Task, key: str) -> Episode:
        if isinstance(task, AdaptiveOpenRequest):
            if self._adaptive is None:
                raise TrainerRequestError(
                    422,
                    "The workers of this server share no curriculum. Start the server with --data, or "
                    "choose a split of one difficulty, such as train-2.",
                )
            return await self._adaptive.open(task.model_copy(update={"request_key": key}), _SETTINGS)
        return await self._episodes.open_task(
            task.environment,
            task=task.task,
            difficulty=task.difficulty,
            seed=task.seed,
            settings=_SETTINGS,
            key=key,
        )

    def get(self, session: str) -> Episode:
        """Returns the episode of a session, which may have ended by a submission or a failure.

        Raises:
            TrainerRequestError: the server has no such session, or it expired or was deleted.
        """
        episode = self._find(session)
        if episode is None:
            raise TrainerRequestError(
                410,
                "This server has no such session. It was never created, or the server was restarted without "
                "--data since. Create a new one.",
            )
        if episode.state in _GONE:
            raise TrainerRequestError(410, f"The session has ended. {episode.reason} Create a new one.")
        return episode

    async def delete(self, session: str) -> None:
        """Ends a session, if it exists. Without a submission it is not scored."""
        episode = self._find(session)
        if episode is not None:
            await episode.close("The trainer deleted the session.", state=EpisodeState.ABANDONED)

    def _find(self, session: str) -> Episode | None:
        try:
            return self._episodes.by_key(session_key(session))
        except NotFoundError:
            return None


async def call_tool(episode: Episode, call: CallRequest, key: str) -> str:
    """Calls a tool and returns the result as JSON; the call that ends the episode carries the reward.

    Args:
        key: the idempotency key of the call.

    Raises:
        StreamError: the episode has failed and is not scored, or the call could not be recorded.
    """
    was_open = episode.state is EpisodeState.OPEN
    try:
        result = await episode.call(call.name, call.input, key=key)
    except CodegymError as error:
        logger.error("A call of episode %s failed: %s", episode.id, error)
        raise StreamError("The server could not record the call, and did not make it.") from None
    if episode.state is EpisodeState.FAILED:
        raise StreamError(_NOT_SCORED)
    return _json(_refusal(episode, call, result, was_open=was_open) or _success(episode, result))


def _refusal(
    episode: Episode, call: CallRequest, result: CallResult, *, was_open: bool
) -> CallRefusal | None:
    """Returns the refusal of a call that was not made, or None if it was made."""
    reason = None
    if result.status is CallStatus.INVALID:
        known = {tool.name for tool in (*episode.environment.tools, episode.environment.submission)}
        reason = CallRefusalReason.INPUT_VALIDATION if call.name in known else CallRefusalReason.NOT_FOUND
    elif result.status is CallStatus.OVER:
        # The call that finds no calls left ends the episode, and earns what such an episode earns.
        ended_by_call = was_open and episode.state is EpisodeState.OUT_OF_CALLS
        reason = None if ended_by_call else CallRefusalReason.EPISODE_FINISHED
    return CallRefusal(error=result.text, reason=reason) if reason is not None else None


def _success(episode: Episode, result: CallResult) -> CallSuccess:
    return CallSuccess(
        output=ToolOutput(
            blocks=[TextBlock(text=result.text)],
            metadata={"status": result.status.value} if result.is_error else None,
            reward=episode.reward if result.over else None,
            finished=result.over,
        )
    )


def read_session(request: Request) -> str:
    """Returns the id of the session that a request belongs to.

    Raises:
        TrainerRequestError: the header is missing.
    """
    session = request.headers.get("x-session-id", "").strip()
    if not session:
        raise TrainerRequestError(400, "The header X-Session-ID is missing.")
    return session


def session_key(session: str) -> str:
    """Returns the idempotency key of a session."""
    return f"ors/{session}"


def _json(model: BaseModel) -> str:
    return escape_line_separators(model.model_dump_json().encode()).decode()
