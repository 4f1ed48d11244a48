"""openreward's own client and TRL's `OpenRewardSpec` play episodes of the server, and are paid."""

import asyncio
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from transformers.utils import get_json_schema

import codegym_mcp
from codegym_mcp.server.background_server import Server
from codegym_mcp.task_reference import FIRST_HELD_OUT_SEED
from tests.interop.bundled import BundledTask, bundled_tasks
from tests.server.serving import ENVIRONMENTS, SAFE, WORDS

pytestmark = [
    pytest.mark.trainers,
    # openreward leaves its event loop to a thread that ends with the process.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TASKS = bundled_tasks()


def _served(monkeypatch: pytest.MonkeyPatch, *environments: Any) -> Iterator[Server]:
    with codegym_mcp.serve([*environments], protocols=["ors"]) as server:
        monkeypatch.setenv("OPENREWARD_SESSION_URL", server.url)
        monkeypatch.setenv("OPENREWARD_API_URL", server.url)
        monkeypatch.setenv("OPENREWARD_API_KEY", server.token)
        monkeypatch.setenv("OPENREWARD_DISABLE_UPDATE_CHECK", "1")
        monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
        yield server


@pytest.fixture
def bundled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    yield from _served(monkeypatch, "bundled")


@pytest.fixture
def safes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    yield from _served(monkeypatch, SAFE, ENVIRONMENTS / "fragile.py")


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Any]]:
    """Returns environments of openreward's client."""
    openreward = importlib.import_module("openreward")
    with openreward.OpenReward() as opened:
        yield opened.environments.get


def submission(session: Any) -> str:
    """The name of the tool that submits; it is the last one."""
    return str(session.list_tools()[-1].name)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.environment)
def test_openreward_plays_every_bundled_environment(
    bundled: Server, client: Callable[[str], Any], task: BundledTask
) -> None:
    with client(task.environment).session(split="fixed", index=0) as session:
        assert session.get_prompt()[0].text
        for name, arguments in task.calls:
            output = session.call_tool(name, arguments)
            assert (output.reward, output.finished) == (None, False)
        output = session.call_tool(submission(session), task.submission)
    assert (output.reward, output.finished) == (1.0, True)


def test_openreward_lists_tasks_and_plays_one_of_them(safes: Server, client: Callable[[str], Any]) -> None:
    environment = client("safe")
    assert {"train", "test", "test-3", "fixed"} <= set(environment.list_splits())
    held_out = environment.get_task("test-3", 2)
    assert held_out.task_spec == {"environment": "safe", "difficulty": 3, "seed": FIRST_HELD_OUT_SEED + 2}
    assert environment.num_tasks("train") == len(environment.list_tasks("train"))
    assert [task.task_spec["seed"] for task in environment.get_task_range("train-1", 3, 5)] == [3, 4]
    with environment.session(task=held_out) as session:
        assert session.call_tool("look").blocks
        (message,) = session.get_messages("openai")
        assert message["role"] == "user"
        with pytest.raises(Exception, match="not_found"):
            session.call_tool("no_such_tool")
    openai = environment.list_tools("openai")
    assert {tool["name"] for tool in openai} >= {"turn", "submit_answer"}


def test_openreward_is_told_of_the_end_and_of_a_failure(safes: Server, client: Callable[[str], Any]) -> None:
    errors = importlib.import_module("openreward.api.errors")
    with client("safe").session(split="fixed", index=0) as session:
        session.call_tool("submit_answer", {"answer": "wrong"})
        with pytest.raises(errors.ToolCallError, match="episode_finished"):
            session.call_tool("submit_answer", {"answer": WORDS["blue"]})
    fragile = client("fragile")
    index, split = _place_of(fragile, "unjudged")
    with fragile.session(split=split, index=index) as session:
        with pytest.raises(errors.ToolFailed, match="is not scored"):
            session.call_tool("submit_answer", {"answer": 0})
        with pytest.raises(errors.SessionTerminatedError):
            session.call_tool("look")


def _place_of(environment: Any, task: str) -> tuple[int, str]:
    """The index and the split of a fixed task."""
    (found,) = [
        (index, split)
        for split in environment.list_splits()
        for index, each in enumerate(environment.list_tasks(split))
        if each.task_spec.get("task") == task
    ]
    return found


def test_openreward_needs_the_token(safes: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    openreward = importlib.import_module("openreward")
    with (
        openreward.OpenReward(api_key="wrong") as opened,
        pytest.raises(Exception, match="control plane's token"),
    ):
        opened.environments.get("safe").list_splits()


def test_the_asynchronous_client_plays_many_sessions_at_once(safes: Server) -> None:
    openreward = importlib.import_module("openreward")

    async def play(environment: Any, index: int) -> float:
        async with environment.session(split="fixed", index=index % 2) as session:
            await session.call_tool("look")
            output = await session.call_tool("submit_answer", {"answer": WORDS["blue"]})
            return float(output.reward)

    async def play_all() -> list[float]:
        environments = openreward.AsyncOpenReward().environments
        async with environments:
            safe = environments.get("safe")
            return await asyncio.gather(*(play(safe, index) for index in range(16)))

    assert asyncio.run(play_all()) == [1.0, 0.0] * 8


class TestTrl:
    """TRL's specification, as `GRPOTrainer` uses it."""

    def test_it_plays_an_episode_and_gives_its_reward(self, bundled: Server) -> None:
        task = next(each for each in TASKS if each.environment == "night_courier")
        spec = self._spec(bundled, env_name="night_courier", split="fixed", indices=[0])
        assert spec.train_dataset["task_index"] == [0]
        assert spec.train_dataset["task"] == [task.id]
        environment = spec.environment_factory()
        assert "Work with the tools" in environment.reset(**spec.train_dataset[0])
        for name, arguments in task.calls:
            getattr(environment, name)(**arguments)
        assert spec.reward_funcs(environments=[environment]) == [None], "nothing is paid before the end"
        environment.submit_answer(**task.submission)
        assert environment.finished
        assert spec.reward_funcs(environments=[environment]) == [1.0]
        environment._close()

    def test_its_tools_have_schemas_that_a_model_can_read(self, bundled: Server) -> None:
        spec = self._spec(bundled, env_name="night_courier", num_tasks=2)
        environment = spec.environment_factory()
        function = get_json_schema(environment.submit_answer)["function"]
        assert function["parameters"]["required"] == ["answer"]
        rows = spec.train_dataset
        assert rows["difficulty"] == [1, 2]
        assert rows["seed"] == [0, 0]

    def test_an_episode_that_is_not_scored_has_no_reward(
        self, safes: Server, client: Callable[[str], Any]
    ) -> None:
        index, split = _place_of(client("fragile"), "unjudged")
        spec = self._spec(safes, env_name="fragile", split=split, discover_task_tools=False)
        environment = spec.environment_factory()
        environment.reset(task_index=index)
        assert "not scored" in environment.submit_answer(answer=0)
        assert environment.reward is None
        environment._close()

    def test_reset_ends_the_episode_before(self, safes: Server) -> None:
        spec = self._spec(safes, env_name="safe", split="fixed", indices=[0])
        environment = spec.environment_factory()
        environment.reset(task_index=0)
        environment.turn(clicks=2)
        environment.reset(task_index=0)
        assert '"turns": 0' in environment.look()
        environment._close()

    def _spec(self, server: Server, **options: Any) -> Any:
        specifications = importlib.import_module("trl.experimental.openreward")
        return specifications.OpenRewardSpec(server.url, **options)
