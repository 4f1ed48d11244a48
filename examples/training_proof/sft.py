"""Supervised fine-tuning of a model with TRL's SFTTrainer."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from datasets import Dataset, load_dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer

from examples.training_proof.oracle_probability import OracleProbability
from examples.training_proof.recipe import Recipe, Sft, Tasks
from examples.training_proof.validation import Training, Validation, write_trainings


def read_rows(rows: Path, *, with_tools: bool = False) -> Dataset:
    """Reads rows that `codegym-mcp export --format trl` wrote.

    An empty turn of the assistant is added to each: TRL asks for one more turn after the submission, and the
    model has to learn to end there. The rows are in the order of their tasks, whichever episode ended first.

    Args:
        rows: the Parquet file.
        with_tools: whether the rows have the schemas of their tools, for a chat template that renders them.
    """
    data = load_dataset("parquet", data_files=str(rows), split="train", cache_dir=str(rows.parent / "cache"))
    end = {"role": "assistant", "content": ""}
    columns = ["messages", *(["tools"] if with_tools else []), "environment", "difficulty"]
    return (
        data.sort(["environment", "difficulty", "seed"])
        .select_columns(columns)
        .map(lambda row: {"messages": [*row["messages"], end]})
    )


def rows_of(data: Dataset, sets: Sequence[Tasks]) -> Dataset:
    """Returns the rows of these tasks, as SFTTrainer takes them."""
    names = {(tasks.environment, tasks.difficulty) for tasks in sets}
    rows = [
        number
        for number, name in enumerate(zip(data["environment"], data["difficulty"], strict=True))
        if name in names
    ]
    return data.select(rows).remove_columns(["environment", "difficulty"])


class Rows(NamedTuple):
    """The rows of the oracle's episodes, from `read_rows`."""

    collected: Dataset
    validated: Dataset | None
    """Those of the tasks of all goals, or None if no training has a goal."""


def train(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Rows, recipe: Recipe, out: Path
) -> None:
    """Trains a model on the turns of the assistant; saves it with its tokenizer and its learning curve."""
    curve: list[dict[str, Any]] = []
    trainings: list[Training] = []
    for settings in recipe.sft:
        measure = None
        if settings.ending is not None and rows.validated is not None:
            sets = [rows_of(rows.validated, (goal.tasks,))["messages"] for goal in settings.ending.goals]
            measure = OracleProbability(sets, model, tokenizer)
        validation = Validation(settings.ending, measure)
        if not validation.is_reached_by(model):
            trainer = SFTTrainer(
                model=model,
                args=_config(settings, recipe.seed, out),
                train_dataset=rows_of(rows.collected, settings.tasks),
                processing_class=tokenizer,
                callbacks=[validation],
            )
            trainer.train()
            curve += kept_log(trainer.state.log_history, trainings, validation.training)
            trainer.save_model(str(out))
            model = type(model).from_pretrained(out)  # SFTTrainer has replaced its forward method
        trainings.append(validation.training)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / "curve.json").write_text(json.dumps(curve))
    write_trainings(trainings, out)


def kept_log(
    log: Sequence[dict[str, Any]], before: Sequence[Training], training: Training
) -> list[dict[str, Any]]:
    """Returns the log of the steps whose model was kept, with their number among those of all trainings."""
    first = sum(each.steps for each in before)
    return [{**entry, "step": first + entry["step"]} for entry in log if entry["step"] <= training.steps]


def _config(settings: Sft, seed: int, out: Path) -> SFTConfig:
    return SFTConfig(
        output_dir=str(out),
        max_steps=settings.steps,
        per_device_train_batch_size=settings.batch,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={"num_decay_steps": settings.decay_steps, "min_lr_ratio": 0.0},
        warmup_steps=settings.warmup_steps,
        weight_decay=0.05,
        adam_beta2=0.98,
        assistant_only_loss=True,
        max_length=None,
        seed=seed,
        logging_steps=settings.log_every,
        save_strategy="no",
        report_to=[],
        bf16=False,
        gradient_checkpointing=False,
        disable_tqdm=True,
    )
