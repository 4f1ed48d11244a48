"""Runs the proof for one or several training seeds, and writes its report.

python -m examples.training_proof --seeds 3 --out build/proof

Training seeds below 21 were for development. Interrupted, it continues after the last finished stage of each
seed.
"""

import argparse
import sys
from pathlib import Path

from examples.training_proof.recipe import (
    FIRST_REPORTED_SEED,
    Recipe,
    mixed_recipe,
    pretrained_recipe,
    tiny_recipe,
)
from examples.training_proof.report import write_report
from examples.training_proof.stages import RecipeMismatchError, run_seed


def main() -> int:
    """Runs the command; returns the exit code."""
    options = _parser().parse_args()
    directories = []
    for seed in range(FIRST_REPORTED_SEED, FIRST_REPORTED_SEED + options.seeds):
        directories.append(options.out / f"seed-{seed}")
        try:
            run_seed(_recipe(options, seed), directories[-1])
        except RecipeMismatchError as error:
            print(error, file=sys.stderr)
            return 1
    print(write_report(directories, options.report))
    return 0


def _recipe(options: argparse.Namespace, seed: int) -> Recipe:
    if options.model is not None:
        return pretrained_recipe(options.model, seed)
    return mixed_recipe(seed) if options.mixed else tiny_recipe(seed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.training_proof",
        description="Trains a model on the environments, and evaluates it before and after.",
        epilog="example: python -m examples.training_proof --seeds 3",
    )
    parser.add_argument("--seeds", type=int, default=1, help="training seeds (default: 1)")
    models = parser.add_mutually_exclusive_group()
    models.add_argument(
        "--mixed", action="store_true", help="one model of two environments, one of them bundled"
    )
    models.add_argument("--model", help="a pretrained model: a folder, a GGUF file, or a name on the Hub")
    parser.add_argument("--out", type=Path, default=Path("build/proof"), help="default: build/proof")
    parser.add_argument(
        "--report",
        type=Path,
        default=Path("docs/training-proof.md"),
        help="the document to write, with plots in images/ beside it (default: docs/training-proof.md)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
