"""verl's worker of agent loops plays episodes, with a scripted server in place of a language model."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest
from omegaconf import OmegaConf
from verl import DataProto
from verl.experimental.agent_loop import AgentLoopWorker, agent_loop
from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn
from verl.workers.rollout.replica import TokenOutput

from codegym_harness.runs.task_selection import SeedRange
from codegym_harness.task_sets.task_set_contents import TaskSelection
from codegym_harness.task_sets.task_set_export import export_tasks
from codegym_harness.trainers import verl_agent_loop
from codegym_harness.trainers.verl_agent_loop import OUTCOME, REWARD, compute_score
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.errors import CodegymError, NotFoundError, TaskError, UnscoredError
from tests.conftest import FIXTURES
from tests.failing_environment import FAILING

pytestmark = [pytest.mark.verl, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

LIFT = str(FIXTURES / "counter.py")
Reply = Callable[[str], str]


class ScriptedServer:
    """Replies to the last message of a conversation."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.tokenizer: Any = None
        self.requests = 0

    async def generate(self, *, prompt_ids: Sequence[int], **_: Any) -> TokenOutput:
        self.requests += 1
        _, last, _ = self.tokenizer.decode(prompt_ids).rsplit("<|im_start|>", 2)
        ids = self.tokenizer.encode(f"{self.reply(last.strip().removesuffix('<|im_end|>'))}<|im_end|>")
        return TokenOutput(token_ids=ids, log_probs=[-0.5] * len(ids), stop_reason="completed")


def call(tool: str, **arguments: Any) -> str:
    return f"<tool_call>{json.dumps({'name': tool, 'arguments': arguments})}</tool_call>"


def find_bell(last: str) -> str:
    role, _, text = last.partition("\n")
    if role != "tool" or not text.startswith("{"):
        return call("listen")
    heard = json.loads(text)
    if heard["sound"] == "here":
        return call("submit_answer", answer=heard["floor"])
    return call("move", floors=1 if heard["sound"] == "above" else -1)


@pytest.fixture
def play(configuration: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets a worker of verl play rows, all at the same time."""
    monkeypatch.setattr(agent_loop, "_agent_loop_registry", {})

    async def run(reply: Reply, *rows: dict[str, Any], environment: str = LIFT, **options: Any) -> DataProto:
        target = "codegym_harness.trainers.verl_agent_loop.EpisodeAgentLoop"
        loop = {"name": "codegym_mcp", "_target_": target, "episodes": {"environments": [environment]}}
        OmegaConf.save([loop | options], tmp_path / "loops.yaml")
        rollout = configuration.actor_rollout_ref.rollout
        rollout.agent.agent_loop_config_path = str(tmp_path / "loops.yaml")
        server = ScriptedServer(reply)
        worker = AgentLoopWorker(configuration, server)
        server.tokenizer = worker.tokenizer
        prompt = [{"role": "system", "content": "Work."}, {"role": "user", "content": ""}]
        prompts = numpy.empty(len(rows), dtype=object)
        prompts[:] = [prompt for _ in rows]
        columns = {
            "agent_name": numpy.array(["codegym_mcp"] * len(rows), dtype=object),
            "raw_prompt": prompts,
            "extra_info": numpy.array(rows, dtype=object),
        }
        played = await worker.generate_sequences(DataProto.from_single_dict(columns))
        played.meta_info["requests"] = server.requests
        played.meta_info["tokenizer"] = worker.tokenizer
        return played

    return run


def row(**changes: Any) -> dict[str, Any]:
    return {"environment": "counter", "task": None, "difficulty": 3, "seed": 0, "calls": 60, **changes}


def trained_on(played: DataProto, sample: int) -> list[str]:
    """Returns the texts of the tokens that are trained on, and those of the tokens between them."""
    response = played.batch["responses"][sample]
    mask = played.batch["response_mask"][sample]
    length = int(played.batch["attention_mask"][sample].sum()) - int(
        played.batch["attention_mask"][sample][: -len(response)].sum()
    )
    texts: list[list[int]] = []
    for position in range(length):
        if position == 0 or mask[position] != mask[position - 1]:
            texts.append([])
        texts[-1].append(int(response[position]))
    return [played.meta_info["tokenizer"].decode(text) for text in texts]


async def test_every_sample_plays_its_own_episode_and_is_paid_on_the_last_token_of_the_model(
    play: Any,
) -> None:
    played = await play(find_bell, row(seed=0), row(seed=1), row(seed=2), row(seed=1_000_000))
    assert list(played.non_tensor_batch[REWARD]) == [1.0] * 4
    assert list(played.non_tensor_batch[OUTCOME]) == ["correct"] * 4
    assert list(played.non_tensor_batch["acc"]) == [1.0] * 4
    scores = played.batch["rm_scores"]
    assert scores.sum(dim=1).tolist() == [1.0] * 4
    # A reward on a token of a tool's result would be lost in PPO.
    assert (scores * played.batch["response_mask"]).sum(dim=1).tolist() == [1.0] * 4
    texts = trained_on(played, 0)
    assert texts[0] == f"{call('listen')}<|im_end|>"
    assert texts[1].strip().startswith('<|im_start|>tool\n{"floor": 0')
    assert texts[-1].startswith(call("submit_answer")[:45])


async def test_the_model_is_shown_the_complete_schemas_of_the_tools_of_its_episode(play: Any) -> None:
    played = await play(lambda _: "I give up.", row())
    text = played.meta_info["tokenizer"].decode(played.batch["prompts"][0])
    assert '"name": "submit_answer"' in text
    assert '"additionalProperties": false' in text
    assert "A lift stands at floor 0." in text


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        (["I give up."], "no_submission"),
        ([call("submit_answer", answer=-1)], "incorrect"),
        ([call("dance"), call("move", floors="up"), "Well."], "no_submission"),
        (["<tool_call>{broken</tool_call>"], "no_submission"),
        ([call("listen")] * 4, "no_submission"),
    ],
)
async def test_every_other_end_has_the_reward_0(play: Any, replies: list[str], outcome: str) -> None:
    script = iter(replies)
    played = await play(lambda _: next(script), row(calls=3))
    assert (played.non_tensor_batch[REWARD][0], played.non_tensor_batch[OUTCOME][0]) == (0.0, outcome)
    assert played.batch["rm_scores"].sum() == 0.0
    assert played.non_tensor_batch["tool_rewards"][0] == []


async def test_a_response_that_becomes_too_long_ends_the_episode(play: Any, configuration: Any) -> None:
    configuration.actor_rollout_ref.rollout.response_length = 300
    played = await play(lambda _: call("listen"), row())
    assert played.non_tensor_batch[OUTCOME][0] == "no_submission"
    assert played.batch["responses"].shape == (1, 300)


async def test_an_episode_without_a_score_is_played_again_and_then_an_error(
    play: Any, tmp_path: Path
) -> None:
    (tmp_path / "door.py").write_text(FAILING)
    requests = 0

    def answer(_: str) -> str:
        nonlocal requests
        requests += 1
        return call("submit_answer", answer=1)

    with pytest.raises(UnscoredError, match="its outcome is failed"):
        await play(answer, row(environment="door"), environment=str(tmp_path / "door.py"), attempts=2)
    assert requests == 2


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"environment": "nowhere"}, NotFoundError, "nowhere"),
        ({"task": "low"}, TaskError, "not both"),
        ({"environment": None}, TaskError, "Field required"),
    ],
)
async def test_a_wrong_row_is_an_error(
    play: Any, changes: dict[str, Any], error: type[CodegymError], told: str
) -> None:
    with pytest.raises(error, match=told):
        await play(find_bell, row(**changes))


async def test_wrong_options_are_an_error(play: Any) -> None:
    with pytest.raises(Exception, match="speed: Extra inputs are not permitted"):
        await play(find_bell, row(), episodes={"speed": 2})


async def test_the_reward_function_returns_the_reward_and_never_takes_a_missing_one_for_0(play: Any) -> None:
    played = await play(find_bell, row(), sets_reward=False)
    assert "rm_scores" not in played.batch
    info = {name: values[0] for name, values in played.non_tensor_batch.items()}
    assert compute_score("codegym_mcp/counter", "", "", info) == 1.0
    with pytest.raises(UnscoredError, match=f"reported no {REWARD}"):
        compute_score("codegym_mcp/counter", "", "", {})


async def test_verl_reads_the_rows_that_are_exported(configuration: Any, model: Path, tmp_path: Path) -> None:
    catalog = Catalog.load([LIFT])
    parts = TaskSelection(difficulties=(3,), seeds=SeedRange(last=3)).tasks(catalog)
    await export_tasks(catalog, parts, "verl", tmp_path / "tasks.parquet", calls=60)
    from transformers import AutoTokenizer

    configuration.data.cache_dir = str(tmp_path / "cache")
    configuration.data.max_prompt_length = 4000
    dataset = RLHFDataset(
        str(tmp_path / "tasks.parquet"), AutoTokenizer.from_pretrained(model), configuration.data
    )
    batch = collate_fn([dataset[number] for number in range(4)])
    assert set(batch["agent_name"]) == {"codegym_mcp"}
    assert [info["seed"] for info in batch["extra_info"]] == [0, 1, 2, 3]
    assert batch["raw_prompt"][0][1]["content"].startswith("A lift stands at floor 0.")
    assert batch["reward_model"][0] == {"style": "rule", "ground_truth": ""}


def test_a_worker_whose_model_names_the_module_has_the_loop(
    configuration: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_loop, "_agent_loop_registry", {})
    monkeypatch.delitem(sys.modules, verl_agent_loop.__name__)
    configuration.actor_rollout_ref.model.external_lib = verl_agent_loop.__name__
    AgentLoopWorker(configuration, ScriptedServer(find_bell))
    assert agent_loop._agent_loop_registry["codegym_mcp"]["_target_"].endswith(".EpisodeAgentLoop")
