"""Decides which request is served next, so that no client takes the server from the others.

All requests are served on one event loop. If an iteration of the loop served everything that has arrived,
each call in progress would wait for it several times.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple
from weakref import WeakKeyDictionary

from starlette.types import ASGIApp, Receive, Scope, Send

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.server.bearer_tokens import has_token

_COST_PER_ITERATION = 16
"""The cost of the requests that are started in one iteration of the event loop. Starting many at once saves
processor time, since the processes of their episodes work at the same time; starting few keeps others waiting
less."""
_EPISODE_COST = 1
_OTHER_COST = 4
"""A request of the control plane or of an unknown client may take longer than a call of an episode."""
_PER_EPISODE = 4
"""Requests of one episode that are served at a time; its calls are made one after another anyway."""
_EPISODE_PAUSE = 0.004
"""Seconds between two requests of an episode that sends more than are served at a time."""
_MAX_SENDERS = 1000
KNOWN_SENDER = "codegym_mcp.known_sender"
"""Key of a request's scope: whether an episode's address or a valid token came with it."""
EPISODE = "codegym_mcp.episode"
"""Key of a request's scope: the episode in memory to whose address it was sent."""


FindEpisode = Callable[[str], Episode | None]


class Sender:
    """Those who share one part of the server: an episode, the control plane, or a client address.

    Attributes:
        limit: requests that are served at a time, or None without a limit.
        pause: seconds between two requests if more than the limit were sent.
        cost: what the start of a request costs.
        in_progress: requests that are served now.
        last_start: the position of its latest start among all starts.
        waiting: one future for each request that waits.
        queued: whether its next request will be started without a further event.
    """

    __slots__ = ("cost", "in_progress", "last_start", "limit", "pause", "queued", "waiting")

    def __init__(self, limit: int | None = None, pause: float = 0.0, cost: int = _OTHER_COST) -> None:
        self.limit = limit
        self.pause = pause
        self.cost = cost
        self.in_progress = 0
        self.last_start = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.queued = False

    @property
    def may_start(self) -> bool:
        """Whether fewer requests than the limit are in progress."""
        return self.limit is None or self.in_progress < self.limit


class _Queued(NamedTuple):
    """A sender with waiting requests; the one whose latest start is the oldest comes first."""

    last_start: int
    number: int
    sender: Sender


class RequestScheduler:
    """Starts a few requests in each iteration of the event loop.

    Of all senders with waiting requests, the one that was served least recently comes first. A client that
    sends very many requests thus waits for itself, and an ordinary call starts at once or soon.
    """

    def __init__(self) -> None:
        self._queue: list[_Queued] = []
        self._starts = 0
        self._cost_so_far = 0
        self._scheduled = False

    async def acquire(self, sender: Sender) -> None:
        """Waits until a request of this sender may be served."""
        if (
            self._cost_so_far < _COST_PER_ITERATION
            and not self._queue
            and not sender.waiting
            and sender.may_start
        ):
            self._start(sender)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sender.waiting.append(turn)
        self._enqueue(sender)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(sender)
            raise

    def release(self, sender: Sender) -> None:
        """Notes that a request was answered."""
        sender.in_progress -= 1
        if sender.waiting:
            self._resume(sender)

    def _start(self, sender: Sender) -> None:
        self._starts += 1
        self._cost_so_far += sender.cost
        sender.in_progress += 1
        sender.last_start = self._starts
        self._schedule()

    def _resume(self, sender: Sender) -> None:
        """Lets a sender start its next request after its pause."""
        if sender.pause and sender.waiting and sender.may_start and not sender.queued:
            sender.queued = True
            asyncio.get_running_loop().call_later(sender.pause, self._end_pause, sender)
        else:
            self._enqueue(sender)

    def _end_pause(self, sender: Sender) -> None:
        sender.queued = False
        self._enqueue(sender)

    def _enqueue(self, sender: Sender) -> None:
        if sender.queued or not sender.waiting or not sender.may_start:
            return
        sender.queued = True
        heapq.heappush(self._queue, _Queued(sender.last_start, id(sender), sender))
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._start_waiting)

    def _start_waiting(self) -> None:
        """Starts what may be started in this iteration of the loop."""
        self._scheduled = False
        self._cost_so_far = 0
        while self._queue and self._cost_so_far < _COST_PER_ITERATION:
            sender = heapq.heappop(self._queue).sender
            sender.queued = False
            while sender.waiting:
                turn = sender.waiting.popleft()
                if not turn.done():
                    self._start(sender)
                    turn.set_result(None)
                    break
            self._resume(sender)


class ScheduledRequests:
    """ASGI middleware that lets every request wait for its turn."""

    def __init__(self, app: ASGIApp, *, find_episode: FindEpisode, token: str) -> None:
        """
        Args:
            find_episode: returns the episode with a token, or None if this process does not hold it.
            token: the token of the control plane; requests that carry it share a part of their own.
        """
        self._app = app
        self._scheduler = RequestScheduler()
        self._find_episode = find_episode
        self._token = token
        self._control = Sender()
        self._episodes: WeakKeyDictionary[Episode, Sender] = WeakKeyDictionary()
        self._others: dict[tuple[str, bool], Sender] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sender = self.find_sender(scope)
        scope[KNOWN_SENDER] = sender is self._control or sender.limit is not None
        await self._scheduler.acquire(sender)
        try:
            await self._app(scope, receive, send)
        finally:
            self._scheduler.release(sender)

    def find_sender(self, scope: Scope) -> Sender:
        """Returns who shares a part of the server with this request.

        Whoever sends a request chooses its headers and path, so only a valid token has a part of its own.
        """
        path: str = scope["path"]
        _, found, rest = path.rpartition("/episodes/")
        if found:
            episode = self._find_episode(rest.partition("/")[0])
            if episode is not None:
                scope[EPISODE] = episode
                return self._sender_of(episode)
        if self._is_authorized(scope):
            return self._control
        client = scope.get("client")
        key = (client[0] if client else "", path.rstrip("/").endswith("/mcp"))
        sender = self._others.get(key)
        if sender is None:
            if len(self._others) >= _MAX_SENDERS:
                self._others = {key: each for key, each in self._others.items() if each.in_progress}
            sender = self._others[key] = Sender()
        return sender

    def _sender_of(self, episode: Episode) -> Sender:
        sender = self._episodes.get(episode)
        if sender is None:
            sender = self._episodes[episode] = Sender(_PER_EPISODE, _EPISODE_PAUSE, _EPISODE_COST)
        return sender

    def _is_authorized(self, scope: Scope) -> bool:
        with suppress(ValueError):
            return has_token(scope, self._token)
        return False
