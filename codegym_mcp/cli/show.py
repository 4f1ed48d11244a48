"""`codegym-mcp show`: an environment, a run, or one episode of a run."""

import json
import re
from pathlib import Path
from typing import Any

import click

from codegym_mcp.cli.command_output import environments_option, json_option, out, print_json
from codegym_mcp.cli.list_environments import print_environment

_SHOWN = 600
"""Characters of a result or message that are shown."""


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
        print_environment(what, paths, as_json=as_json)
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


def _numbers_in_order(key: str) -> list[tuple[int, str]]:
    """Sorts d2-s10 after d2-s9."""
    parts = re.split(r"(\d+)", key)
    return [(int(part) if part.isdecimal() else 0, part) for part in parts]


def _show_run(run: Path, *, as_json: bool) -> None:
    from codegym_harness.runs.run_directory import read_results
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
    out.print(f"[bold]{summary.agent}[/bold]\n", highlight=False)
    print_summary(summary, baselines)
    out.print()
    for result in results:
        limits = f", {', '.join(result.limits_met)}" if result.limits_met else ""
        told = f"{result.outcome.replace('_', ' ')}, {result.calls} calls{limits}"
        out.print(f"{result.key}  {told}", highlight=False, markup=False, soft_wrap=True)


def _print_trajectory(trajectory: Any, shown: int | None) -> None:
    from codegym_harness.records.episode_result import calls_with_results

    record = trajectory.extra
    _say(f"{record.key}  {trajectory.agent.model_name or trajectory.agent.name}", style="bold")
    for step in trajectory.steps:
        if step.message or step.reasoning_content:
            _say("")
            _say(f"{step.source}:", style="bold")
        if step.reasoning_content:
            _say(_indented(_shortened(step.reasoning_content, shown)), style="dim italic")
        if step.message:
            # The task is always told as a whole.
            _say(_indented(step.message if step.source == "user" else _shortened(step.message, shown)))
        for call, result in calls_with_results(step):
            arguments = ", ".join(f"{name}={_json(value)}" for name, value in call.arguments.items())
            _say("")
            _say(_shortened(f"{step.step_id}. {call.function_name}({arguments})", shown), style="cyan")
            if result is None:
                _say("    no result: the rollout was cut off here", style="red")
            else:
                style = "red" if result.extra.is_error else ""
                _say(_indented(_shortened(result.content, shown)), style=style)
    _say("")
    for line in _outcome(record):
        _say(line, style="bold")


def _outcome(record: Any) -> list[str]:
    reward = f", reward {record.verdict.reward:g}" if record.verdict is not None else ""
    oracle = f" (the oracle needs {record.oracle_calls})" if record.oracle_calls is not None else ""
    lines = [
        f"{record.outcome.replace('_', ' ')}{reward}; {record.calls} calls{oracle}, {record.seconds:.1f} s"
    ]
    if record.limits_met:
        lines.append(f"Limits met: {', '.join(record.limits_met)}")
    if record.stop is not None:
        lines.append(f"The model stopped: {record.stop.replace('_', ' ')}")
    if record.error is not None:
        lines.append(f"Error ({record.error.fault}): {record.error.kind}: {record.error.message}")
    return lines


def _say(text: str, style: str = "") -> None:
    out.print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def _shortened(text: str, shown: int | None) -> str:
    if shown is None or len(text) <= shown:
        return text
    return f"{text[:shown]} … ({len(text) - shown} more characters)"
