"""Gymnasium plays: its environment checker, vector environments, and the oracle's calls."""

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import get_context
from typing import Any

import gymnasium
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

import codegym_mcp
from codegym_harness.trainers import gymnasium_env
from codegym_harness.trainers.gymnasium_env import ANY_ENVIRONMENT, EpisodeEnv, gymnasium_id
from codegym_mcp.bundled_environments import bundled_names
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.errors import CodegymError, NotFoundError, TaskError, UnscoredError
from codegym_mcp.runtime.shared_runtime import shared_runtime
from tests.conftest import FIXTURES
from tests.failing_environment import FAILING

pytestmark = pytest.mark.trainers

LIFT = str(FIXTURES / "counter.py")


@pytest.fixture
def lift() -> Iterator[Any]:
    with gymnasium.make(ANY_ENVIRONMENT, environment="counter", difficulty=3, environments=(LIFT,)) as env:
        yield env


def act(tool: str, **arguments: Any) -> str:
    return json.dumps({"tool": tool, "arguments": arguments})


def find_bell(env: Any) -> int:
    """Returns the floor of the bell, having listened on the way."""
    while True:
        heard = json.loads(env.step(act("listen"))[0])
        if heard["sound"] == "here":
            return int(heard["floor"])
        env.step(act("move", floors=1 if heard["sound"] == "above" else -1))


@pytest.mark.parametrize("name", bundled_names())
def test_every_bundled_environment_passes_the_checker(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with gymnasium.make(gymnasium_id(name)).unwrapped as env:
            check_env(env)
    assert isinstance(env, EpisodeEnv)


def test_an_id_can_be_made_without_an_import() -> None:
    with gymnasium.make(f"{gymnasium_env.__name__}:codegym_mcp/NightCourier-v0", difficulty=2) as env:
        _, info = env.reset(seed=7)
    assert info["task"] == "d2-s7"


def test_the_seed_is_the_seed_of_the_task(lift: Any) -> None:
    first, info = lift.reset(seed=1_000_007)
    assert info["task"] == "d3-s1000007"
    assert first.startswith("A lift stands at floor 0.")
    drawn = [lift.reset()[1]["task"] for _ in range(3)]
    lift.reset(seed=1_000_007)
    assert [lift.reset()[1]["task"] for _ in range(3)] == drawn
    assert all(int(task.removeprefix("d3-s")) < 1_000_000 for task in drawn)
    assert [tool["function"]["name"] for tool in info["tools"]] == ["move", "listen", "submit_answer"]


def test_a_right_answer_is_paid_once(lift: Any) -> None:
    lift.reset(seed=4)
    floor = find_bell(lift)
    text, reward, terminated, truncated, info = lift.step(act("submit_answer", answer=floor))
    assert (reward, terminated, truncated, info["outcome"]) == (1.0, True, False, "correct")
    assert "received" in text
    with pytest.raises(ResetNeeded):
        lift.unwrapped.step(act("submit_answer", answer=floor))


def test_a_wrong_answer_and_a_reset_on_the_way_are_not_paid(lift: Any) -> None:
    lift.reset(seed=4)
    floor = find_bell(lift)
    lift.reset(seed=4)
    assert lift.step(act("submit_answer", answer=floor + 1))[1:3] == (0.0, True)


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("north", "it is not JSON"),
        ("[1]", "not of the form"),
        ('{"tool": 7}', "not of the form"),
        ('{"tool": "listen", "arguments": [1]}', "a JSON array"),
        ('{"tool": "move", "arguments": {"floors": NaN}}', "NaN is not a JSON number"),
        ('{"tool": "dance"}', "dance"),
        ('{"tool": "move", "arguments": {"floors": "up"}}', "floors"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_text_that_is_no_valid_call_is_answered_and_not_paid(lift: Any, action: str, told: str) -> None:
    lift.reset(seed=4)
    text, reward, terminated, _, info = lift.step(action)
    assert told in text
    assert (reward, terminated, info["calls"]) == (0.0, False, 1)


def test_malformed_calls_use_up_the_calls() -> None:
    env = EpisodeEnv("counter", environments=(LIFT,), calls=3)
    env.reset(seed=1)
    ended = [env.step("?")[2] for _ in range(2)] + [env.step(act("listen"))[2]]
    assert ended == [False] * 3
    _, reward, terminated, _, info = env.step(act("listen"))
    assert (reward, terminated, info["outcome"]) == (0.0, True, "no_submission")


def test_the_wrong_choice_of_a_task_is_an_error(lift: Any) -> None:
    with pytest.raises(TaskError, match="Unknown options of reset: level"):
        lift.reset(options={"level": 2})
    with pytest.raises(TaskError, match="not both"):
        lift.reset(options={"task": "low", "difficulty": 2})
    with pytest.raises(NotFoundError, match="nowhere"):
        EpisodeEnv("nowhere").reset()
    with pytest.raises(CodegymError, match="speed: Extra inputs are not permitted"):
        EpisodeEnv("counter", speed=2)


def test_fixed_tasks_are_played_without_a_difficulty() -> None:
    with gymnasium.make(gymnasium_id("night_courier"), difficulty=None) as env:
        tasks = [task.id for task in codegym_mcp.load()["night_courier"].tasks]
        assert env.reset()[1]["task"] == tasks[0]
        assert env.reset(options={"task": tasks[2]})[1]["task"] == tasks[2]


def test_an_episode_without_a_score_is_an_error_and_never_the_reward_0(tmp_path: Any) -> None:
    (tmp_path / "door.py").write_text(FAILING)
    env = EpisodeEnv("door", environments=(str(tmp_path / "door.py"),))
    env.reset(seed=1)
    with pytest.raises(UnscoredError, match="its outcome is failed") as caught:
        env.step(act("submit_answer", answer=1))
    assert caught.value.outcome == "failed"
    env.reset(seed=2)
    assert env.step(act("knock"))[0] == "true"
    env.close()


def test_dropped_and_closed_environments_leave_no_episode_open() -> None:
    runtime = shared_runtime()
    before = runtime.open_count
    env = gymnasium.make(gymnasium_id("leak_survey"))
    env.reset(seed=1)
    env.reset(seed=2)
    assert runtime.open_count == before + 1
    env.close()
    env.close()
    assert runtime.open_count == before


def test_an_environment_that_is_dropped_abandons_its_episode() -> None:
    environments = [EpisodeEnv("leak_survey")]
    environments[0].reset(seed=1)
    episode = shared_runtime().episode(environments[0]._play.episode.id)
    with pytest.warns(ResourceWarning, match="was not closed"):
        environments.clear()
    while episode.state is EpisodeState.OPEN:
        with suppress(CodegymError):
            episode.events()
    assert episode.state is EpisodeState.ABANDONED
    assert episode.reward is None


def test_asynchronous_vector_environments_play_in_processes_of_their_own() -> None:
    vector = gymnasium.make_vec(
        gymnasium_id("night_courier"),
        num_envs=2,
        vectorization_mode="async",
        vector_kwargs={"shared_memory": False},
    )
    try:
        texts, _ = vector.reset(seed=[3, 4])
        assert len(set(texts)) == 2
        looked, rewards, *_ = vector.step((act("look"), "?"))
        assert looked[0].startswith("{")
        assert list(rewards) == [0.0, 0.0]
    finally:
        vector.close()


def play_in_child(connection: Any) -> None:
    env = EpisodeEnv("night_courier")
    connection.send(env.reset(seed=3)[1]["task"])
    os._exit(0)


def test_a_forked_process_plays_episodes_of_its_own() -> None:
    env = EpisodeEnv("night_courier")
    env.reset(seed=3)
    context = get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=play_in_child, args=(theirs,))
    child.start()
    assert ours.recv() == "d1-s3"
    child.join()
    assert env.step(act("look"))[0].startswith("{")
    env.close()


def test_a_server_holds_the_episodes(monkeypatch: pytest.MonkeyPatch) -> None:
    with codegym_mcp.serve(LIFT) as server:
        with pytest.raises(CodegymError, match="needs the token"):
            EpisodeEnv("counter", url=server.url).reset()
        monkeypatch.setenv("CODEGYM_MCP_TOKEN", server.token)
        env = EpisodeEnv("counter", url=server.url)
        env.reset(seed=4)
        answer = find_bell(env)
        assert env.step(act("submit_answer", answer=answer))[1:3] == (1.0, True)
        env.reset(seed=5)
        env.close()
