"""How the model plays in training and validation: episodes of `GymSpec`, whose turns TRL samples."""

from pathlib import Path
from typing import Any

from trl import GRPOConfig

from codegym_mcp import GymSpec
from examples.training_proof.recipe import OWN_ENVIRONMENT, Recipe, Tasks


def gym_spec(recipe: Recipe, tasks: Tasks, first_seed: int) -> GymSpec:
    """Returns tasks as TRL takes them.

    Args:
        first_seed: the seed of the first task.
    """
    return GymSpec(
        ["bundled", OWN_ENVIRONMENT, tasks.environment],
        difficulty=tasks.difficulty,
        tasks=tasks.count,
        seed=first_seed,
        calls=recipe.calls,
        isolation=recipe.isolation,
    )


def grpo_config(recipe: Recipe, out: Path, **options: Any) -> GRPOConfig:
    """Returns the configuration of a trainer that plays episodes.

    Args:
        out: where the trainer may write.
        options: further options.
    """
    return GRPOConfig(
        output_dir=str(out),
        max_completion_length=recipe.grpo.max_tokens,
        max_tool_calling_iterations=recipe.grpo.max_turns,
        temperature=recipe.grpo.temperature,
        beta=0.0,
        seed=recipe.seed,
        save_strategy="no",
        report_to=[],
        bf16=False,
        gradient_checkpointing=False,
        disable_tqdm=True,
        **options,
    )
