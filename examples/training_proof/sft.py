"""Supervised fine-tuning of a model with TRL's SFTTrainer."""

import json
from pathlib import Path
from typing import Any

from datasets import Dataset, load_dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer

from examples.training_proof.recipe import Sft


def read_rows(rows: Path, *, with_tools: bool = False) -> Dataset:
    """Reads rows that `codegym-mcp export --format trl` wrote.

    An empty turn of the assistant is added to each: TRL asks for one more turn after the submission, and the
    model has to learn to end there.

    Args:
        rows: the Parquet file.
        with_tools: whether the rows have the schemas of their tools, for a chat template that renders them.
    """
    data = load_dataset("parquet", data_files=str(rows), split="train", cache_dir=str(rows.parent / "cache"))
    end = {"role": "assistant", "content": ""}
    return data.select_columns(["messages", "tools"] if with_tools else ["messages"]).map(
        lambda row: {"messages": [*row["messages"], end]}
    )


def train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    data: Dataset,
    *,
    settings: Sft,
    seed: int,
    out: Path,
    **options: Any,
) -> None:
    """Trains a model on the turns of the assistant, and saves it with its tokenizer and its learning curve.

    Args:
        options: further options of `SFTConfig`.
    """
    arguments = SFTConfig(
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
        train_sampling_strategy="group_by_length",
        seed=seed,
        logging_steps=settings.log_every,
        save_strategy="no",
        report_to=[],
        bf16=False,
        gradient_checkpointing=False,
        disable_tqdm=True,
        **options,
    )
    trainer = SFTTrainer(model=model, args=arguments, train_dataset=data, processing_class=tokenizer)
    trainer.train()
    trainer.save_model(str(out))
    tokenizer.save_pretrained(out)
    (out / "curve.json").write_text(json.dumps(trainer.state.log_history))
