"""`codegym-mcp eval`: an agent plays episodes."""

from pathlib import Path
from typing import Any

import click

from codegym_mcp.cli.command_output import (
    environments_option,
    err,
    json_option,
    print_json,
    run,
    unconfined_option,
)
from codegym_mcp.cli.evaluate_options import given, job_to_resume, make_job
from codegym_mcp.cli.model_options import model_options
from codegym_mcp.errors import CodegymError
from codegym_mcp.verification.audit.grades import Grade

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


@click.command("eval")
@click.option(
    "--agent",
    help="Who plays, unless a --model does: oracle, random, constant, observe, your own async function as "
    "module:function or file.py:function, or command for a program.",
)
@click.option(
    "--command",
    metavar="COMMAND",
    help="With --agent command: the program and its arguments, in which {mcp_config}, {mcp_url}, {task}, "
    "{task_file} and {here} are filled in.",
)
@model_options
@environments_option
@click.option(
    "--env",
    "globs",
    multiple=True,
    metavar="GLOB",
    help="Only environments whose names match; may be given several times.",
)
@click.option(
    "--grade",
    type=click.Choice([grade.value for grade in Grade]),
    help="Only environments whose current audit gives them this grade or a better one.",
)
@click.option("--tasks", type=click.IntRange(1), help="At most so many tasks of each environment.")
@click.option(
    "--difficulty",
    type=click.IntRange(1, 5),
    help="Generate tasks of this difficulty instead of taking the fixed ones; --tasks says how many.",
)
@click.option(
    "--epochs", type=click.IntRange(1), default=1, show_default=True, help="How often each task is played."
)
@click.option("--concurrency", type=click.IntRange(1), default=8, show_default=True, help="Episodes at once.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=600.0,
    show_default=True,
    help="How long the agent may take for an episode.",
)
@click.option(
    "--calls",
    type=click.IntRange(1, 100_000),
    default=256,
    show_default=True,
    help="Tool calls an episode may make.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="For agents that act at random.")
@click.option(
    "--mcp-url", metavar="URL", help="Play the tools of another MCP server instead: recorded, not scored."
)
@click.option("--mcp-command", metavar="COMMAND", help="The same for a server that this command starts.")
@click.option(
    "--out",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="The run directory; without it a new one under runs/.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIRECTORY",
    help="Go on with the run there: what it lacks is played, and what failed by no fault of the agent is "
    "played again. Needs no other option.",
)
@click.option(
    "--baselines",
    "with_baselines",
    is_flag=True,
    help="Let constant, observe and random play the same tasks, and show them beside the agent.",
)
@unconfined_option
@json_option
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    as_json: bool,
    directory: Path | None,
    resume: Path | None,
    with_baselines: bool,
    **options: Any,
) -> None:
    """Let an agent play episodes, record every trajectory, and score the answers.

    Agents play over MCP, against a server that is started for them; a --model's episodes are held by a
    process beside this one, which makes no difference to it.

    Ctrl-C ends a run early and keeps what is done. --resume goes on with it, also after it was killed.

    \b
    Example:
      codegym-mcp eval --agent oracle --env 'ledger_*'
      codegym-mcp eval --model openai:gpt-6-luna --epochs 4 --max-cost 5
      codegym-mcp eval --agent my_agent.py:play --difficulty 3 --tasks 5 --epochs 2 --out runs/mine
      codegym-mcp eval --agent command --command 'claude -p {task} --mcp-config {mcp_config}'
      codegym-mcp eval --resume runs/mine
    """
    from codegym_harness.runs.run_config import baselines, run_baselines, run_evaluation
    from codegym_mcp.cli.evaluate_progress import EvaluationProgress
    from codegym_mcp.cli.summary_tables import print_summary

    if resume is not None and directory is not None:
        raise click.UsageError("--resume names the run directory; --out is for a new one.")
    job = make_job(options) if resume is None else job_to_resume(resume, given(context, options), options)
    baseline_jobs = baselines(job) if with_baselines else []
    progress = EvaluationProgress(err, resume_options=" --baselines" if baseline_jobs else "")
    try:
        with progress:
            summary = run(lambda: run_evaluation(job, out=directory, resume=resume, watcher=progress))
            beside = run(lambda: run_baselines(baseline_jobs, Path(summary.run), watcher=progress))
    except KeyboardInterrupt:
        click.echo(f"Interrupted. {progress.left_behind()}", err=True)
        raise SystemExit(INTERRUPTED) from None
    except CodegymError:
        if progress.path is not None:
            click.echo(progress.left_behind(), err=True)
        raise
    if as_json:
        played = {each.agent: each.model_dump(mode="json") for each in beside}
        print_json(summary.model_dump(mode="json") | ({"baselines": played} if played else {}))
    else:
        print_summary(summary, beside)
