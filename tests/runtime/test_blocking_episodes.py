"""Episodes of the Python API: opening, playing, closing, outcomes, threads."""

import asyncio
import gc
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import codegym_mcp as gym
from codegym_mcp import aio
from codegym_mcp.errors import (
    ClosedError,
    LimitError,
    NotFoundError,
    SourceError,
    TaskError,
    ToolError,
)

COUNTER = Path(__file__).parents[1] / "fixtures" / "counter.py"


@pytest.fixture(scope="module")
def runtime() -> Iterator[gym.Runtime]:
    with gym.Runtime(COUNTER, isolation="shared") as runtime:
        yield runtime


def find_bell(episode: gym.Episode) -> int:
    while True:
        heard = episode.call("listen").value
        if heard["sound"] == "here":
            return int(heard["floor"])
        episode.call("move", floors=1 if heard["sound"] == "above" else -1)


def test_an_episode_is_opened_played_scored_and_stays_readable(runtime: gym.Runtime) -> None:
    with runtime.open_episode("counter", difficulty=1, seed=3) as episode:
        assert episode.outcome == "open"
        assert episode.reward is None
        assert [tool.name for tool in episode.tools] == ["move", "listen"]
        assert "bell" in episode.task.text
        episode.submit(find_bell(episode))
    assert (episode.outcome, episode.reward) == ("correct", 1.0)
    assert episode.verdict is not None
    assert episode.calls > 0
    with pytest.raises(ClosedError, match="is closed"):
        episode.call("listen")


def test_a_wrong_answer_earns_nothing(runtime: gym.Runtime) -> None:
    with runtime.open_episode("counter", difficulty=1, seed=3) as episode:
        episode.submit(-1)
    assert (episode.outcome, episode.reward) == ("incorrect", 0.0)


def test_leaving_without_a_submission_means_that_the_agent_gave_up(runtime: gym.Runtime) -> None:
    with runtime.open_episode("counter", difficulty=1) as episode:
        episode.call("listen")
    assert (episode.outcome, episode.reward) == ("no_submission", 0.0)


def test_leaving_by_an_exception_is_not_scored(runtime: gym.Runtime) -> None:
    with pytest.raises(RuntimeError), runtime.open_episode("counter", difficulty=1) as episode:
        raise RuntimeError
    assert (episode.outcome, episode.reward) == ("abandoned", None)


def test_a_refused_call_is_a_result_whose_value_raises(runtime: gym.Runtime) -> None:
    with runtime.open_episode("counter", difficulty=1) as episode:
        refused = episode.call("move", floors=99)
        assert refused.status == "refused"
        assert refused.is_error
        with pytest.raises(ToolError, match="at most 10 floors"):
            _ = refused.value
        assert episode.call("fly").status == "invalid"
        assert episode.call("move", {"floors": "up"}).status == "invalid"
        assert episode.call("move", {"floors": 1}).value == 1
        with pytest.raises(TypeError, match="not both"):
            episode.call("move", {"floors": 1}, floors=1)


def test_closing_twice_is_allowed(runtime: gym.Runtime) -> None:
    episode = runtime.open_episode("counter", difficulty=1)
    episode.close()
    episode.close()
    assert episode.outcome == "no_submission"


def test_an_episode_that_its_owner_loses_is_abandoned_with_a_warning(runtime: gym.Runtime) -> None:
    lost = [runtime.open_episode("counter", difficulty=1)]
    before = runtime.open_count
    with pytest.warns(ResourceWarning, match="was not closed"):
        lost.clear()
    gc.collect()
    # The next call comes after the closing on the runtime's loop.
    with runtime.open_episode("counter", difficulty=1):
        pass
    assert runtime.open_count == before - 1


@pytest.mark.parametrize(
    ("choice", "error"),
    [
        ({"task": "nothing"}, NotFoundError),
        ({"difficulty": 6}, TaskError),
        ({"seed": 1}, TaskError),
        ({"task": "bell-2", "difficulty": 1}, TaskError),
        ({"task": gym.Task(id="odd", config={"start": "x"})}, TaskError),
    ],
    ids=str,
)
def test_a_wrong_choice_is_refused_before_a_process_starts(
    choice: dict[str, object], error: type[Exception]
) -> None:
    runtime = gym.Runtime(COUNTER)
    with pytest.raises(error):
        runtime.open_episode("counter", **choice)  # type: ignore[arg-type]
    assert not runtime.layers
    runtime.close()


def test_a_wrong_name_suggests_the_right_one(runtime: gym.Runtime) -> None:
    with pytest.raises(NotFoundError, match="Did you mean counter"):
        runtime.open_episode("conter")
    with pytest.raises(SourceError):
        runtime.open_episode("nowhere/else.py")


def test_a_task_of_ones_own_is_played(runtime: gym.Runtime) -> None:
    task = gym.Task(id="mine", config={"start": 2, "bell": 5})
    with runtime.open_episode(COUNTER, task=task) as episode:
        assert episode.task.id == "mine"
        episode.submit(5)
    assert episode.reward == 1.0


def test_the_agents_side_leads_to_no_verdict(runtime: gym.Runtime) -> None:
    with runtime.open_episode("counter", difficulty=1, seed=3) as episode:
        agent = episode.as_agent()
        names = [name for name in dir(agent) if not name.startswith("_")]
        assert names == ["call", "submission", "submit", "task", "tools"]
        assert not hasattr(agent, "__dict__")
        assert agent.call("listen").status == "ok"
        agent.submit(-1)
    assert episode.reward == 0.0


def test_calls_are_limited_and_used_up_calls_end_the_episode(runtime: gym.Runtime) -> None:
    limits = gym.Limits(calls=2)
    with runtime.open_episode("counter", difficulty=1, limits=limits) as episode:
        assert [episode.call("listen").over for _ in range(3)] == [False, False, True]
    assert (episode.outcome, episode.reward) == ("no_submission", 0.0)


def test_more_episodes_than_allowed_are_refused() -> None:
    with gym.Runtime(COUNTER, isolation="shared", open_limit=1) as runtime:
        with runtime.open_episode("counter", difficulty=1), pytest.raises(LimitError) as refused:
            runtime.open_episode("counter", difficulty=1)
        assert refused.value.limit == "open_episodes"


def test_an_episode_is_found_by_its_id(runtime: gym.Runtime) -> None:
    with runtime.open_episode("counter", difficulty=1) as episode:
        episode.call("listen")
        assert runtime.episode(episode.id).calls == 1
    with pytest.raises(NotFoundError):
        runtime.episode("nothing")


def test_the_same_key_opens_no_second_episode(runtime: gym.Runtime) -> None:
    with runtime.open_episode("counter", difficulty=1, key="once") as first:
        second = runtime.open_episode("counter", difficulty=1, key="once")
        assert second.id == first.id
        second.close()


def test_a_journal_on_disk_outlives_the_runtime(tmp_path: Path) -> None:
    with gym.Runtime(COUNTER, data=tmp_path) as runtime:
        episode = runtime.open_episode("counter", difficulty=1, seed=3)
        episode.call("listen")
    with gym.Runtime(COUNTER, data=tmp_path) as runtime:
        again = runtime.episode(episode.id)
        assert again.calls == 1
        again.submit(find_bell(again))
        assert again.reward == 1.0
        again.close()


def test_a_closed_runtime_ends_its_episodes_and_refuses_new_ones() -> None:
    runtime = gym.Runtime(COUNTER)
    episode = runtime.open_episode("counter", difficulty=1)
    runtime.close()
    runtime.close()
    with pytest.raises(ClosedError, match="The runtime is closed"):
        runtime.open_episode("counter", difficulty=1)
    with pytest.raises(ClosedError):
        episode.call("listen")
    episode.close()
    assert (episode.outcome, episode.reward) == ("abandoned", None)


def test_calls_of_one_episode_keep_their_order_and_threads_share_it(runtime: gym.Runtime) -> None:
    with runtime.open_episode("counter", difficulty=1) as episode:
        with ThreadPoolExecutor(8) as threads:
            floors = list(threads.map(lambda _: episode.call("move", floors=1).value, range(40)))
        assert sorted(floors) == list(range(1, 41))
        assert episode.calls == 40


def test_many_threads_play_many_episodes(runtime: gym.Runtime) -> None:
    def rollout(seed: int) -> float | None:
        with runtime.open_episode("counter", difficulty=1, seed=seed) as episode:
            episode.submit(find_bell(episode))
        return episode.reward

    with ThreadPoolExecutor(64) as threads:
        assert list(threads.map(rollout, range(128))) == [1.0] * 128
    assert runtime.open_count == 0


def test_closing_under_calling_threads_blocks_none_of_them() -> None:
    runtime = gym.Runtime(COUNTER, isolation="shared")
    episodes = [runtime.open_episode("counter", difficulty=1) for _ in range(8)]
    started = threading.Barrier(9)

    def call_for_ever(episode: gym.Episode) -> str:
        started.wait()
        try:
            while True:
                episode.call("move", floors=0)
        except ClosedError as error:
            return error.message

    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(call_for_ever, episode) for episode in episodes]
        started.wait()
        runtime.close()
        messages = {call.result(timeout=30) for call in calls}
    assert messages == {"The runtime is closed."}


async def test_a_blocking_call_works_inside_a_running_loop(runtime: gym.Runtime) -> None:
    with runtime.open_episode("counter", difficulty=1) as episode:
        assert episode.call("listen").status == "ok"


async def test_an_asynchronous_runtime_lives_in_the_callers_loop() -> None:
    async with aio.AsyncRuntime(COUNTER, isolation="shared") as runtime:
        async with await runtime.open_episode("counter", difficulty=1, seed=3) as episode:
            await episode.call("move", floors=1)
            await episode.submit(-1)
        assert episode.reward == 0.0
        with pytest.raises(RuntimeError):
            async with await runtime.open_episode("counter", difficulty=1) as episode:
                raise RuntimeError
        assert episode.outcome == "abandoned"
    with pytest.raises(ClosedError):
        await runtime.open_episode("counter", difficulty=1)


def test_episodes_of_the_shared_runtime_are_awaited_in_any_number_of_loops() -> None:
    async def play() -> float | None:
        async with aio.open_episode(COUNTER, difficulty=1, seed=3) as episode:
            await episode.call("listen")
            await episode.submit(-1)
        return episode.reward

    assert [asyncio.run(play()) for _ in range(2)] == [0.0, 0.0]


async def test_an_opening_may_be_awaited_or_entered() -> None:
    episode = await aio.open_episode(COUNTER, difficulty=1)
    await episode.close()
    assert episode.outcome == "no_submission"


def test_live_handles_do_not_pickle_and_values_do(runtime: gym.Runtime) -> None:
    with runtime.open_episode("counter", difficulty=1) as episode, pytest.raises(TypeError, match="its id"):
        pickle.dumps(episode)
    task = runtime.make_task("counter", 2, seed=5)
    values = (runtime.catalog["counter"], task, gym.Limits(calls=3), runtime.catalog)
    for value in values:
        assert pickle.loads(pickle.dumps(value)) is not None
    assert pickle.loads(pickle.dumps(task)) == task


def test_a_notebook_shows_task_tools_and_outcome(runtime: gym.Runtime) -> None:
    with runtime.open_episode("counter", difficulty=1) as episode:
        shown = episode._repr_html_()
    assert "move(floors)" in shown
    assert "<script" not in shown


def test_threads_read_and_open_files_at_the_same_time(tmp_path: Path) -> None:
    # CPython before 3.13 raises SystemError where two threads parse at the same time without a lock.
    paths = [tmp_path / f"counter_{number}.py" for number in range(64)]
    for path in paths:
        path.write_text(COUNTER.read_text())

    def listen(path: Path) -> str:
        with runtime.open_episode(path, difficulty=1) as episode:
            return episode.call("listen").status

    with gym.Runtime(COUNTER) as runtime, ThreadPoolExecutor(32) as threads:
        assert set(threads.map(listen, paths)) == {"ok"}
