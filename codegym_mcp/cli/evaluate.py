"""`codegym-mcp eval`: lets an agent play episodes."""

import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

import click

from codegym_mcp.cli.command_output import (
    echo,
    environments_option,
    err,
    json_option,
    print_json,
    run,
    unconfined_option,
)
from codegym_mcp.cli.enclosure_flags import enclosure_options
from codegym_mcp.cli.evaluate_options import (
    DifficultiesParameter,
    SeedsParameter,
    config_to_resume,
    given,
    make_config,
)
from codegym_mcp.cli.model_flags import model_options
from codegym_mcp.cli.ray_option import ray_option
from codegym_mcp.errors import CodegymError
from codegym_mcp.verification.audit.grading_rules import Grade

INTERRUPTED = 130
"""The exit code after Ctrl-C, as in shells."""
EPISODES_FAILED = 1
"""The exit code if episodes failed without the agent's fault: they are not scored."""


@click.command("eval")
@click.option(
    "--agent",
    help="The agent, unless it is a --model: oracle, random, constant, observe, a function of your own as "
    "module:function or file.py:function, or command for a program.",
)
@click.option(
    "--command",
    metavar="COMMAND",
    help="With --agent command: the program and its arguments, in which {mcp_config}, {mcp_url}, {task}, "
    "{task_file} and {here} are replaced.",
)
@enclosure_options
@model_options
@environments_option
@click.option(
    "--env",
    "globs",
    multiple=True,
    metavar="GLOB",
    help="Only environments whose names match. Repeatable.",
)
@click.option(
    "--grade",
    type=click.Choice([grade.value for grade in Grade]),
    help="Only environments whose current audit gives this grade or a better one.",
)
@click.option(
    "--tasks",
    type=click.IntRange(1),
    help="The maximum number of tasks per environment, and of generated tasks per difficulty.",
)
@click.option(
    "--task",
    "task_ids",
    multiple=True,
    metavar="ID",
    help="Only this task: a task's id, also of a generated task (d2-s7), or environment/id. Repeatable.",
)
@click.option(
    "--difficulty",
    "difficulties",
    type=DifficultiesParameter(),
    multiple=True,
    metavar="N[,N...]",
    help="Generate tasks of these difficulties (1 to 5) instead of playing the fixed tasks. Repeatable.",
)
@click.option(
    "--epochs", type=click.IntRange(1), default=1, show_default=True, help="How often each task is played."
)
@click.option("--concurrency", type=click.IntRange(1), default=8, show_default=True, help="Open episodes.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=600.0,
    show_default=True,
    help="The agent's time for one episode in seconds.",
)
@click.option(
    "--calls",
    type=click.IntRange(1, 100_000),
    default=256,
    show_default=True,
    help="Tool calls that an episode allows.",
)
@click.option(
    "--seed",
    "seeds",
    type=SeedsParameter(),
    default="0",
    show_default=True,
    metavar="N[-M]",
    help="The first seed of generated tasks, or the range of their seeds: 100 or 100-149. It also seeds "
    "agents that act at random.",
)
@click.option(
    "--over-mcp",
    is_flag=True,
    help="Play over MCP, as programs do, on a server that is started for the run.",
)
@click.option(
    "--mcp-url", metavar="URL", help="Play the tools of another MCP server instead: recorded, not scored."
)
@click.option(
    "--mcp-command",
    metavar="COMMAND",
    help="The same for a server that this command starts.",
)
@click.option(
    "--out",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="The run directory, which must not exist or be empty; without it, a new one under runs/.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIRECTORY",
    help="Resume the run in this directory: episodes that are missing are played, and so are those that "
    "failed without the agent's fault. Needs no other option.",
)
@ray_option
@click.option(
    "--baselines",
    "with_baselines",
    is_flag=True,
    help="Also let constant, observe and random play the same tasks, and show them beside the agent.",
)
@unconfined_option
@json_option
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    *,
    as_json: bool,
    directory: Path | None,
    resume: Path | None,
    with_baselines: bool,
    ray_address: str | None,
    **options: Any,
) -> None:
    """Let an agent play episodes, record every trajectory, and score the answers.

    Episodes are in worker processes of this one. The built-in agents play there, on all processors; models
    and functions play without a protocol, and programs over MCP. What an agent receives is the same.

    Ctrl-C interrupts a run and keeps what is recorded; --resume continues it, also after it was killed.
    The exit code is 1 if episodes failed without the agent's fault, for example since a model's provider
    failed; --resume plays them again.

    \b
    Example:
      codegym-mcp eval --agent oracle --env 'ledger_*'
      codegym-mcp eval --agent oracle --difficulty 1 --seed 0-499 --concurrency 16 --out runs/oracle
      codegym-mcp eval --model openai:gpt-6-luna --epochs 4 --max-cost 5
      codegym-mcp eval --agent my_agent.py:play --difficulty 2,3 --seed 100-149 --out runs/mine
      codegym-mcp eval --agent command --command 'claude -p {task} --mcp-config {mcp_config}'
      codegym-mcp eval --resume runs/mine
      codegym-mcp eval --agent oracle --difficulty 1 --seed 0-4999 --concurrency 64 --ray
    """
    from codegym_harness.records.trajectory import Outcome
    from codegym_harness.runs.run_execution import run_baselines, run_evaluation
    from codegym_mcp.cli.evaluate_progress import EvaluationProgress
    from codegym_mcp.cli.summary_tables import failed_episodes, print_summary
    from codegym_mcp.opentelemetry_tracer import export_traces

    if resume is not None and directory is not None:
        raise click.UsageError("--resume names the run directory; --out is for a new one.")
    if resume is None:
        config = make_config(options)
    else:
        config = config_to_resume(resume, given(context, options), options)
    export_traces("codegym-mcp eval")
    baselines = config.baselines() if with_baselines else []
    progress = EvaluationProgress(err, resume_options=" --baselines" if baselines else "")
    try:
        # What a function prints must not stand in front of the JSON.
        with progress, redirect_stdout(sys.stderr) if as_json else nullcontext():
            summary = run(
                lambda: run_evaluation(
                    config, out=directory, resume=resume, ray_address=ray_address, observer=progress
                )
            )
            baseline_summaries = run(
                lambda: run_baselines(
                    baselines, Path(summary.run), ray_address=ray_address, observer=progress
                )
            )
    except KeyboardInterrupt:
        echo(f"Interrupted. {progress.resume_hint()}", err=True)
        raise SystemExit(INTERRUPTED) from None
    except CodegymError:
        if progress.path is not None:
            echo(progress.resume_hint(), err=True)
        raise
    if as_json:
        summaries = {each.agent: each.model_dump(mode="json") for each in baseline_summaries}
        print_json(summary.model_dump(mode="json") | ({"baselines": summaries} if summaries else {}))
    else:
        print_summary(summary, baseline_summaries)
    if summary.verdicts.get(Outcome.FAILED):
        echo(f"{failed_episodes(summary)} {progress.resume_hint()}", err=True)
        raise SystemExit(EPISODES_FAILED)
