"""`codegym-mcp show`: shows an environment, a run, or one episode of a run."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codegym_mcp.cli.command_output import environments_option, json_option, out, print_json
from codegym_mcp.cli.environment_details import print_environment
from codegym_mcp.errors import NotFoundError, RunError

if TYPE_CHECKING:
    from codegym_harness.records.trajectory import RolloutRecord, ToolCall, Trajectory

_SHOWN = 600
"""The maximum number of characters of a result or message that are shown."""


@click.command()
@click.argument("what", metavar="ENVIRONMENT|RUN")
@click.argument("episode", metavar="[EPISODE]", required=False)
@environments_option
@click.option("--full", is_flag=True, help="Do not shorten an episode's results and messages.")
@json_option
def show(what: str, episode: str | None, paths: tuple[Path, ...], full: bool, as_json: bool) -> None:
    """Show an environment, a run, or one episode of a run.

    ENVIRONMENT is a name, or the path of an environment file. RUN is a run directory; EPISODE is the key of
    one of its episodes (environment/task/epoch), which may also be written as part of RUN.

    \b
    Example:
      codegym-mcp show night_courier --json
      codegym-mcp show runs/mine
      codegym-mcp show runs/mine/night_courier/five-corners-one-toll-zone/1
    """
    from codegym_harness.runs.run_index import find_trajectory, split_episode

    found = split_episode(what)
    if found is None:
        if episode is not None:
            raise click.UsageError(f"{what} is no run directory, so it has no episodes.")
        _show_environment(what, paths, as_json=as_json)
        return
    run, key = found
    key = episode or key
    if not key:
        _show_run(run, as_json=as_json)
        return
    trajectory = find_trajectory(run, key)
    if as_json:
        print_json(json.loads(trajectory.to_json()))
    else:
        _print_trajectory(trajectory, None if full else _SHOWN)


def _show_environment(what: str, paths: tuple[Path, ...], *, as_json: bool) -> None:
    from codegym_harness.runs.run_index import means_a_run

    try:
        print_environment(what, paths, as_json=as_json)
    except NotFoundError:
        if not means_a_run(what):
            raise
        raise RunError(
            Path(what),
            f"There is no run {what}: it is not a run directory, or not an episode of one.",
            hint="`codegym-mcp runs` lists runs.",
        ) from None


def _numbers_in_order(key: str) -> list[tuple[int, str]]:
    """Returns a sort key by which d2-s10 follows d2-s9."""
    parts = re.split(r"(\d+)", key)
    return [(int(part) if part.isdecimal() else 0, part) for part in parts]


def _show_run(run: Path, *, as_json: bool) -> None:
    from codegym_harness.runs.run_directory_reader import read_results
    from codegym_harness.runs.run_index import read_baselines, read_summary
    from codegym_mcp.cli.summary_tables import print_summary

    summary, baselines = read_summary(run), read_baselines(run)
    results = sorted(read_results(run), key=lambda result: _numbers_in_order(result.key))
    if as_json:
        print_json(
            {
                **summary.model_dump(mode="json"),
                "baselines": {each.agent: each.model_dump(mode="json") for each in baselines},
                "results": [result.model_dump(mode="json") for result in results],
            }
        )
        return
    _print(summary.agent, style="bold")
    out.print()
    print_summary(summary, baselines)
    out.print()
    for result in results:
        limits = f", {', '.join(result.limits_met)}" if result.limits_met else ""
        stop = f", stopped: {result.stop.replace('_', ' ')}" if result.stop is not None else ""
        _print(f"{result.key}  {result.outcome.replace('_', ' ')}, {result.calls} calls{limits}{stop}")


def _print_trajectory(trajectory: "Trajectory", limit: int | None) -> None:
    from codegym_harness.records.episode_result import calls_with_results

    record = trajectory.extra
    _print(f"{record.key}  {trajectory.agent.model_name or trajectory.agent.name}", style="bold")
    for step in trajectory.steps:
        if step.message or step.reasoning_content:
            _print("")
            _print(f"{step.source}:", style="bold")
        if step.reasoning_content:
            _print(_indented(_shortened(step.reasoning_content, limit)), style="dim italic")
        if step.message:
            # The task is always shown in full.
            _print(_indented(step.message if step.source == "user" else _shortened(step.message, limit)))
        for call, result in calls_with_results(step):
            _print("")
            _print(_shortened(f"{step.step_id}. {_call_text(call)}", limit), style="cyan")
            if result is None:
                _print("    no result: the rollout was cancelled during the call", style="red")
            else:
                style = "red" if result.extra.is_error else ""
                _print(_indented(_shortened(result.content, limit)), style=style)
    _print("")
    for line in _outcome(record):
        _print(line, style="bold")


def _call_text(call: "ToolCall") -> str:
    """Returns a call as the agent made it; malformed arguments are shown as they were written."""
    extra = call.extra
    if extra is not None and extra.invalid is not None and extra.raw_arguments is not None:
        return f"{call.function_name}({extra.raw_arguments})  [{extra.invalid.replace('_', ' ')}]"
    arguments = ", ".join(f"{name}={_json(value)}" for name, value in call.arguments.items())
    invalid = f"  [{extra.invalid.replace('_', ' ')}]" if extra is not None and extra.invalid else ""
    return f"{call.function_name}({arguments}){invalid}"


def _outcome(record: "RolloutRecord") -> list[str]:
    reward = f", reward {record.verdict.reward:g}" if record.verdict is not None else ""
    oracle = f" (the oracle needs {record.oracle_calls})" if record.oracle_calls is not None else ""
    lines = [
        f"{record.outcome.replace('_', ' ')}{reward}; {record.calls} calls{oracle}, {record.seconds:.1f} s"
    ]
    if record.malformed_calls:
        lines.append(f"Malformed calls: {record.malformed_calls}")
    if record.limits_met:
        lines.append(f"Limits met: {', '.join(record.limits_met)}")
    if record.stop is not None:
        lines.append(f"The model stopped: {record.stop.replace('_', ' ')}")
    if record.error is not None:
        lines.append(f"Error ({record.error.fault}): {record.error.kind}: {record.error.message}")
    return lines


def _print(text: str, style: str = "") -> None:
    out.print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.split("\n"))


def _shortened(text: str, limit: int | None) -> str:
    if limit is None or len(text) <= limit:
        return text
    return f"{text[:limit]} … ({len(text) - limit} more characters)"
