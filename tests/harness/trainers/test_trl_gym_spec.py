"""`GymSpec`: rows, and environments as TRL probes and plays them."""

import inspect
import os
import pickle
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import codegym_mcp
from codegym_harness.trainers.offered_tools import OfferedTools
from codegym_harness.trainers.trainer_episodes import EpisodeOptions
from codegym_harness.trainers.trl_environment import EnvironmentFactory
from codegym_harness.trainers.trl_gym_spec import GymSpec
from codegym_mcp.curriculum.curriculum_file import CurriculumFile
from codegym_mcp.curriculum.difficulty_rule import CurriculumRule
from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.errors import CodegymError, MissingExtraError, NotFoundError, TaskError
from codegym_mcp.task_reference import FIRST_HELD_OUT_SEED
from tests.conftest import FIXTURES
from tests.failing_environment import FAILING

LIFT = str(FIXTURES / "counter.py")


def offered(*names: str) -> OfferedTools:
    tools = [ToolView(name=name, input_schema={}) for name in names]
    return OfferedTools(tools, ToolView(name="submit_answer", input_schema={}))


@pytest.fixture(scope="module")
def spec() -> GymSpec:
    return GymSpec(LIFT, difficulty=3, tasks=4, held_out=2)


@pytest.fixture
def lift(spec: GymSpec) -> Iterator[Any]:
    env: Any = spec.environment_factory()
    yield env
    env.get_reward()


def find_bell(env: Any) -> int:
    """Returns the floor of the bell, having listened on the way."""
    while True:
        heard = eval(env.listen())
        if heard["sound"] == "here":
            return int(heard["floor"])
        env.move(floors=1 if heard["sound"] == "above" else -1)


# --- rows


def test_rows_name_the_tasks_and_leave_room_for_the_task_text(spec: GymSpec) -> None:
    assert [(row["environment"], row["difficulty"], row["seed"]) for row in spec.rows] == [
        ("counter", 3, seed) for seed in range(4)
    ]
    system, user = spec.rows[0]["prompt"]
    assert system["content"].startswith("Solve the task with the tools. You may make at most 256 calls.")
    assert user == {"role": "user", "content": ""}


def test_held_out_rows_have_the_same_columns_and_seeds_of_their_own(spec: GymSpec) -> None:
    assert [row["seed"] for row in spec.eval_rows] == [FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + 1]
    assert spec.eval_rows[0].keys() == spec.rows[0].keys()
    with pytest.raises(TaskError, match="partly held out"):
        GymSpec(LIFT, tasks=10, seed=FIRST_HELD_OUT_SEED - 5)
    assert GymSpec(LIFT, tasks=1).eval_dataset is None


def test_rows_of_several_environments_and_difficulties_alternate() -> None:
    spec = GymSpec(["leak_survey", "night_*"], difficulty=[1, 2], tasks=2, system_prompt="")
    assert [(row["environment"], row["difficulty"], row["seed"]) for row in spec.rows[:4]] == [
        ("leak_survey", 1, 0),
        ("leak_survey", 2, 0),
        ("night_courier", 1, 0),
        ("night_courier", 2, 0),
    ]
    assert spec.rows[0]["prompt"] == [{"role": "user", "content": ""}]
    assert spec.environment_factory.keys() == {"leak_survey", "night_courier"}


def test_fixed_tasks_are_named_by_their_ids() -> None:
    spec = GymSpec("night_courier", difficulty=None)
    tasks = [task.id for task in codegym_mcp.load()["night_courier"].tasks]
    assert [row["task"] for row in spec.rows] == tasks
    assert spec.rows[0].keys() == {"prompt", "environment", "task"}
    with pytest.raises(TaskError, match="no seeds"):
        GymSpec("night_courier", difficulty=None, held_out=1)


def test_without_the_library_rows_can_be_read_and_data_sets_name_what_is_missing(
    spec: GymSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(MissingExtraError, match="pip install datasets"):
        _ = spec.train_dataset


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ({"environments": "nowhere"}, NotFoundError, "nowhere"),
        ({"environments": LIFT, "difficulty": 7}, TaskError, "difficulty"),
        ({"environments": LIFT, "tasks": 0}, TaskError, "last seed"),
        ({"environments": LIFT, "calls": 0}, CodegymError, "calls"),
        ({"environments": LIFT, "server": "http://127.0.0.1:1"}, CodegymError, "the server's own"),
    ],
)
def test_what_cannot_be_selected_is_an_error_at_construction(
    arguments: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        GymSpec(**arguments)


# --- what TRL probes


def test_the_public_functions_of_the_class_are_its_tools(lift: Any) -> None:
    functions = {name for name, _ in inspect.getmembers(type(lift), inspect.isfunction) if name[0] != "_"}
    assert functions == {"reset", "get_reward", "move", "listen", "submit_answer"}
    assert type(lift).__name__ == "counter"
    assert type(lift).move.__annotations__ == {"floors": int}


def test_all_instances_are_of_one_class_also_after_pickling(spec: GymSpec) -> None:
    factory = spec.environment_factory
    assert type(factory()) is type(factory())
    copied = pickle.loads(pickle.dumps(spec))
    assert copied.rows == spec.rows
    env = copied.environment_factory()
    assert env.reset(**copied.rows[0]).startswith("A lift stands")
    assert env.get_reward() == 0.0


@pytest.mark.parametrize("name", ["reset", "get_reward", "_look", "look at", "class"])
def test_a_tool_that_trl_cannot_offer_is_an_error(name: str) -> None:
    with pytest.raises(CodegymError, match=f"TRL cannot offer the tool '{name}' of lift"):
        EnvironmentFactory("lift", offered("look", name), EpisodeOptions())


def test_an_environment_with_a_reserved_tool_is_an_error_at_construction(tmp_path: Path) -> None:
    path = tmp_path / "door.py"
    path.write_text(FAILING.replace("def knock", "def reset"))
    with pytest.raises(CodegymError, match=r"the tool 'reset' of door.*reserves"):
        GymSpec(path)


# --- rollouts


def test_a_right_answer_is_paid_and_calls_after_it_are_not_executed(lift: Any, spec: GymSpec) -> None:
    assert lift.reset(**spec.rows[1]).startswith("A lift stands at floor 0.")
    answer = find_bell(lift)
    assert "received" in lift.submit_answer(answer=answer)
    assert "the episode is over" in lift.submit_answer(answer=answer + 1)
    assert lift.get_reward() == 1.0
    assert lift.get_reward() == 1.0
    assert "the episode is over" in lift.listen()


def test_a_wrong_answer_and_no_answer_earn_nothing(lift: Any, spec: GymSpec) -> None:
    lift.reset(**spec.rows[0])
    lift.submit_answer(answer=99)
    assert lift.get_reward() == 0.0
    lift.reset(**spec.rows[0])
    lift.listen()
    assert lift.get_reward() == 0.0


def test_calls_that_are_wrong_are_answered_and_counted(spec: GymSpec) -> None:
    env: Any = spec.environment_factory()
    env.reset(**spec.rows[0], calls=3)
    assert "floors" in env.move(floors="up")
    assert "speed" in env.move(floors=1, speed=2)
    assert "10 floors" in env.move(floors=11)
    assert "over" in env.listen()
    assert env.get_reward() == 0.0


def test_an_episode_that_is_dropped_half_way_is_abandoned_and_earns_nothing_later(
    lift: Any, spec: GymSpec
) -> None:
    lift.reset(**spec.rows[1])
    answer = find_bell(lift)
    lift.submit_answer(answer=answer)
    dropped = lift._opening.episode()
    lift.reset(**spec.rows[1])
    lift.listen()
    unfinished = lift._opening.episode()
    lift.reset(**spec.rows[1])
    assert (dropped.outcome, unfinished.outcome) == ("correct", "abandoned")
    assert unfinished.reward is None
    assert lift.get_reward() == 0.0


def test_before_the_first_reset_there_is_no_reward_and_no_episode(lift: Any) -> None:
    assert lift.get_reward() is None
    assert "the episode is over" in lift.listen()


def test_an_episode_without_a_score_has_no_reward(tmp_path: Path) -> None:
    (tmp_path / "door.py").write_text(FAILING)
    spec = GymSpec(tmp_path / "door.py", tasks=1)
    env: Any = spec.environment_factory()
    env.reset(**spec.rows[0])
    env.submit_answer(answer=1)
    assert env.get_reward() is None


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"environment": "night_courier", "difficulty": 1, "seed": 0}, "was given to counter"),
        ({"task": "low", "difficulty": 1}, "not both"),
        ({"difficulty": 9, "seed": 0}, "difficulty"),
        ({"difficulty": 1, "calls": 0}, "allows 0 calls"),
        ({"task": "nowhere"}, "nowhere"),
    ],
)
def test_a_row_that_names_no_task_of_the_environment_is_an_error(
    lift: Any, row: dict[str, Any], told: str
) -> None:
    with pytest.raises(CodegymError, match=told):
        lift.reset(prompt=[], **row)
    assert lift.get_reward() is None


def test_rows_of_a_table_with_empty_cells_are_read(lift: Any) -> None:
    row = {"prompt": [], "environment": "counter", "task": None, "difficulty": 2, "seed": 5}
    assert lift.reset(**row).startswith("A lift stands")


def test_dropped_instances_leave_no_episode_open(spec: GymSpec) -> None:
    env: Any = spec.environment_factory()
    runtime = env._options.holder()
    before = runtime.open_count
    env.reset(**spec.rows[0])
    env.listen()
    assert runtime.open_count == before + 1
    with pytest.warns(ResourceWarning, match="was not closed"):
        del env
    runtime.make_task("counter", 1)  # The runtime's thread has reached what the finalizer started.
    while runtime.open_count > before:
        runtime.make_task("counter", 1)


def test_an_opening_that_fails_in_the_background_is_not_scored(tmp_path: Path) -> None:
    source = tmp_path / "lift.py"
    source.write_text(Path(LIFT).read_text())
    spec = GymSpec(source, tasks=1)
    env: Any = spec.environment_factory()
    task = env.reset(**spec.rows[0])
    env.submit_answer(answer=find_bell(env))
    assert env.get_reward() == 1.0
    env._options.holder().close()  # The next runtime reads the file again.
    source.write_text(
        Path(LIFT).read_text().replace("def __init__(", "def __init__(self, config): 1 / 0\n\n    def _(")
    )
    assert env.reset(**spec.rows[0]) == task
    assert "will not be scored" in env.listen()
    assert env.get_reward() is None


def play_in_child(connection: Any, env: Any, row: dict[str, Any]) -> None:
    told = env.listen()
    env.reset(**row)
    env.submit_answer(answer=find_bell(env))
    connection.send((told, env.get_reward()))
    os._exit(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_loses_the_parents_episode_and_plays_its_own(lift: Any, spec: GymSpec) -> None:
    lift.reset(**spec.rows[2])
    context = get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=play_in_child, args=(theirs, lift, spec.rows[2]))
    child.start()
    told, reward = ours.recv()
    child.join()
    assert "will not be scored" in told
    assert reward == 1.0
    lift.submit_answer(answer=find_bell(lift))
    assert lift.get_reward() == 1.0


# --- adaptive difficulty


def adaptive(path: Path, **options: Any) -> GymSpec:
    rule = CurriculumRule(groups=2)
    return GymSpec(
        LIFT, difficulty="adaptive", tasks=9, curriculum=CurriculumFile(path=path, rule=rule), **options
    )


def play_group(env: Any, row: dict[str, Any], *, right: bool) -> int:
    """Plays a group of two episodes, and returns their difficulty."""
    difficulties = set()
    for _ in range(2):
        env.reset(**row)
        difficulties.add(env._opening.episode().task.id)
        answer = find_bell(env)
        env.submit_answer(answer=answer if right else answer + 1)
        assert env.get_reward() == float(right)
    (task,) = difficulties
    return int(task[1])


def test_the_difficulty_follows_the_success_of_the_last_groups(tmp_path: Path) -> None:
    spec = adaptive(tmp_path / "curriculum.json")
    assert spec.rows[0].keys() == {"prompt", "environment", "seed"}
    env: Any = spec.environment_factory()
    assert spec.difficulties == {"counter": 1}
    played = [play_group(env, row, right=number < 4) for number, row in enumerate(spec.rows[:8])]
    assert played == [1, 1, 2, 2, 3, 3, 2, 2]
    assert spec.difficulties == {"counter": 2}


def test_a_later_training_resumes_the_difficulties_also_from_a_pickled_factory(tmp_path: Path) -> None:
    path = tmp_path / "curriculum.json"
    first = adaptive(path)
    env: Any = pickle.loads(pickle.dumps(first.environment_factory))()
    for row in first.rows[:3]:
        play_group(env, row, right=True)
    later = adaptive(path)
    assert later.difficulties == {"counter": 2}
    assert play_group(later.environment_factory(), later.rows[5], right=True) == 2


def test_without_a_file_every_training_begins_at_the_first_difficulty() -> None:
    first, second = (GymSpec(LIFT, difficulty="adaptive", tasks=9) for _ in range(2))
    env: Any = first.environment_factory()
    for row in first.rows:
        play_group(env, row, right=True)
    assert (first.difficulties, second.difficulties) == ({"counter": 2}, {"counter": 1})


def test_episodes_that_are_dropped_or_not_scored_do_not_count(tmp_path: Path) -> None:
    spec = adaptive(tmp_path / "curriculum.json")
    env: Any = spec.environment_factory()
    for row in spec.rows:
        env.reset(**row)
    env._abandon("The test ends.")
    groups = CurriculumFile(path=tmp_path / "curriculum.json").read().environments["counter"].groups
    assert len(groups) == 9
    assert all(not group.rewards and not group.open for group in groups.values())
    assert spec.difficulties == {"counter": 1}


def test_held_out_rows_have_every_difficulty_and_do_not_count(tmp_path: Path) -> None:
    spec = adaptive(tmp_path / "curriculum.json", held_out=2)
    rows = [(row["difficulty"], row["seed"]) for row in spec.eval_rows]
    assert sorted(rows) == [(level, FIRST_HELD_OUT_SEED + n) for level in range(1, 6) for n in range(2)]
    env: Any = spec.environment_factory()
    for row in spec.eval_rows[:4]:
        play_group(env, row, right=True)
    assert not (tmp_path / "curriculum.json").exists()


def test_a_damaged_curriculum_is_an_error_at_construction_and_later_stops_no_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "curriculum.json"
    path.write_text("{")
    with pytest.raises(CodegymError, match="is damaged"):
        adaptive(path)
    path.unlink()
    spec = adaptive(path)
    env: Any = spec.environment_factory()
    env.reset(**spec.rows[0])
    path.write_text("{")
    assert env.get_reward() == 0.0
    assert "does not count for its difficulty" in caplog.text


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"difficulty": "adaptive", "tasks": 8}, "at least 9 tasks"),
        ({"difficulty": 2, "curriculum": "curriculum.json"}, "needs an adaptive difficulty"),
        ({"difficulty": "hard"}, "neither a number nor"),
    ],
)
def test_a_curriculum_that_cannot_work_is_an_error(options: dict[str, Any], told: str) -> None:
    with pytest.raises(TaskError, match=told):
        GymSpec(LIFT, **options)


def test_an_adaptive_row_without_a_seed_is_an_error(tmp_path: Path) -> None:
    env: Any = adaptive(tmp_path / "curriculum.json").environment_factory()
    for row in ({}, {"seed": None}, {"seed": float("nan"), "difficulty": float("nan")}):
        with pytest.raises(TaskError, match="no seed"):
            env.reset(environment="counter", **row)


# --- on a server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[codegym_mcp.Server]:
    monkeypatch.delenv("CODEGYM_MCP_TOKEN", raising=False)
    with codegym_mcp.serve(LIFT) as server:
        yield server


def test_a_server_holds_the_episodes(server: codegym_mcp.Server) -> None:
    with pytest.raises(CodegymError, match="needs the token"):
        GymSpec(difficulty=2, tasks=2, server=server.url)
    spec = GymSpec(difficulty=2, tasks=2, server=server.url, token=server.token)
    assert [row["environment"] for row in spec.rows] == ["counter", "counter"]
    env: Any = spec.environment_factory()
    assert type(env).move.__annotations__ == {"floors": int}
    env.reset(**spec.rows[1])
    env.submit_answer(answer=find_bell(env))
    assert "the episode is over" in env.listen()
    assert env.get_reward() == 1.0
    assert server.token not in repr(vars(spec))


def test_a_server_that_forgot_the_episode_leaves_it_unscored(server: codegym_mcp.Server) -> None:
    spec = GymSpec(difficulty=2, tasks=2, server=server.url, token=server.token)
    env: Any = spec.environment_factory()
    env.reset(**spec.rows[0])
    with codegym_mcp.Client(server.url, token=server.token) as client:
        assert client.environments()
    env._opening.episode()._backend.id = "0" * 16
    assert env.get_reward() is None
