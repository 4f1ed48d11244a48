"""Reinforcement learning with TRL's GRPOTrainer over episodes that the model plays."""

import json
from pathlib import Path
from typing import Any

from datasets import concatenate_datasets
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl import GRPOConfig, GRPOTrainer

from codegym_mcp import GymSpec
from examples.training_proof.recipe import OWN_ENVIRONMENT, Recipe


def train(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, recipe: Recipe, out: Path, **options: Any
) -> None:
    """Trains a model on the rewards of its episodes, and saves it with its tokenizer and its learning curve.

    Args:
        options: further options of `GRPOConfig`.
    """
    settings = recipe.grpo
    specs = [
        GymSpec(
            ["bundled", OWN_ENVIRONMENT, tasks.environment],
            difficulty=tasks.difficulty,
            tasks=tasks.count,
            seed=recipe.first_task_seed,
            calls=recipe.calls,
        )
        for tasks in settings.tasks
    ]
    environments = [tasks.environment for tasks in settings.tasks]
    arguments = GRPOConfig(
        output_dir=str(out),
        max_steps=settings.steps,
        per_device_train_batch_size=settings.prompts * settings.generations,
        num_generations=settings.generations,
        max_completion_length=settings.max_tokens,
        max_tool_calling_iterations=settings.max_turns,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="constant",
        beta=0.0,
        temperature=settings.temperature,
        seed=recipe.seed,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        bf16=False,
        gradient_checkpointing=False,
        disable_tqdm=True,
        **options,
    )
    trainer = GRPOTrainer(
        model=model,
        args=arguments,
        train_dataset=concatenate_datasets([spec.train_dataset for spec in specs]),
        environment_factory={
            name: spec.environment_factory for name, spec in zip(environments, specs, strict=True)
        },
        processing_class=tokenizer,
    )
    trainer.train()
    trainer.save_model(str(out))
    tokenizer.save_pretrained(out)
    (out / "curve.json").write_text(json.dumps(trainer.state.log_history))
