"""What `codegym-mcp eval` is asked for, from its options or from the run that it goes on with."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from codegym_mcp.cli.model_options import read_model_options
from codegym_mcp.limits import Limits
from codegym_mcp.verification.audit.grades import Grade

if TYPE_CHECKING:
    from codegym_harness.runs.run_config import RunConfig

_MODEL = "model_"
"""What the parameters of a model's options begin with."""


def make_job(options: dict[str, Any]) -> "RunConfig":
    """What the options ask for.

    Raises:
        click.UsageError: they do not fit together.
    """
    from codegym_harness.runs.evaluation import Selection
    from codegym_harness.runs.run_config import RunConfig

    model = read_model_options(options)
    if (options["agent"] is None) == (model is None):
        raise click.UsageError("Say who plays: an --agent or a --model.")
    if (options["agent"] == "command") != (options["command"] is not None):
        raise click.UsageError("--agent command and --command go together.")
    return RunConfig(
        agent=options["agent"] or "model",
        model=model,
        command=options["command"],
        paths=options["paths"],
        selection=Selection(
            environments=options["globs"] or ("*",),
            grade=Grade(options["grade"]) if options["grade"] is not None else None,
            tasks=options["tasks"],
            difficulty=options["difficulty"],
            epochs=options["epochs"],
        ),
        limits=Limits(calls=options["calls"]),
        concurrency=options["concurrency"],
        seconds=options["seconds"],
        seed=options["seed"],
        mcp_url=options["mcp_url"],
        mcp_command=options["mcp_command"],
        allow_unconfined=options["allow_unconfined"],
    )


def given(context: click.Context, options: dict[str, Any]) -> set[str]:
    """The names of the options that were given, whatever their values."""
    return {name for name in options if context.get_parameter_source(name) is not ParameterSource.DEFAULT}


def job_to_resume(path: Path, given: Collection[str], options: dict[str, Any]) -> "RunConfig":
    """What the run in a directory was asked for, with those options changed that may change.

    Where others are given, all together are taken as they are: they have to be those that the run was begun
    with, which whoever runs the job checks.

    Raises:
        RunError: there is no run that could be gone on with.
        click.UsageError: the options do not fit together.
    """
    from codegym_harness.runs.resume_checks import FREE
    from codegym_harness.runs.run_config import recorded_config

    recorded = recorded_config(path)
    fields = {name: _field(name) for name in given}
    if not FREE.issuperset(fields.values()):
        if recorded.model is None and options["agent"] is None:
            options = {**options, "agent": recorded.agent}
        return make_job(options)
    changed: dict[str, Any] = {}
    model: dict[str, Any] = {}
    for name, field in fields.items():
        within, _, last = field.rpartition(".")
        (model if within else changed)[last] = options[name]
    if model:
        if recorded.model is None:
            raise click.UsageError(f"The run in {path} is of no --model.")
        changed["model"] = recorded.model.model_copy(update=model)
    return recorded.model_copy(update=changed)


def _field(parameter: str) -> str:
    """The field of a job that a parameter sets."""
    if parameter.startswith(_MODEL):
        return f"model.{parameter.removeprefix(_MODEL)}"
    return parameter
