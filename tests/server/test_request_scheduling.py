"""In which order the requests of several clients are started."""

import asyncio
import gc
from collections import Counter

import anyio
import pytest
from starlette.types import Receive, Scope, Send

from codegym_mcp.server.request_scheduling import RequestScheduler, ScheduledRequests, Sender

from .serving import Server


class Loop:
    """A scheduler whose requests take a few iterations of the loop, and the order in which they start."""

    def __init__(self, steps: int = 3) -> None:
        self.scheduler = RequestScheduler()
        self.steps = steps
        self.started: list[str] = []
        self.most: Counter[Sender] = Counter()

    async def serve(self, sender: Sender, name: str) -> None:
        await self.scheduler.acquire(sender)
        self.started.append(name)
        self.most[sender] = max(self.most[sender], sender.in_progress)
        for _ in range(self.steps):
            await asyncio.sleep(0)
        self.scheduler.release(sender)


async def test_few_requests_start_at_once() -> None:
    loop = Loop(steps=0)
    for number in range(4):
        # It does not wait, so the coroutine ends at its first step.
        with pytest.raises(StopIteration):
            loop.serve(Sender(), str(number)).send(None)
    assert loop.started == ["0", "1", "2", "3"]


async def test_calls_of_many_episodes_start_at_once() -> None:
    loop = Loop(steps=0)
    for number in range(16):
        with pytest.raises(StopIteration):
            loop.serve(Sender(cost=1), str(number)).send(None)
    waiting = loop.serve(Sender(cost=1), "16")
    waiting.send(None)
    assert len(loop.started) == 16
    waiting.close()


async def test_the_client_that_was_served_least_recently_comes_first() -> None:
    loop = Loop()
    flooding, ordinary = Sender(), Sender()
    async with anyio.create_task_group() as tasks:
        for _ in range(500):
            tasks.start_soon(loop.serve, flooding, "flood")
        await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)
            before = len(loop.started)
            await loop.serve(ordinary, "call")
            assert "call" in loop.started[before : before + 8]
    assert len(loop.started) == 505


@pytest.mark.parametrize("limit", [1, 4])
async def test_a_client_has_no_more_requests_in_progress_than_its_limit(limit: int) -> None:
    loop = Loop()
    flooding = Sender(limit=limit, pause=0.0001)
    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(loop.serve, flooding, "flood")
    assert len(loop.started) == 50
    assert loop.most[flooding] == limit
    assert flooding.in_progress == 0


async def test_a_client_that_exceeds_its_limit_waits_between_its_requests() -> None:
    loop = Loop()
    flooding = Sender(limit=2, pause=3600)
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(loop.serve, flooding, "flood")
        for _ in range(100):
            await asyncio.sleep(0)
        assert loop.started == ["flood", "flood"]
        with anyio.fail_after(5):
            await loop.serve(Sender(), "call")
        tasks.cancel_scope.cancel()
    assert flooding.in_progress == 0


async def test_a_request_that_is_cancelled_gives_its_place_to_the_next() -> None:
    loop = Loop(steps=0)
    sender = Sender(limit=1)
    await loop.scheduler.acquire(sender)
    first, second = (asyncio.create_task(loop.serve(sender, name)) for name in ("first", "second"))
    await asyncio.sleep(0)
    first.cancel()
    loop.scheduler.release(sender)
    await asyncio.wait_for(second, 5)
    assert loop.started == ["second"]
    assert sender.in_progress == 0


async def test_a_request_that_is_cancelled_as_it_starts_gives_its_place_to_the_next() -> None:
    loop = Loop(steps=0)
    sender = Sender(limit=1)
    await loop.scheduler.acquire(sender)
    first, second = (asyncio.create_task(loop.serve(sender, name)) for name in ("first", "second"))
    await asyncio.sleep(0)
    loop.scheduler.release(sender)
    for _ in range(2):
        # The first request was told to start, and has not run since.
        await asyncio.sleep(0)
        if sender.in_progress:
            break
    first.cancel()
    await asyncio.wait_for(second, 5)
    assert loop.started == ["second"]
    assert sender.in_progress == 0


async def _unused(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("no request is sent")


async def test_only_what_a_client_cannot_choose_gives_it_a_share_of_its_own(http: Server) -> None:
    episode = await http.open()
    scheduled = ScheduledRequests(_unused, find_episode=http.episodes.in_memory, token="secret")

    def sender(path: str, host: str = "127.0.0.1", token: str = "") -> Sender:
        headers = [(b"authorization", b"Bearer " + token.encode())] if token else []
        return scheduled.find_sender({"type": "http", "path": path, "headers": headers, "client": (host, 1)})

    in_episode, in_control, stranger = (
        sender(f"/episodes/{episode.token}/mcp"),
        sender("/episodes", token="secret"),
        sender("/health"),
    )
    assert sender(f"/prefix/episodes/{episode.token}/mcp/", host="192.0.2.7") is in_episode
    assert sender(f"/episodes/{episode.id}", token="secret") is in_control
    assert sender(f"/episodes/{episode.id}-guess") is stranger
    assert sender("/elsewhere", token="guess") is stranger
    parts = (in_episode, in_control, stranger, sender("/mcp"), sender("/health", host="192.0.2.7"))
    assert len({id(part) for part in parts}) == 5
    await episode.close("done")


async def test_very_many_addresses_take_no_memory(http: Server) -> None:
    scheduled = ScheduledRequests(_unused, find_episode=http.episodes.in_memory, token="secret")
    of_other_servers = _living_senders()
    for number in range(5000):
        scheduled.find_sender({"type": "http", "path": "/", "headers": [], "client": (str(number), 1)})
    assert _living_senders() - of_other_servers <= 1100


def _living_senders() -> int:
    """Counts them in one pass over all objects: asking for the referrers of each takes a pass for each."""
    gc.collect()
    return sum(type(each) is Sender for each in gc.get_objects())
