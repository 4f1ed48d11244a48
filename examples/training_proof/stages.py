"""The stages of a training seed. Each writes a folder; a finished stage is not repeated."""

import shutil
import time
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import torch
from pydantic import BaseModel
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from examples.training_proof import chat_format, episodes, grpo, sft
from examples.training_proof.endpoint import ServedModel
from examples.training_proof.pretrained_model import load_pretrained
from examples.training_proof.recipe import Model, Recipe
from examples.training_proof.tiny_model import random_model, train_tokenizer

STAGES = ("collect", "start", "sft", "grpo", "evaluate-start", "evaluate-sft", "evaluate-grpo")
"""The stages in their order. `start` writes the model to begin with."""
_TOKENIZER_ROWS = 1000
"""Rows on which the tokenizer is trained."""


class RecipeMismatchError(Exception):
    """A directory holds the results of another recipe."""


class Cost(BaseModel):
    """What a stage cost. It is written when the stage is finished."""

    wall_seconds: float
    processor_seconds: float
    """Of this process and of those that it started."""


def run_seed(recipe: Recipe, directory: Path) -> None:
    """Runs the stages of a recipe that are not finished.

    Args:
        directory: where the stages are written. It may hold finished stages of the same recipe.

    Raises:
        RecipeMismatchError: the directory holds another recipe.
        subprocess.CalledProcessError: a command of the project failed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "recipe.json"
    if path.exists():
        if Recipe.model_validate_json(path.read_text()) != recipe:
            raise RecipeMismatchError(
                f"{path} is another recipe. Remove {directory}, or choose another --out."
            )
    else:
        path.write_text(recipe.model_dump_json(indent=2))
    torch.set_num_threads(1)  # a tiny model is slower with more
    for stage in STAGES:
        if read_cost(directory, stage) is None:
            print(f"{directory.name}: {stage}", flush=True)
            shutil.rmtree(directory / stage, ignore_errors=True)
            (directory / stage).mkdir()
            wall, processor = time.monotonic(), _processor_seconds()
            _run_stage(stage, recipe, directory)
            cost = Cost(
                wall_seconds=round(time.monotonic() - wall, 1),
                processor_seconds=round(_processor_seconds() - processor, 1),
            )
            _cost_file(directory, stage).write_text(cost.model_dump_json())


def read_cost(directory: Path, stage: str) -> Cost | None:
    """Returns what a stage cost, or None if it is not finished."""
    path = _cost_file(directory, stage)
    return Cost.model_validate_json(path.read_text()) if path.exists() else None


def load(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Loads a model and its tokenizer from a folder."""
    return AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def _run_stage(stage: str, recipe: Recipe, directory: Path) -> None:
    out, rows = directory / stage, directory / "collect" / episodes.ROWS
    match stage:
        case "collect":
            episodes.collect(recipe, out)
        case "start":
            model, tokenizer = _first_model(recipe, rows)
            model.save_pretrained(out)
            tokenizer.save_pretrained(out)
        case "sft":
            read = partial(sft.read_rows, with_tools=recipe.pretrained is not None)
            validated = read(rows.with_name(episodes.VALIDATION_ROWS)) if recipe.validated else None
            sft.train(*load(directory / "start"), sft.Rows(read(rows), validated), recipe, out)
        case "grpo":
            grpo.train(*load(directory / "sft"), recipe, out)
        case _:
            model = Model(stage.removeprefix("evaluate-"))
            served = ServedModel(*load(directory / model))
            episodes.evaluate(served, recipe.played_by(model), recipe, out)


def _first_model(recipe: Recipe, rows: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Returns the pretrained model, or random weights and a tokenizer for the rows."""
    if recipe.pretrained is not None:
        return load_pretrained(recipe.pretrained)
    data = sft.read_rows(rows).shuffle(seed=recipe.seed)
    data = data.select(range(min(_TOKENIZER_ROWS, len(data))))
    passages = (text for messages in data["messages"] for text in chat_format.texts(messages))
    tokenizer = train_tokenizer(passages, recipe.shape.vocabulary)
    return random_model(tokenizer, recipe.shape, recipe.seed), tokenizer


def _cost_file(directory: Path, stage: str) -> Path:
    return directory / stage / "cost.json"


def _processor_seconds() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))
