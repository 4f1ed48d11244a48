"""The episodes that are collected for SFT and played under evaluation, both by `codegym-mcp eval`."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from examples.training_proof.endpoint import NAME, ServedModel, serving
from examples.training_proof.pretrained_model import TOOL_FORMAT
from examples.training_proof.recipe import OWN_ENVIRONMENT, Recipe, Tasks

ROWS = "sft.parquet"
"""The name of the file of rows for SFT."""
VALIDATION_ROWS = "validation.parquet"
"""The name of the file of rows by which SFT is ended."""


def collect(recipe: Recipe, out: Path) -> None:
    """Plays fresh tasks with the environments' own solutions, and exports the episodes as rows for TRL.

    Raises:
        subprocess.CalledProcessError: an episode could not be played or exported.
    """
    _collect(recipe, recipe.collected, recipe.first_task_seed, out / ROWS)
    if recipe.validated:
        _collect(recipe, recipe.validated, recipe.first_validation_seed, out / VALIDATION_ROWS)


def _collect(recipe: Recipe, sets: Iterable[Tasks], first_seed: int, rows: Path) -> None:
    runs = []
    for tasks in sets:
        runs.append(str(rows.with_suffix("") / tasks.name))
        _eval(recipe, tasks, first_seed, Path(runs[-1]), "--agent", "oracle")
    _codegym_mcp("export", *runs, "--format", "trl", "--reward", "1", "-o", str(rows))


def evaluate(model: ServedModel, sets: Iterable[Tasks], recipe: Recipe, out: Path) -> None:
    """Lets a model play its evaluation; writes one run directory for each set of tasks.

    Turns are sampled as in GRPO: the policy that GRPO trains is evaluated, not its most probable turns.

    Raises:
        subprocess.CalledProcessError: an episode failed through no fault of the model.
    """
    with serving(model) as url:
        options = ["--model", f"openai-chat:{NAME}", "--base-url", url, "--attempts", "1"]
        options += ["--max-tokens", str(recipe.reply_tokens), "--temperature", str(recipe.grpo.temperature)]
        if recipe.pretrained is not None:
            options += ["--tool-format", TOOL_FORMAT]
        for tasks in sets:
            _eval(recipe, tasks, recipe.first_evaluated_seed, out / tasks.name, *options)


def _eval(recipe: Recipe, tasks: Tasks, first_seed: int, run: Path, *options: str) -> None:
    """Plays tasks. Episodes that failed through no fault of the agent are played once more."""
    try:
        _codegym_mcp(
            *("eval", "--environments", "bundled", "--environments", str(OWN_ENVIRONMENT)),
            *("--env", tasks.environment, "--difficulty", str(tasks.difficulty)),
            *("--seed", f"{first_seed}-{first_seed + tasks.count - 1}"),
            *("--calls", str(recipe.calls), "--out", str(run), *options),
        )
    except subprocess.CalledProcessError:
        if not run.exists():
            raise
        _codegym_mcp("eval", "--resume", str(run))


def _codegym_mcp(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "codegym_mcp.cli", *arguments], check=True)
