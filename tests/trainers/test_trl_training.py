"""TRL's own trainer trains a tiny model, made here, on episodes of `GymSpec`."""

import inspect
import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM
from transformers.utils import get_json_schema
from trl import GRPOConfig, GRPOTrainer

import codegym_mcp
from codegym_harness.trainers.tool_functions import tool_function
from codegym_harness.trainers.trl_gym_spec import GymSpec
from codegym_mcp.curriculum.curriculum_file import CurriculumFile
from codegym_mcp.curriculum.difficulty_rule import CurriculumRule
from codegym_mcp.environment_definition.tools import tool_view
from codegym_mcp.runtime.shared_runtime import shared_runtime
from tests.conftest import FIXTURES
from tests.failing_environment import FAILING
from tests.trainers.reading import tokenizer

pytestmark = [
    pytest.mark.trainers,
    pytest.mark.filterwarnings("default"),
]

LIFT = str(FIXTURES / "counter.py")
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.tool_calls %}{% for call in message.tool_calls %}"
    "<call>{{ call.function.name }} {{ call.function.arguments | tojson }}{% endfor %}"
    "{% else %}{{ message.content or '' }}{% endif %}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CALLS = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|im_start|>assistant\n",
    "fields": {
        "tool_calls": {
            "open_pattern": r"<call>(?P<name>\S+) ",
            "close_pattern": r"<\|im_end\|>",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": {"name": "{name}", "arguments": "{content}"}},
        },
        "content": {"close_pattern": r"<\|im_end\|>", "content": "text"},
    },
}
"""How transformers reads the calls that the template renders."""


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    torch.set_num_threads(1)


def made_tokenizer() -> PreTrainedTokenizerFast:
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer().backend_tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
        clean_up_tokenization_spaces=False,
    )
    made.chat_template = TEMPLATE
    made.response_template = CALLS
    return made


def train(
    spec: GymSpec, out: Path, write: Any, *, steps: int = 2, generations: int = 4
) -> tuple[GRPOTrainer, list[dict[str, Any]]]:
    """Trains for some steps with a model of random weights, whose turns `write` writes.

    The logits are the model's; only what is sampled is scripted, since random weights call no tool.
    """
    torch.manual_seed(0)
    read = made_tokenizer()
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(read),
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=8192,
        )
    )
    trainer = GRPOTrainer(
        model=model,
        args=GRPOConfig(
            output_dir=str(out),
            max_steps=steps,
            per_device_train_batch_size=2 * generations,
            num_generations=generations,
            max_completion_length=3000,
            max_tool_calling_iterations=8,
            learning_rate=1e-3,
            logging_steps=1,
            report_to=[],
            use_cpu=True,
            bf16=False,
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=spec.train_dataset,
        eval_dataset=spec.eval_dataset,
        processing_class=read,
        environment_factory=spec.environment_factory,
    )

    def generate(prompt_ids: list[list[int]], *_: Any, **__: Any) -> tuple[list[list[int]], None]:
        texts = [f"{write(read.decode(ids))}<|im_end|>" for ids in prompt_ids]
        return [read(text, add_special_tokens=False)["input_ids"] for text in texts], None

    trainer._generate_single_turn = generate
    trainer.train()
    return trainer, trainer.state.log_history


def call(name: str, **arguments: Any) -> str:
    return f"<call>{name} {json.dumps(arguments)}"


def climb(prompt: str) -> str:
    """Plays the lift: half of the time up to the bell, otherwise it answers at once, mostly wrong."""
    last = prompt.rsplit("<|im_start|>", 2)[1]
    if "received" in last or "over" in last:
        return "Done."
    if not last.startswith("tool"):
        return call("listen") if random.random() < 0.5 else call("submit_answer", answer=-1)
    if last.startswith("tool\n{"):
        heard = json.loads(last.removeprefix("tool\n").split("<|im_end|>")[0])
        if heard["sound"] == "here":
            return call("submit_answer", answer=heard["floor"])
        return call("move", floors=1)
    return call("listen")


def test_two_steps_of_grpo_play_episodes_and_pay_right_answers(tmp_path: Path) -> None:
    random.seed(3)
    spec = GymSpec(LIFT, difficulty=1, tasks=8)
    trainer, logged = train(spec, tmp_path, climb)
    steps = [entry for entry in logged if "reward" in entry]
    assert len(steps) == 2
    assert any(0.0 < entry["rewards/counter/mean"] < 1.0 for entry in steps)
    assert all(entry["tools/failure_frequency"] == 0.0 for entry in steps)
    assert any(entry["reward_std"] > 0 for entry in steps)
    runtime = trainer.environments[0]._options.holder()
    assert runtime.open_count == 0
    assert len(trainer._environment_pool[None]) == 8


def test_several_environments_are_chosen_by_the_column(tmp_path: Path) -> None:
    spec = GymSpec(["leak_survey", "night_courier"], difficulty=1, tasks=4)
    before = shared_runtime().open_count
    trainer, logged = train(spec, tmp_path, lambda _: call("look"), steps=1)
    rewards = next(entry for entry in logged if "reward" in entry)
    assert {"rewards/leak_survey/mean", "rewards/night_courier/mean"} <= rewards.keys()
    assert {type(each).__name__ for each in trainer.environments} <= {"leak_survey", "night_courier"}
    assert shared_runtime().open_count == before


def test_the_difficulty_follows_the_success_of_groups(tmp_path: Path) -> None:
    random.seed(3)
    kept = CurriculumFile(
        path=tmp_path / "curriculum.json", rule=CurriculumRule(groups=2, raise_at=0.01, lower_at=0)
    )
    spec = GymSpec(LIFT, difficulty="adaptive", tasks=8, held_out=1, curriculum=kept)
    train(spec, tmp_path, climb, steps=2)
    progress = kept.read().environments["counter"]
    assert (progress.difficulty, progress.decisions, spec.difficulties) == (2, 1, {"counter": 2})
    # The two groups of the second step: all generations of a prompt have one difficulty.
    assert [(group.difficulty, len(group.rewards)) for group in progress.groups.values()] == [(2, 4), (2, 4)]


def test_an_episode_without_a_score_is_not_the_reward_0(tmp_path: Path) -> None:
    (tmp_path / "door.py").write_text(FAILING)
    spec = GymSpec(tmp_path / "door.py", tasks=4)
    trainer, _ = train(spec, tmp_path / "out", lambda _: call("submit_answer", answer=1), steps=1)
    assert [each.get_reward() for each in trainer.environments] == [None] * 8


@pytest.mark.parametrize("name", codegym_mcp.load().names)
def test_the_schema_that_models_see_is_that_of_the_tool(name: str) -> None:
    """What transformers reads of each function is the tool's own schema, but for objects with fields."""
    environment = codegym_mcp.load()[name]
    for tool in map(tool_view, (*environment.tools, environment.submission)):
        made = type("made", (), {tool.name: tool_function(tool, lambda *_: "")})()
        described = get_json_schema(getattr(made, tool.name))["function"]
        assert described["name"] == tool.name
        assert inspect.isfunction(getattr(type(made), tool.name))
        assert described["parameters"].get("required", []) == tool.input_schema.get("required", [])
        for parameter, schema in tool.input_schema["properties"].items():
            shown = described["parameters"]["properties"][parameter]
            if schema.get("type") in ("integer", "string", "number", "boolean"):
                assert shown["type"] == schema["type"]
                assert shown.get("enum") == schema.get("enum")
            elif schema.get("type") == "array":
                assert shown["items"] == {
                    key: value for key, value in schema["items"].items() if key != "description"
                }


def test_the_data_sets_are_those_of_the_library() -> None:
    spec = GymSpec(LIFT, tasks=3, held_out=2)
    assert isinstance(spec.train_dataset, Dataset)
    assert spec.train_dataset.to_list() == spec.rows
    assert spec.eval_dataset["seed"][:] == [1_000_000, 1_000_001]
