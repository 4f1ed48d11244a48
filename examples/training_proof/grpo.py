"""Reinforcement learning with TRL's GRPOTrainer over episodes that the model plays."""

import json
from pathlib import Path

from datasets import concatenate_datasets
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl import GRPOTrainer

from examples.training_proof.recipe import Recipe
from examples.training_proof.sampled_episodes import grpo_config, gym_spec
from examples.training_proof.validation import Validation, playing, write_trainings


def train(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, recipe: Recipe, out: Path) -> None:
    """Trains a model on the rewards of its episodes; saves it with its tokenizer and its learning curve."""
    settings = recipe.grpo
    specs = [gym_spec(recipe, tasks, recipe.first_task_seed) for tasks in settings.tasks]
    environments = [tasks.environment for tasks in settings.tasks]
    measure = playing(settings.ending, recipe, model, tokenizer, out)
    validation = Validation(settings.ending, measure)
    trainer = GRPOTrainer(
        model=model,
        args=grpo_config(
            recipe,
            out,
            max_steps=settings.steps,
            per_device_train_batch_size=settings.prompts * settings.generations,
            num_generations=settings.generations,
            learning_rate=settings.learning_rate,
            lr_scheduler_type="constant",
            logging_steps=1,
        ),
        train_dataset=concatenate_datasets([spec.train_dataset for spec in specs]),
        environment_factory={
            name: spec.environment_factory for name, spec in zip(environments, specs, strict=True)
        },
        processing_class=tokenizer,
        callbacks=[validation],
    )
    if not validation.is_reached_by(model):
        trainer.train()
    trainer.save_model(str(out))
    tokenizer.save_pretrained(out)
    (out / "curve.json").write_text(json.dumps(trainer.state.log_history))
    write_trainings([validation.training], out)
