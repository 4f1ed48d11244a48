"""Where a trainer's episodes run, and what they are worth."""

import asyncio
import os
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import codegym_mcp
from codegym_harness.trainers.trainer_episodes import EpisodeOptions, reward_of
from codegym_mcp.errors import CodegymError, NotFoundError, TaskError, UnscoredError
from codegym_mcp.runtime.shared_runtime import shared_runtime
from codegym_mcp.sandbox.process.pool import Isolation
from codegym_mcp.task_reference import TaskReference
from tests.conftest import FIXTURES

LIFT = str(FIXTURES / "counter.py")
TASK = TaskReference(environment="counter", difficulty=2, seed=3)


@pytest.fixture(params=["here", "server"])
def options(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    if request.param == "here":
        yield EpisodeOptions.read(environments=(LIFT,), calls=40)
        return
    with codegym_mcp.serve(LIFT) as server:
        monkeypatch.setenv("CODEGYM_MCP_TOKEN", server.token)
        yield EpisodeOptions.read(url=server.url, calls=40)


def bell(listen: Any, move: Any) -> int:
    while (heard := listen())["sound"] != "here":
        move(1 if heard["sound"] == "above" else -1)
    return int(heard["floor"])


def test_a_blocking_episode_is_opened_and_paid(options: EpisodeOptions) -> None:
    episode = options.open(TASK)
    assert (episode.task.id, episode.limits.calls) == ("d2-s3", 40)
    with options.open(TASK, calls=4) as other:
        assert other.limits.calls == 4
    answer = bell(
        lambda: episode.call("listen").value, lambda floors: episode.call("move", floors=floors).value
    )
    episode.submit(answer)
    episode.close()
    assert reward_of(episode) == 1.0


def test_an_awaited_episode_is_opened_on_any_loop(options: EpisodeOptions) -> None:
    async def play() -> float:
        episode = await options.open_async(TASK, calls=5)
        assert episode.limits.calls == 5
        await asyncio.gather(*(episode.call("listen") for _ in range(3)))
        await episode.submit(0)
        await episode.close()
        return reward_of(episode)

    assert [asyncio.run(play()), asyncio.run(play())] == [0.0, 0.0]


def test_an_agent_that_gave_up_has_the_reward_0_and_an_abandoned_episode_has_none(
    options: EpisodeOptions,
) -> None:
    given_up = options.open(TASK)
    given_up.close()
    assert reward_of(given_up) == 0.0
    with pytest.raises(RuntimeError), options.open(TASK) as lost:
        raise RuntimeError
    with pytest.raises(UnscoredError, match="its outcome is abandoned") as caught:
        reward_of(lost)
    assert (caught.value.episode, caught.value.outcome) == (lost.id, "abandoned")


@pytest.mark.parametrize(
    ("task", "error", "told"),
    [
        (TaskReference(environment="nowhere"), NotFoundError, "nowhere"),
        (TaskReference(environment="counter", task="bell-99"), NotFoundError, "bell-99"),
    ],
)
def test_an_unknown_task_is_an_error(
    options: EpisodeOptions, task: TaskReference, error: type[CodegymError], told: str
) -> None:
    with pytest.raises(error, match=told):
        options.open(task)


@pytest.mark.parametrize("calls", [0, -1, 2.5, "many"])
def test_a_row_with_an_impossible_number_of_calls_is_an_error(calls: Any) -> None:
    with pytest.raises(TaskError, match=f"A row allows {calls!r} calls"):
        EpisodeOptions().open(TaskReference(environment="night_courier"), calls)


def test_contradictory_options_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CodegymError, match="calls: Input should be less than"):
        EpisodeOptions.read(calls=10**9)
    monkeypatch.delenv("CODEGYM_MCP_TOKEN", raising=False)
    with pytest.raises(CodegymError, match="Set it in CODEGYM_MCP_TOKEN"):
        EpisodeOptions.read(url="http://127.0.0.1:1").open(TASK)
    monkeypatch.setenv("CODEGYM_MCP_TOKEN", "secret")
    with pytest.raises(CodegymError, match="are the server's own"):
        EpisodeOptions.read(url="http://127.0.0.1:1", environments=(LIFT,)).open(TASK)
    with pytest.raises(CodegymError, match="is the server's own") as caught:
        EpisodeOptions.read(url="http://127.0.0.1:1", isolation="shared").open(TASK)
    assert "--isolation shared" in str(caught.value)


@pytest.mark.parametrize(("isolation", "processes"), [("process", 1), ("shared", 0)])
def test_a_further_episode_has_a_process_of_its_own_unless_it_may_share_one(
    isolation: Isolation, processes: int
) -> None:
    options = EpisodeOptions.read(environments=(LIFT,), isolation=isolation)
    with options.open(TASK) as first:
        runtime = options.holder()
        assert isinstance(runtime, codegym_mcp.Runtime)
        pool = runtime.thread.run(runtime.async_runtime.start).pool
        before = pool.started
        with options.open(TASK) as second:
            assert pool.started - before == processes
            first.call("move", floors=1)
            assert second.call("listen").value["floor"] == 0


def test_a_client_that_is_given_a_contradictory_choice_refuses_it() -> None:
    client = codegym_mcp.Client("http://127.0.0.1:1", token="secret")
    with client, pytest.raises(TaskError, match="not both"):
        client.open_episode("counter", task="bell-1", difficulty=2)


def test_bundled_environments_share_the_runtime_of_the_process() -> None:
    before = shared_runtime().open_count
    with EpisodeOptions().open(TaskReference(environment="night_courier")):
        assert shared_runtime().open_count == before + 1


def play_in_child(connection: Any) -> None:
    with EpisodeOptions.read(environments=(LIFT,)).open(TASK) as episode:
        connection.send(episode.call("listen").value["floor"])
    os._exit(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_opens_episodes_of_its_own(tmp_path: Path) -> None:
    options = EpisodeOptions.read(environments=(LIFT,))
    with options.open(TASK) as episode:
        context = get_context("fork")
        ours, theirs = context.Pipe()
        child = context.Process(target=play_in_child, args=(theirs,))
        child.start()
        assert ours.recv() == 0
        child.join()
        assert episode.call("listen").value["floor"] == 0
