"""Reads the options of `codegym-mcp eval`, or the configuration of the run that it resumes."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from pydantic import ValidationError

from codegym_mcp.cli.enclosure_flags import ENCLOSURE_PARAMETERS, read_enclosure_options
from codegym_mcp.cli.model_flags import read_model_options
from codegym_mcp.episode_limits import Limits
from codegym_mcp.validation_messages import first_fault
from codegym_mcp.verification.audit.grading_rules import Grade

if TYPE_CHECKING:
    from codegym_harness.runs.run_config import RunConfig
    from codegym_harness.runs.task_selection import SeedRange

_MODEL = "model_"
"""The prefix of the parameters of a model's options."""
_SEEDS = re.compile(r"(-?\d+)(?:-(-?\d+))?")
_FIELDS = {
    "globs": "selection.environments",
    "difficulties": "selection.difficulties",
    "seeds": "selection.seeds",
}
"""The fields of a configuration that parameters with another name set."""


class DifficultiesParameter(click.ParamType[tuple[int, ...]]):
    """One or several difficulties, separated by commas: `2` or `1,2`."""

    name = "difficulties"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        numbers = str(value).split(",")
        if not all(number in ("1", "2", "3", "4", "5") for number in numbers):
            self.fail(f"{value!r} is not a difficulty from 1 to 5, or several with commas.", param, ctx)
        return tuple(map(int, numbers))


class SeedsParameter(click.ParamType["SeedRange"]):
    """A seed, or an inclusive range of seeds: `100` or `100-149`."""

    name = "seeds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "SeedRange":
        from codegym_harness.runs.task_selection import SeedRange

        if isinstance(value, SeedRange):
            return value
        match = _SEEDS.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is neither a seed, such as 100, nor a range, such as 100-149.", param, ctx)
        first, last = int(match[1]), int(match[2]) if match[2] is not None else None
        if last is not None and last < first:
            self.fail(f"The range {value} ends before it begins.", param, ctx)
        return SeedRange(first=first, last=last)


def make_config(options: dict[str, Any]) -> "RunConfig":
    """Returns the configuration that the options describe.

    Raises:
        click.UsageError: the options contradict each other.
    """
    from codegym_harness.runs.run_config import RunConfig
    from codegym_harness.runs.task_selection import Selection

    model = read_model_options(options)
    agent, command = options["agent"], options["command"]
    if agent is not None and model is not None:
        raise click.UsageError(
            f"--agent {agent} and --model {model.name} name two agents. Give one of them; a model plays by "
            "itself."
        )
    if agent is None and model is None and command is None:
        raise click.UsageError("No agent is given. Add --agent NAME or --model PROVIDER:NAME.")
    if command is not None and agent != "command":
        raise click.UsageError("--command is for --agent command. Add it, or leave --command out.")
    if agent == "command" and command is None:
        raise click.UsageError("--agent command needs the program: add --command 'PROGRAM …'.")
    try:
        return RunConfig(
            agent=agent or "model",
            model=model,
            command=command,
            enclosure=read_enclosure_options(options),
            paths=options["paths"],
            selection=Selection(
                environments=options["globs"] or ("*",),
                grade=Grade(options["grade"]) if options["grade"] is not None else None,
                tasks=options["tasks"],
                task_ids=options["task_ids"],
                difficulties=tuple(
                    dict.fromkeys(number for numbers in options["difficulties"] for number in numbers)
                ),
                seeds=options["seeds"],
                epochs=options["epochs"],
            ),
            limits=Limits(calls=options["calls"]),
            concurrency=options["concurrency"],
            seconds=options["seconds"],
            seed=options["seeds"].first,
            over_mcp=options["over_mcp"],
            mcp_url=options["mcp_url"],
            mcp_command=options["mcp_command"],
            allow_unconfined=options["allow_unconfined"],
        )
    except ValidationError as error:
        raise click.UsageError(f"{first_fault(error)}.") from None


def given(context: click.Context, options: dict[str, Any]) -> set[str]:
    """Returns the names of the options that the user gave, whatever their values."""
    return {name for name in options if context.get_parameter_source(name) is not ParameterSource.DEFAULT}


def config_to_resume(path: Path, given: Collection[str], options: dict[str, Any]) -> "RunConfig":
    """Returns the configuration of a recorded run, with the given options changed that may change.

    Raises:
        RunError: the directory holds no run that this version can resume.
        click.UsageError: an option was given that may not change on resume.
    """
    from codegym_harness.runs.resume_compatibility import FREE
    from codegym_harness.runs.run_config import RunConfig, recorded_config

    recorded = recorded_config(path)
    fields = {name: _field(name) for name in given}
    fixed = sorted(name for name, field in fields.items() if field not in FREE)
    if fixed:
        _check_unchanged(path, recorded, fixed, options)
    changed: dict[str, Any] = {}
    model: dict[str, Any] = {}
    for name, field in fields.items():
        if name in fixed:
            continue
        parent, _, last = field.rpartition(".")
        (model if parent else changed)[last] = options[name]
    if model:
        if recorded.model is None:
            raise click.UsageError(f"The run in {path} was not started with a --model.")
        changed["model"] = recorded.model.model_copy(update=model)
    return RunConfig.model_validate(recorded.model_copy(update=changed).model_dump())


def _check_unchanged(
    path: Path, recorded: "RunConfig", fixed: Collection[str], options: dict[str, Any]
) -> None:
    """Refuses options that may not change, unless their values are those of the recorded run."""
    requested = dict(options)
    if requested["agent"] is None and recorded.model is None:
        requested["agent"] = recorded.agent
    if requested["agent"] == "command" and requested["command"] is None:
        requested["command"] = recorded.command
    if requested["agent"] is None and requested["model_name"] is None and recorded.model is not None:
        requested["model_name"] = recorded.model.name
    config = make_config(requested)
    for name in fixed:
        field = _field(name)
        was, now = _value(recorded, field), _value(config, field)
        if was != now:
            raise click.UsageError(
                f"{_option(name)} cannot change on resume: the run in {path} was started with {_brief(was)}, "
                f"and {_brief(now)} was given. Leave it out, or start another run."
            )


def _value(config: "RunConfig", field: str) -> Any:
    value: Any = config
    for name in field.split("."):
        value = getattr(value, name, None)
    return value


def _brief(value: Any) -> str:
    if value is None or value == ():
        return "no value"
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    text = str(getattr(value, "name", value))
    return text if len(text) <= 60 else f"{text[:60]}…"


def _option(parameter: str) -> str:
    """Returns the option that sets a parameter, as the user writes it."""
    context = click.get_current_context(silent=True)
    for each in context.command.params if context is not None else ():
        if each.name == parameter:
            return max(each.opts, key=len)
    return f"--{parameter.replace('_', '-')}"


def _field(parameter: str) -> str:
    """Returns the field of a configuration that a parameter sets."""
    if parameter.startswith(_MODEL):
        return f"model.{parameter.removeprefix(_MODEL)}"
    if parameter in ENCLOSURE_PARAMETERS:
        return f"enclosure.{parameter}"
    if parameter in ("grade", "tasks", "task_ids", "epochs"):
        return f"selection.{parameter}"
    return "limits.calls" if parameter == "calls" else _FIELDS.get(parameter, parameter)
