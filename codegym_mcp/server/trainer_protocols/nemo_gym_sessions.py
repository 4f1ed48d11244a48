"""Sessions of NeMo Gym: each is an episode, and its cookie is the episode's token.

The server keeps no other state of a session, so sessions continue after a restart of a server with a journal.
"""

from collections import OrderedDict

from pydantic_core import to_json

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.errors import NotFoundError
from codegym_mcp.server.trainer_protocols.nemo_gym_models import (
    RESERVED_TOOL_NAMES,
    CloseRequest,
    EpisodeIdentity,
    SeedRequest,
    SessionVerdict,
)
from codegym_mcp.server.trainer_protocols.trainer_endpoints import TrainerRequestError
from codegym_mcp.task_reference import TaskReference

_REMEMBERED_CLOSINGS = 10_000
"""Sessions that were closed before they were seeded and that cannot be seeded any more."""
_FAILURE_KINDS = {
    EpisodeState.FAILED: "codegym:environment_failed",
    EpisodeState.ABANDONED: "cancelled",
    EpisodeState.EXPIRED: "session_expired",
}
"""The states of episodes that were not scored, as kinds of failure of NeMo Gym."""


class NemoGymSessions:
    """Opens, finds, judges and closes sessions."""

    def __init__(self, episodes: EpisodeManager, taken_names: frozenset[str]) -> None:
        """
        Args:
            taken_names: names that tools cannot have since this server has other addresses of these names.
        """
        self._episodes = episodes
        self._reserved = RESERVED_TOOL_NAMES | taken_names
        self._closed: OrderedDict[str, None] = OrderedDict()

    async def seed(self, reference: TaskReference, previous: str | None) -> Episode:
        """Opens a session.

        Args:
            previous: the cookie of the request; an open session of this cookie is dropped, not scored.

        Raises:
            TrainerRequestError: a tool of the environment has a reserved name.
            CodegymError: see `EpisodeManager.open_task`.
        """
        if previous is not None and (dropped := self.find(previous)) is not None:
            await dropped.close("The session was seeded again.", state=EpisodeState.ABANDONED)
        return await self._open(reference, None)

    async def seed_once(self, seed: SeedRequest) -> Episode:
        """Opens the session that the request names; the same request returns the same session.

        Raises:
            TrainerRequestError: see `seed`; or the session has ended, or was closed before it was seeded.
            CodegymError: see `EpisodeManager.open_task`.
        """
        reference = TaskReference.from_row(seed.task_data)
        key = session_key(seed.resources_session_id, seed.episode_id)
        known = self._find_by_key(key)
        if key in self._closed or (known is not None and known.state is not EpisodeState.OPEN):
            raise _has_ended(seed)
        episode = await self._open(reference, key)
        if key in self._closed:
            await episode.close("The session was closed while it was seeded.", state=EpisodeState.ABANDONED)
            raise _has_ended(seed)
        return episode

    async def _open(self, reference: TaskReference, key: str | None) -> Episode:
        environment = self._episodes.catalog.get(reference.environment)
        names = {tool.name for tool in (*environment.tools, environment.submission)}
        if reserved := sorted(names & self._reserved):
            raise TrainerRequestError(
                422,
                f"{environment.name} cannot be served to NeMo Gym: its tool {reserved[0]} has the name of an "
                "address of the server. Rename the tool, or train on the environment by another protocol.",
            )
        return await self._episodes.open_task(
            environment,
            task=reference.task,
            difficulty=reference.difficulty,
            seed=reference.seed,
            key=key,
        )

    def find(self, cookie: str) -> Episode | None:
        """Returns the episode of a session, open or ended, or None if the cookie is unknown."""
        try:
            return self._episodes.by_token(cookie)
        except NotFoundError:
            return None

    async def judge(self, cookie: str) -> SessionVerdict:
        """Ends the episode of a session if it is open, and returns its reward.

        An episode that no answer was submitted in earns 0. One that failed, expired or was dropped, and one
        that the server does not know, is masked.
        """
        episode = self.find(cookie)
        if episode is None:
            return SessionVerdict(
                reward=0.0,
                mask_sample=True,
                failure_kind="session_lost",
                failure_reason="This server has no episode of this session. It may have been restarted "
                "without --data since.",
            )
        await episode.close("It was verified without a submission.")
        verdict = SessionVerdict(
            reward=episode.reward or 0.0,
            codegym_episode=episode.id,
            codegym_outcome=episode.outcome.value,
            codegym_calls=episode.calls,
        )
        kind = _FAILURE_KINDS.get(episode.state)
        if kind is None and episode.reward is not None:
            return verdict
        reason = f"The episode was not scored. {episode.reason}".strip()
        unscored = {
            "reward": 0.0,
            "mask_sample": True,
            "failure_kind": kind or _FAILURE_KINDS[EpisodeState.FAILED],
            "failure_reason": reason,
        }
        return verdict.model_copy(update=unscored)

    async def close(self, closing: CloseRequest) -> None:
        """Closes a session, also an unknown one, which cannot be seeded afterwards."""
        key = session_key(closing.resources_session_id, closing.episode_id)
        episode = self._find_by_key(key)
        if episode is not None:
            await drop(episode)
            return
        self._closed[key] = None
        if len(self._closed) > _REMEMBERED_CLOSINGS:
            self._closed.popitem(last=False)

    def _find_by_key(self, key: str) -> Episode | None:
        try:
            return self._episodes.by_key(key)
        except NotFoundError:
            return None


async def drop(episode: Episode) -> None:
    """Ends an episode that its trainer gives up; without a submission it is not scored."""
    await episode.close("The trainer closed the session.", state=EpisodeState.ABANDONED)


def session_key(session: str, identity: EpisodeIdentity) -> str:
    """Returns the idempotency key of a session, which only a request with all of its names has."""
    return f"nemo-gym/{to_json([session, identity.rollout_id, identity.attempt]).decode()}"


def _has_ended(seed: SeedRequest) -> TrainerRequestError:
    return TrainerRequestError(
        409, f"The session {seed.resources_session_id[:80]!r} has ended. Choose another id for a new session."
    )
