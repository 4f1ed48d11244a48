"""Each part of the proof, small: `make proof` runs them at their size."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
import torch
from transformers import TrainerControl, TrainerState

import codegym_mcp as gym
from examples.training_proof import episodes, sft
from examples.training_proof.chat_format import Call, parse_turn
from examples.training_proof.endpoint import NAME, ServedModel, serving
from examples.training_proof.oracle_probability import OracleProbability
from examples.training_proof.recipe import (
    FIRST_EVALUATED_SEED,
    FIRST_HELD_OUT_SEED,
    FIRST_REPORTED_SEED,
    OWN_ENVIRONMENT,
    TASKS_PER_TRAINING_SEED,
    Ending,
    Goal,
    Grpo,
    Model,
    Recipe,
    Sft,
    Shape,
    Tasks,
    mixed_recipe,
    tiny_recipe,
)
from examples.training_proof.report import write_report
from examples.training_proof.results import SeedResults, UnscoredEpisodeError, difference
from examples.training_proof.stages import STAGES, RecipeMismatchError, load, run_seed
from examples.training_proof.tiny_model import train_tokenizer
from examples.training_proof.validation import Training, Validated, Validation
from tests.made_runs import made_run

pytestmark = [
    pytest.mark.trainers,
    pytest.mark.filterwarnings("ignore"),  # those of TRL and transformers are not ours
]


def goal(solved: float) -> Goal:
    """Returns a goal. The model of `small` solves nothing."""
    return Goal(tasks=Tasks(environment="cable_trace", difficulty=1, count=2), solved=solved)


def ending(*solved: float, first_step: bool = False) -> Ending:
    """Returns an ending that is asked for every two steps."""
    return Ending(goals=tuple(goal(each) for each in solved), every=2, first_step=first_step)


def lesson(tasks: Tasks, **settings: Any) -> Sft:
    """Returns a small supervised training."""
    return Sft(
        tasks=(tasks,), learning_rate=2e-3, decay_steps=1, batch=2, warmup_steps=1, log_every=1, **settings
    )


def small(**changes: object) -> Recipe:
    """Returns a recipe in which every part is small."""
    cable = Tasks(environment="cable_trace", difficulty=1, count=4)
    leaks = Tasks(environment="leak_survey", difficulty=1, count=2)
    values: dict[str, object] = {
        "seed": FIRST_REPORTED_SEED,
        "collected": (cable, leaks),
        "shape": Shape(vocabulary=900, width=32, layers=1, heads=1),
        "sft": (
            lesson(cable, steps=3, ending=ending(1.0)),
            lesson(leaks, steps=2),
            lesson(cable, steps=3, ending=ending(0.0)),
        ),
        "grpo": Grpo(
            tasks=(cable,),
            steps=2,
            ending=ending(1.0),
            prompts=1,
            generations=2,
            max_tokens=40,
            max_turns=2,
        ),
        "evaluated": (Tasks(environment="cable_trace", difficulty=4, count=2),),
        "reply_tokens": 4,
    }
    return Recipe.model_validate(values | changes)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a small training seed, all of whose stages have run once."""
    directory = tmp_path_factory.mktemp("proof") / "seed-3"
    run_seed(small(), directory)
    return directory


def test_the_environment_of_the_proof_passes_the_gates():
    verification = gym.verify(OWN_ENVIRONMENT)
    assert verification.verified, verification.problems


def trained_seeds(recipe: Recipe) -> range:
    """The seeds of the tasks that a recipe trains on."""
    most = max(tasks.count for tasks in (*recipe.collected, *recipe.grpo.tasks))
    return range(recipe.first_task_seed, recipe.first_task_seed + most)


def validated_seeds(recipe: Recipe) -> range:
    """The seeds of the tasks by which a recipe ends its trainings."""
    endings = [settings.ending for settings in (*recipe.sft, recipe.grpo) if settings.ending is not None]
    first = recipe.first_validation_seed
    return range(first, first + max(goal.tasks.count for ending in endings for goal in ending.goals))


@pytest.mark.parametrize("recipe_of", [tiny_recipe, mixed_recipe])
def test_no_task_is_for_training_and_validation_and_evaluation_at_once(recipe_of):
    used: set[int] = set()
    for seed in range(FIRST_HELD_OUT_SEED // TASKS_PER_TRAINING_SEED):
        recipe = recipe_of(seed)
        ranges = [trained_seeds(recipe), validated_seeds(recipe)]
        if seed < FIRST_REPORTED_SEED:
            count = max(tasks.count for tasks in (*recipe.evaluated, *recipe.transfer))
            ranges.append(range(recipe.first_evaluated_seed, recipe.first_evaluated_seed + count))
        else:
            assert recipe.first_evaluated_seed == FIRST_EVALUATED_SEED >= FIRST_HELD_OUT_SEED
        for seeds in ranges:
            assert used.isdisjoint(seeds)
            used.update(seeds)
    assert max(used) < FIRST_HELD_OUT_SEED


def test_a_training_seed_that_would_train_on_held_out_tasks_is_refused():
    with pytest.raises(ValueError, match="seed"):
        tiny_recipe(FIRST_HELD_OUT_SEED // TASKS_PER_TRAINING_SEED)


def test_a_training_ends_at_its_maximum_or_has_no_step_if_its_goal_is_reached_before(finished):
    results = SeedResults(finished)
    first, second, third = results.trainings("sft")
    assert (first.steps, first.reached, [each.step for each in first.validations]) == (3, False, [0, 2])
    assert (second.steps, second.reached, second.validations) == (2, False, [])
    assert (third.steps, third.reached, [each.step for each in third.validations]) == (0, True, [0])
    (training,) = results.trainings("grpo")
    assert (training.steps, training.reached) == (2, False)
    assert [step for step, _ in results.curve("sft", "loss")] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("first_step", "kept"), [(False, 4), (True, 3)])
def test_a_training_ends_at_its_goal_with_the_model_of_the_first_step_or_of_the_validation(
    finished, first_step, kept
):
    model, _ = load(finished / "start")
    weight = model.model.norm.weight
    validation = Validation(
        ending(3 / 8, first_step=first_step), lambda weights: [float(weights["model.norm.weight"].mean()) / 8]
    )
    torch.nn.init.zeros_(weight)
    assert not validation.is_reached_by(model)
    control = TrainerControl()
    for step in (1, 2, 3, 4):
        assert not control.should_training_stop
        torch.nn.init.constant_(weight, step)
        validation.on_step_end(None, TrainerState(global_step=step), control, model=model)
    assert control.should_training_stop
    assert weight.unique().tolist() == [kept]
    training = validation.training
    assert (training.steps, training.reached) == (kept, True)
    assert (training.before, training.last) == (
        Validated(step=0, solved=[0.0]),
        Validated(step=kept, solved=[kept / 8]),
    )


def test_the_log_of_steps_after_the_kept_one_is_left_out():
    before = Training(steps=7, reached=True, validations=[])
    log = [{"step": 1, "loss": 3.0}, {"step": 2, "loss": 2.0}, {"step": 3, "loss": 1.0}]
    kept = Training(steps=2, reached=True, validations=[])
    assert sft.kept_log(log, [before], kept) == [{"step": 8, "loss": 3.0}, {"step": 9, "loss": 2.0}]


def test_the_probability_of_episodes_is_the_mean_of_the_products_of_their_agents_tokens(finished):
    model, tokenizer = load(finished / "start")
    short = [{"role": "user", "content": "Go."}, {"role": "assistant", "content": "10"}]
    episodes_of_two_lengths = [short, [{"role": "user", "content": "Go on."}, *short[1:], *short]]
    products = []
    for messages in episodes_of_two_lengths:
        encoded = tokenizer.apply_chat_template(messages, return_assistant_tokens_mask=True, return_dict=True)
        tokens = encoded["input_ids"]
        with torch.no_grad():
            (logits,) = model(input_ids=torch.tensor([tokens])).logits
        each = logits.softmax(-1)[range(len(tokens) - 1), tokens[1:]]
        products.append(float(each[torch.tensor(encoded["assistant_masks"][1:]) == 1].prod()))
    measure = OracleProbability([episodes_of_two_lengths, [short]], model, tokenizer)
    both, one = measure(model.state_dict())
    assert 0 < products[1] < products[0]
    assert both == pytest.approx(sum(products) / 2, rel=1e-3)
    assert one == pytest.approx(products[0], rel=1e-3)


def test_a_goal_is_reached_by_as_many_tasks_as_it_says():
    assert goal(0.95).is_reached(torch.tensor([1.0] * 38 + [0.0] * 2).mean().item())
    assert not goal(0.95).is_reached(torch.tensor([1.0] * 37 + [0.0] * 3).mean().item())


def test_each_training_learns_the_episodes_of_its_own_tasks(finished):
    rows = sft.read_rows(finished / "collect" / episodes.ROWS)
    for settings in small().sft:
        (tasks,) = settings.tasks
        first = sft.rows_of(rows, settings.tasks)[0]["messages"]
        (row,) = [row for row in rows if row["messages"] == first]
        assert (row["environment"], row["difficulty"]) == (tasks.environment, tasks.difficulty)


def test_sft_changes_the_weights_and_logs_its_loss(finished):
    before, _ = load(finished / "start")
    after, _ = load(finished / "sft")
    assert any(not torch.equal(*pair) for pair in zip(before.parameters(), after.parameters(), strict=True))
    assert all(loss > 0 for _, loss in SeedResults(finished).curve("sft", "loss"))


def test_grpo_plays_episodes_of_the_environment_and_logs_a_reward_for_each_step(finished):
    curve = SeedResults(finished).curve("grpo", "reward")
    assert [step for step, _ in curve] == [1, 2]
    assert all(0 <= reward <= 1 for _, reward in curve)


def test_an_evaluation_has_a_reward_for_each_held_out_task(finished):
    results = SeedResults(finished)
    (tasks,) = results.recipe.evaluated
    for model in Model:
        assert [score.task for score in results.scores(model, tasks)] == ["d4-s1002000", "d4-s1002001"]


def test_a_finished_proof_repeats_nothing_and_another_recipe_is_refused(finished):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    run_seed(small(), finished)
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before
    with pytest.raises(RecipeMismatchError, match="another recipe"):
        run_seed(small(seed=4), finished)


def test_a_stage_that_was_killed_is_repeated_and_the_finished_ones_are_kept(finished, tmp_path):
    directory = tmp_path / "seed-3"
    directory.mkdir()
    (directory / "recipe.json").write_text((finished / "recipe.json").read_text())
    for stage in STAGES:
        (directory / stage).mkdir()
        if stage != "start":
            (directory / stage / "cost.json").write_text((finished / stage / "cost.json").read_text())
    (directory / "collect" / episodes.ROWS).write_bytes((finished / "collect" / episodes.ROWS).read_bytes())
    (directory / "start" / "half-written").write_text("")
    run_seed(small(), directory)
    assert not (directory / "start" / "half-written").exists()
    equal = "model.safetensors"
    assert (directory / "start" / equal).read_bytes() == (finished / "start" / equal).read_bytes()
    assert not any((directory / "sft").glob("*.safetensors"))


def test_the_report_is_written_from_a_finished_proof(finished, tmp_path):
    document = write_report([finished], tmp_path / "proof.md")
    text = document.read_text()
    assert "| `cable_trace`, difficulty 4 | after GRPO |" in text
    assert "| 3 (maximum) | 0.000 | 0.000 |" in text
    assert "| 0 | 0.000 | 0.000 |" in text
    for image in ("training-proof-sft.svg", "training-proof-grpo.svg", "training-proof-rewards.svg"):
        assert f"images/{image}" in text
        assert (tmp_path / "images" / image).read_text().startswith("<?xml")


def test_the_agents_turns_alone_are_learned(finished):
    _, tokenizer = load(finished / "start")
    messages = sft.read_rows(finished / "collect" / episodes.ROWS)[0]["messages"]
    encoded = tokenizer.apply_chat_template(messages, return_assistant_tokens_mask=True, return_dict=True)
    masked = zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)
    learned = tokenizer.decode([token for token, is_agent in masked if is_agent])
    turns = [tokenizer.apply_chat_template([message], tokenize=False) for message in messages]
    own = [turn for turn, message in zip(turns, messages, strict=True) if message["role"] == "assistant"]
    assert learned == "".join(turn.removeprefix("<|assistant|>") for turn in own)
    assert learned.endswith("<|end|><|end|>")


def test_a_number_of_two_digits_is_one_token_and_a_repeated_sentence_too():
    tokenizer = train_tokenizer(
        (f"The panel {number}. " for number in range(10, 100) for _ in range(3)), 1000
    )
    for number in range(10, 100):
        assert len(tokenizer(f"The panel {number}. ")["input_ids"]) == 3


def test_calls_are_read_as_trl_reads_them(finished):
    _, tokenizer = load(finished / "start")
    text = '<|call|>read_card {"panel": 31}<|call|>send_tone {"panel": 31, "port": 20}'
    assert parse_turn(text) == (
        "",
        [Call("read_card", '{"panel": 31}'), Call("send_tone", '{"panel": 31, "port": 20}')],
    )
    parsed = tokenizer.parse_response(f"{text}<|end|>", prefix="<|assistant|>")
    assert [call["function"] for call in parsed["tool_calls"]] == [
        {"name": "read_card", "arguments": {"panel": 31}},
        {"name": "send_tone", "arguments": {"panel": 31, "port": 20}},
    ]
    assert parse_turn("no call") == ("no call", [])


def test_the_endpoint_renders_the_history_as_the_model_wrote_it(finished):
    model, tokenizer = load(finished / "start")
    arguments = '{"panel":  31 }'
    history = [
        {"role": "user", "content": "Go."},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "a", "function": {"name": "read_card", "arguments": arguments}}],
        },
        {"role": "tool", "tool_call_id": "a", "content": "[1, 2]"},
    ]
    text = f"<|user|>Go.<|end|><|assistant|><|call|>read_card {arguments}<|end|><|tool|>[1, 2]<|end|><|assistant|>"
    assert tokenizer.apply_chat_template(history, tokenize=False, add_generation_prompt=True) == text
    with serving(ServedModel(model, tokenizer)) as url:
        request = {"model": NAME, "messages": history, "max_tokens": 3}
        response = httpx2.post(f"{url}/chat/completions", json=request).raise_for_status().json()
        assert response["usage"]["prompt_tokens"] == len(tokenizer(text)["input_ids"])
        assert response["usage"]["completion_tokens"] <= 3
        again = httpx2.post(f"{url}/chat/completions", json=request).json()
        assert again["choices"][0]["message"]["content"] == response["choices"][0]["message"]["content"]
        long = {**request, "messages": [{"role": "user", "content": "x 10 " * 2000}]}
        refused = httpx2.post(f"{url}/chat/completions", json=long)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "context_length_exceeded")


def made_seed(directory: Path, seed: int, **outcomes: str) -> SeedResults:
    """The results of a training seed; `outcomes` has a letter for each task of each model: c(orrect), i, f."""
    recipe = small(seed=seed, evaluated=(Tasks(environment="lift", difficulty=4, count=3),))
    directory.mkdir()
    (directory / "recipe.json").write_text(recipe.model_dump_json())
    words = {"c": "correct", "i": "incorrect", "f": "failed"}
    for model, letters in outcomes.items():
        keys = {f"lift/d4-s{number}/1": words[letter] for number, letter in enumerate(letters)}
        made_run(directory / f"evaluate-{model}" / "lift-4", keys)
    return SeedResults(directory)


def test_differences_are_paired_and_their_intervals_cover_tasks_and_training_seeds(tmp_path):
    seeds = [
        made_seed(tmp_path / "seed-0", 0, sft="iii", grpo="cci"),
        made_seed(tmp_path / "seed-1", 1, sft="cii", grpo="ccc"),
    ]
    found = difference(seeds, Model.SFT, Model.GRPO, seeds[0].recipe.target)
    assert found.over_tasks.mean == found.over_seeds.mean == pytest.approx(4 / 6)
    assert (found.over_tasks.clusters, found.over_seeds.clusters) == (3, 2)
    assert found.over_seeds.low == pytest.approx(found.over_seeds.high)  # both seeds gained as much
    assert not found.excludes_zero


def test_an_episode_without_a_score_is_an_error_and_not_a_reward_of_0(tmp_path):
    seed = made_seed(tmp_path / "seed-0", 0, sft="cif")
    with pytest.raises(UnscoredEpisodeError, match="was not scored"):
        seed.scores(Model.SFT, seed.recipe.target)
