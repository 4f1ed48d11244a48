"""`codegym-mcp synthesize`."""

from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.cli.command_output import echo, err, json_option, print_json, run, unconfined_option
from codegym_mcp.cli.model_flags import read_text_model_options, refuse_model_options, text_model_options
from codegym_mcp.cli.ray_option import ray_examiner, ray_option, ray_tracing
from codegym_mcp.cli.synthesis_progress import SynthesisProgress, print_funnel
from codegym_mcp.errors import CodegymError
from codegym_mcp.models import Model
from codegym_mcp.synthesis import prompt_rendering
from codegym_mcp.synthesis.cached_model import CachedModel, sampling_settings
from codegym_mcp.synthesis.candidate_examination import Examiner, LocalExaminer
from codegym_mcp.synthesis.candidate_making import Author, OnStage
from codegym_mcp.synthesis.environment_author import EnvironmentAuthor
from codegym_mcp.synthesis.output_folder import OutputFolder, Recipe
from codegym_mcp.synthesis.pipeline import Synthesis
from codegym_mcp.synthesis.problem_outcomes import Candidate, Funnel
from codegym_mcp.synthesis.problem_reader import CodingProblem, UnreadableProblem, read_problems
from codegym_mcp.synthesis.program_tracing.source_reading.python_sources import (
    is_python_source,
    read_python_problems,
)
from codegym_mcp.synthesis.program_tracing.tracing_author import TRACING_VERSION, TracingAuthor
from codegym_mcp.synthesis.synthesis_options import TRIAL_LIMITS, Method, SynthesisOptions, Tier
from codegym_mcp.synthesis.synthesis_store import SynthesisStore
from codegym_mcp.verification.audit.grading_rules import Grade
from codegym_mcp.verification.verification_context import VerificationContext

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""
_DEFAULTS = SynthesisOptions()
_TRACED_GRADE = Grade.C


Command = TypeVar("Command", bound=Callable[..., Any])


def _count(option: str, least: int, text: str) -> Callable[[Command], Command]:
    name = option.removeprefix("--")
    default = getattr(_DEFAULTS, name)
    return click.option(option, type=click.IntRange(least), default=default, show_default=True, help=text)


@click.command()
@click.argument("problems")
@click.option(
    "--out",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Output folder. If it holds an unfinished synthesis, that is continued.",
)
@click.option(
    "--method",
    type=click.Choice([method.value for method in Method]),
    default=Method.MODEL.value,
    show_default=True,
    help="Have a language model write the environments, or lift them out of the solutions without a model.",
)
@click.option(
    "--tier",
    type=click.Choice([tier.value for tier in Tier]),
    default=Tier.USABLE.value,
    show_default=True,
    help="Reject traced environments with a lower tier.",
)
@text_model_options
@_count("--samples", 1, "Environments to try for each problem.")
@_count("--oracles", 1, "Oracles to write independently for each environment.")
@_count(
    "--repairs", 0, "Repairs for each environment; repairs of form are counted apart, with the same limit."
)
@_count("--configurations", 4, "Configurations to ask for.")
@_count("--tasks", 1, "Least number of tasks of an environment.")
@click.option(
    "--grade",
    type=click.Choice([grade.value for grade in Grade]),
    help="Reject environments with a lower grade; B by default, C with --method trace.",
)
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="NAME=FIELD",
    help="Name of a field in a file of another format: id, statement, solution, tests, license. "
    "May be given several times.",
)
@click.option("--license", "license_name", metavar="NAME", help="The licence of all problems.")
@click.option(
    "--limit", type=click.IntRange(1), help="Number of problems to use, from the beginning of the file."
)
@click.option(
    "--against",
    "against",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Environments that new ones must not repeat, in addition to the bundled ones and those in --out.",
)
@click.option("--concurrency", type=click.IntRange(1), default=8, show_default=True, help="Problems at once.")
@ray_option
@unconfined_option
@json_option
def synthesize(
    *,
    problems: str,
    directory: Path,
    fields: tuple[str, ...],
    license_name: str | None,
    method: str,
    tier: str,
    grade: str | None,
    limit: int | None,
    against: tuple[Path, ...],
    concurrency: int,
    ray_address: str | None,
    allow_unconfined: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Make verified and audited environments of coding problems, with a model or by program analysis.

    PROBLEMS is a file of JSON Lines: CodeGym's raw problems, MBPP, HumanEval, or another form with --field.
    With --method trace it may be a Python file, or package:NAME for an installed package, whose functions
    have doctests or assertions. Every response of the model is stored, so that an interrupted run continues
    without sending a request twice. The environments are written to the folder; rejected replies and their
    reasons to its folder synthesis/. Exits with 0 if every problem was decided.

    \b
    Example:
      codegym-mcp synthesize problems.jsonl --out made --model openai:gpt-6-luna --max-cost 5
      codegym-mcp synthesize problems.jsonl --out traced --method trace --tier strict
      codegym-mcp synthesize solutions.jsonl --out traced --method trace --concurrency 64 --ray
      codegym-mcp synthesize mine.jsonl --out made --model anthropic:claude-sonnet-5-5 \\
          --field statement=body --field solution=answer --license MIT
    """
    traced = method == Method.TRACE
    given = {**options, "grade": grade or (_TRACED_GRADE if traced else _DEFAULTS.grade)}
    model_options = None if traced else read_text_model_options(given)
    if traced:
        refuse_model_options(given)
        given.update(method=Method.TRACE, tier=Tier(tier))
    read = _read_problems(problems, traced, _read_fields(fields), license_name)[:limit]
    recipe = Recipe(
        model=sampling_settings(model_options) if model_options is not None else {"name": Method.TRACE.value},
        prompts=prompt_rendering.version() if model_options is not None else TRACING_VERSION,
        options=SynthesisOptions(**given),
    )

    async def main() -> Funnel:
        async with AsyncExitStack() as stack:
            # An unusable model leaves no folder whose recipe names it.
            model = await stack.enter_async_context(Model.open(model_options)) if model_options else None
            folder = stack.enter_context(OutputFolder.open(directory, recipe))
            store = stack.enter_context(SynthesisStore.open(folder.store))
            places = Places(concurrency, ray_address, allow_unconfined)
            author = await (
                _tracing_author(stack, recipe.options, places)
                if model is None
                else _writing_author(stack, store, recipe.options, model, places)
            )
            synthesis = Synthesis(
                author=author,
                store=store,
                folder=folder,
                existing=list(_existing([*against, directory])),
                concurrency=concurrency,
                observer=progress,
            )
            return await synthesis.run(read)

    try:
        with SynthesisProgress(err, len(read)) as progress:
            funnel = run(main)
    except KeyboardInterrupt:
        echo(
            f"Interrupted. Results so far are in {directory}; run the same command again to continue.",
            err=True,
        )
        raise SystemExit(INTERRUPTED) from None
    if as_json:
        print_json(funnel.model_dump(mode="json"))
    else:
        print_funnel(funnel, directory)
    if funnel.unfinished:
        raise SystemExit(1)


def _read_problems(
    name: str, traced: bool, fields: dict[str, str], license_name: str | None
) -> list[CodingProblem | UnreadableProblem]:
    if is_python_source(name):
        if not traced:
            raise click.UsageError("Python files and packages are read with --method trace.")
        return read_python_problems(name, license=license_name)
    if not Path(name).is_file():
        raise click.UsageError(f"The file {name} does not exist.")
    return list(read_problems(Path(name), fields=fields, license=license_name))


@dataclass(frozen=True)
class Places:
    """Where the work of a synthesis is done.

    Attributes:
        concurrency: problems at once.
        ray_address: the Ray cluster whose nodes do it, or None.
        allow_unconfined: continue where a system cannot confine environments.
    """

    concurrency: int
    ray_address: str | None
    allow_unconfined: bool


async def _tracing_author(stack: AsyncExitStack, options: SynthesisOptions, places: Places) -> Author:
    """Opens what makes a candidate of a problem by program analysis."""
    if places.ray_address is not None:
        tracing = ray_tracing(
            places.ray_address,
            options,
            most=places.concurrency,
            allow_unconfined=places.allow_unconfined,
        )
        return (await stack.enter_async_context(tracing)).write
    context = await _open_context(stack, places)

    async def write(problem: CodingProblem, _: int, on_stage: OnStage) -> Candidate:
        return await TracingAuthor(problem, context, options, on_stage).write()

    return write


async def _writing_author(
    stack: AsyncExitStack,
    store: SynthesisStore,
    options: SynthesisOptions,
    opened: Model,
    places: Places,
) -> Author:
    """Opens what has a language model write a candidate of a problem."""
    spent = store.spent()
    opened.spending.count(spent.tokens, spent.cost)
    model = CachedModel(opened, store)
    context = await _open_context(stack, places)
    examiner: Examiner = LocalExaminer(context)
    if places.ray_address is not None:
        examiner = await stack.enter_async_context(
            ray_examiner(
                places.ray_address, most=places.concurrency, allow_unconfined=places.allow_unconfined
            )
        )

    async def write(problem: CodingProblem, sample: int, on_stage: OnStage) -> Candidate:
        author = EnvironmentAuthor(problem, sample, model, context, examiner, options, on_stage)
        return await author.write()

    return write


async def _open_context(stack: AsyncExitStack, places: Places) -> VerificationContext:
    return await stack.enter_async_context(
        VerificationContext.open(limits=TRIAL_LIMITS, allow_unconfined=places.allow_unconfined)
    )


def _read_fields(fields: Iterable[str]) -> dict[str, str]:
    found = {}
    for field in fields:
        name, equals, value = field.partition("=")
        if not equals or not name or not value:
            raise click.UsageError(f"--field takes NAME=FIELD, not {field!r}.")
        found[name] = value
    return found


def _existing(paths: Iterable[Path]) -> Iterable[Entry]:
    yield from Catalog.load().entries
    for path in paths:
        try:
            yield from Catalog.load([path]).entries
        except CodegymError:
            # A new output folder holds no environments.
            if path.is_dir() and not any(path.glob("*.py")):
                continue
            raise
