"""Writes the report of the proof from the results of its training seeds."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import jinja2

from codegym_harness.statistics.estimators import Estimate
from examples.training_proof.plots import plot_curves, plot_rewards
from examples.training_proof.recipe import FIRST_REPORTED_SEED, Ending, Model, Tasks
from examples.training_proof.results import SeedResults, difference, mean_reward
from examples.training_proof.stages import STAGES
from examples.training_proof.validation import Validated

_LABELS = {Model.START: "before training", Model.SFT: "after SFT", Model.GRPO: "after GRPO"}
_SMOOTHED = 5
"""Steps of the moving average of rewards."""


def write_report(directories: Sequence[Path], document: Path) -> Path:
    """Writes the document, and its plots into `images` beside it; returns the path of the document.

    Args:
        directories: the directory of each training seed, with the same recipe but for the seed.

    Raises:
        FileNotFoundError: a stage of a seed is not finished.
        UnscoredEpisodeError: an episode of an evaluation was not scored.
        ValueError: the recipes differ.
    """
    seeds = [SeedResults(directory) for directory in directories]
    recipe = seeds[0].recipe
    for seed in seeds:
        if seed.recipe.model_copy(update={"seed": recipe.seed}) != recipe:
            raise ValueError(f"{seed.directory} has another recipe than {seeds[0].directory}")
    _plot(seeds, document.parent / "images")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # noqa: S701 - the document is Markdown, and all values are the proof's own
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    text = environment.get_template("training-proof.md.j2").render(
        recipe=recipe,
        seeds=seeds,
        count="one training seed" if len(seeds) == 1 else f"{len(seeds)} training seeds",
        rewards=_rewards_table(seeds),
        differences=_differences_table(seeds),
        transfer=_transfer_table(seeds) if recipe.transfer else "",
        costs=_costs_table(seeds),
        endings=_endings_table(seeds),
        sft=[
            {"settings": settings, "rows": _listed(settings.tasks), "ending": _ending(settings.ending)}
            for settings in recipe.sft
        ],
        first_reported=FIRST_REPORTED_SEED,
        grpo_ending=_ending(recipe.grpo.ending),
        shows=all(
            difference(seeds, before, Model.GRPO, recipe.target).excludes_zero
            for before in (Model.START, Model.SFT)
        ),
        target=title(recipe.target),
        episodes=recipe.grpo.prompts * recipe.grpo.generations,
        trained=_listed(recipe.grpo.tasks),
    )
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text(text)
    return document


def title(tasks: Tasks) -> str:
    """Returns the name of a set of tasks for people."""
    return f"`{tasks.environment}`, difficulty {tasks.difficulty}"


def _listed(sets: Sequence[Tasks]) -> str:
    return " and ".join(f"{tasks.count:,} tasks of {title(tasks)}" for tasks in sets)


def _rewards_table(seeds: Sequence[SeedResults]) -> str:
    recipe = seeds[0].recipe
    rows = []
    for tasks in recipe.evaluated:
        for model in recipe.players(tasks):
            row = [title(tasks), _LABELS[model], _solved(seeds, model, tasks)]
            rows.append([*row, _estimate(mean_reward(seeds, model, tasks))])
    return _table(["tasks", "model", "solved, by training seed", "mean reward, 95 %"], rows)


def _solved(seeds: Sequence[SeedResults], model: Model, tasks: Tasks) -> str:
    numbers = [sum(score.reward for score in seed.scores(model, tasks)) for seed in seeds]
    return f"{', '.join(f'{number:g}' for number in numbers)} of {tasks.count}"


def _differences_table(seeds: Sequence[SeedResults]) -> str:
    recipe = seeds[0].recipe
    rows = []
    for tasks in recipe.evaluated:
        for first, second in combinations(recipe.players(tasks), 2):
            found = difference(seeds, first, second, tasks)
            name = f"{_LABELS[second]}, less {_LABELS[first]}"
            rows.append([title(tasks), name, _estimate(found.over_tasks), _interval(found.over_seeds)])
    return _table(["tasks", "difference", "mean, 95 % over tasks", "95 % over training seeds"], rows)


def _transfer_table(seeds: Sequence[SeedResults]) -> str:
    rows = []
    for tasks in seeds[0].recipe.transfer:
        solved = _solved(seeds, Model.GRPO, tasks)
        calls = sorted(number for seed in seeds for number in seed.calls(Model.GRPO, tasks))
        rows.append([title(tasks), solved, f"{calls[len(calls) // 2]}"])
    return _table(["tasks", "solved, by training seed", "median calls"], rows)


def _ending(ending: Ending | None) -> str:
    if ending is None:
        return ""
    goals = " or ".join(f"{goal.solved:.0%} of {_listed([goal.tasks])}" for goal in ending.goals)
    first = ", at the first such step" if ending.first_step else ""
    return f"{goals} are solved, asked every {ending.every} steps{first}"


def _endings_table(seeds: Sequence[SeedResults]) -> str:
    recipe = seeds[0].recipe
    endings = [("sft", n, settings.ending) for n, settings in enumerate(recipe.sft)] + [
        ("grpo", 0, recipe.grpo.ending)
    ]
    rows = []
    for stage, number, ending in endings:
        trainings = [seed.trainings(stage)[number] for seed in seeds]
        name = f"{stage.upper()}, {number + 1}" if stage == "sft" else stage.upper()
        steps = [
            f"{each.steps}{'' if ending is None or each.reached else ' (maximum)'}" for each in trainings
        ]
        before, last = [each.before for each in trainings], [each.last for each in trainings]
        results = [", ".join(map(_validated, each)) for each in (before, last)]
        rows.append([name, _ending(ending) or "fixed", ", ".join(steps), *results])
    return _table(
        ["training", "ends when", "steps, by training seed", "validation before it", "validation at its end"],
        rows,
    )


def _validated(validated: Validated | None) -> str:
    return "-" if validated is None else " and ".join(f"{share:.3f}" for share in validated.solved)


def _costs_table(seeds: Sequence[SeedResults]) -> str:
    costs = [seed.costs for seed in seeds]
    rows = [
        [
            stage,
            ", ".join(f"{cost[stage].processor_seconds:.0f}" for cost in costs),
            ", ".join(f"{cost[stage].wall_seconds:.0f}" for cost in costs),
        ]
        for stage in STAGES
    ]
    totals = [
        ", ".join(f"{sum(getattr(each, name) for each in cost.values()):.0f}" for cost in costs)
        for name in ("processor_seconds", "wall_seconds")
    ]
    return _table(["stage", "processor seconds, by training seed", "wall seconds"], [*rows, ["all", *totals]])


def _plot(seeds: Sequence[SeedResults], images: Path) -> None:
    labels = [f"training seed {seed.recipe.seed}" for seed in seeds]

    def curves(stage: str, value: str) -> Mapping[str, Sequence[tuple[int, float]]]:
        return dict(zip(labels, [seed.curve(stage, value) for seed in seeds], strict=True))

    plot_curves(
        curves("sft", "loss"), images / "training-proof-sft.svg", value="SFT: training loss", logarithmic=True
    )
    plot_curves(
        curves("grpo", "reward"),
        images / "training-proof-grpo.svg",
        value="GRPO: mean reward of a step",
        smoothed=_SMOOTHED,
    )
    rewards = {
        _LABELS[model]: {
            f"{tasks.environment} {tasks.difficulty}": mean_reward(seeds, model, tasks)
            for tasks in seeds[0].recipe.evaluated
            if model in seeds[0].recipe.players(tasks)
        }
        for model in Model
    }
    plot_rewards(rewards, images / "training-proof-rewards.svg")


def _estimate(estimate: Estimate) -> str:
    return f"{estimate.mean:.3f} ({_interval(estimate)})"


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return "no interval"
    return f"{estimate.low:.3f} to {estimate.high:.3f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
