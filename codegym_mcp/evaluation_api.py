"""The functions of `codegym_mcp` that need the harness or the server. Import them from there.

Each has a thread of its own while it works, so that it may be called inside a running event loop, for example
in a notebook. It holds up that loop meanwhile.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from codegym_harness.clients.control_client import RunningServer
from codegym_harness.export.export import export as export_directories
from codegym_harness.export.export_metadata import MetadataChoice
from codegym_harness.export.export_summary import ExportSummary
from codegym_harness.export.trajectory_filters import Filters
from codegym_harness.report.build_report import build_report
from codegym_harness.report.report_contents import Report
from codegym_harness.rollouts.rollout import DEFAULT_SECONDS
from codegym_harness.runs.comparison import Comparison
from codegym_harness.runs.comparison import compare as compare_directories
from codegym_harness.runs.concurrent_rollouts import DEFAULT_CONCURRENCY
from codegym_harness.runs.evaluate import AgentLike
from codegym_harness.runs.recorded_run import Run, RunLike, open_run, run_path
from codegym_harness.runs.run_observer import Observer
from codegym_mcp import aio
from codegym_mcp.catalog.catalog import Catalog, Source
from codegym_mcp.episode_limits import Limits
from codegym_mcp.runtime.blocking_runtime import Runtime
from codegym_mcp.runtime.episode_opening import EnvironmentRef, find_environment
from codegym_mcp.runtime.run_blocking import iterate_blocking, run_blocking
from codegym_mcp.runtime.shared_runtime import shared_runtime
from codegym_mcp.server.background_server import Server
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.grading_rules import Grade
from codegym_mcp.verification.batch.audit_many import Unaudited
from codegym_mcp.verification.gate_results import Verification

__all__ = [
    "audit",
    "audit_many",
    "compare",
    "evaluate",
    "export",
    "open_run",
    "report",
    "serve",
    "verify",
    "verify_many",
]


def serve(
    environments: Source | Sequence[Source] | Runtime = "bundled",
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    gateway: bool = True,
    reveal: bool = False,
    public_url: str | None = None,
    protocols: Collection[str] = (),
) -> Server:
    """Serves environments over HTTP beside the caller. The server answers when this function returns.

    Args:
        environments: what to serve, or a runtime, which stays open when the server is closed.
        host: the address to bind to; others reach the server if it is not a loopback address.
        port: the port; 0 picks a free one.
        token: the control plane's bearer token; a random one without it.
        gateway: offer `/mcp`, where agents open episodes themselves.
        reveal: tell agents the verdict when they submit. Never for training or evaluation.
        public_url: the address under which clients know the server, for example behind a proxy.
        protocols: protocols of trainers to speak too, with the token: "nemo-gym", "ors".

    Raises:
        CodegymError: the address cannot be bound.
        SourceError, SandboxError: the environments cannot be served.
        ValueError: there is no protocol of a name.
    """
    return Server(
        environments,
        host=host,
        port=port,
        token=token,
        gateway=gateway,
        reveal=reveal,
        public_url=public_url,
        protocols=protocols,
    )


def verify(
    environment: EnvironmentRef,
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    allow_unconfined: bool = False,
) -> Verification:
    """Checks whether an environment is fit to be served: it is taken through all gates.

    Args:
        limits: the limits under which it will be served.
        jobs: how many episodes are played at once; the number of processors without it.
        allow_unconfined: continue on a system that cannot confine environments.

    Returns:
        The verification; `problems` names gate, task, call and difference of each fault.

    Raises:
        NotFoundError, SourceError: the environment does not exist or cannot be read.
        SandboxError: the sandbox does not work on this system.
    """
    # A name is checked before a thread is started.
    found = find_environment(shared_runtime().catalog, environment)
    return run_blocking(
        "verify", lambda: aio.verify(found, limits=limits, jobs=jobs, allow_unconfined=allow_unconfined)
    )


def verify_many(
    sources: Source | Sequence[Source] = "bundled",
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    cached: bool = True,
    allow_unconfined: bool = False,
) -> Iterator[Verification]:
    """Verifies environments and yields each result as soon as it is there.

    Args:
        cached: results of unchanged environments are taken from the user's cache.
        limits, jobs, allow_unconfined: see `verify`.

    Raises:
        SourceError, SandboxError: see `verify`.
    """
    catalog = Catalog.of(sources)
    return iterate_blocking(
        "verify",
        lambda: aio.verify_many(
            catalog, limits=limits, jobs=jobs, cached=cached, allow_unconfined=allow_unconfined
        ),
    )


def audit(
    environment: EnvironmentRef,
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    allow_unconfined: bool = False,
) -> Audit:
    """Measures what an environment is worth: what baselines earn, what one call reveals, a grade.

    Args:
        limits, jobs, allow_unconfined: see `verify`.

    Raises:
        TaskError: its reference answers no task.
        NotFoundError, SourceError, SandboxError: see `verify`.
    """
    found = find_environment(shared_runtime().catalog, environment)
    return run_blocking(
        "audit", lambda: aio.audit(found, limits=limits, jobs=jobs, allow_unconfined=allow_unconfined)
    )


def audit_many(
    sources: Source | Sequence[Source] = "bundled",
    *,
    limits: Limits | None = None,
    jobs: int | None = None,
    cached: bool = True,
    allow_unconfined: bool = False,
) -> Iterator[Audit | Unaudited]:
    """Audits environments and yields each result as soon as it is there.

    Args:
        cached: an audit that lies beside an unchanged environment is read instead of measured again; a new
            one is written there.
        limits, jobs, allow_unconfined: see `verify`.

    Returns:
        Audits; an environment that cannot be audited gives an `Unaudited`, whose `ok` is False.

    Raises:
        SourceError, SandboxError: see `verify`.
    """
    catalog = Catalog.of(sources)
    return iterate_blocking(
        "audit",
        lambda: aio.audit_many(
            catalog, limits=limits, jobs=jobs, cached=cached, allow_unconfined=allow_unconfined
        ),
    )


def evaluate(
    agent: AgentLike,
    environments: str | Source | Sequence[str | Source] = "*",
    *,
    tasks: int | Sequence[str] | None = None,
    difficulty: int | Sequence[int] | None = None,
    seed: int | range = 0,
    epochs: int = 1,
    grade: Grade | str | None = None,
    limits: Limits | None = None,
    concurrency: int = DEFAULT_CONCURRENCY,
    seconds: float = DEFAULT_SECONDS,
    out: str | os.PathLike[str] | None = None,
    server: RunningServer | None = None,
    observer: Observer | None = None,
    allow_unconfined: bool = False,
) -> Run:
    """Lets an agent play episodes, records every trajectory, and scores the answers.

    KeyboardInterrupt leaves a run that can be resumed: `codegym_mcp.open_run(path).resume(agent)`.

    Args:
        agent: the name of a built-in agent ("oracle", "random", "constant", "observe"), a function (what it
            returns is submitted; None gives up), "file.py:function", a `ModelAgent`, a `CommandAgent`, or an
            object that implements `codegym_harness.Agent`.
        environments: globs over the names of environments, and sources: paths of files, folders and sets,
            "bundled", environments, and catalogs. Without a source, the globs select bundled environments.
        tasks: the maximum number of tasks per environment (and difficulty), or the ids of single tasks.
        difficulty: one or several difficulties, 1 to 5, for which tasks are generated. Without it, the fixed
            tasks are played.
        seed: the first seed of generated tasks, or the range of their seeds; it also seeds the agent.
        epochs: how often each task is played.
        grade: the worst grade that an environment's audit may give it.
        limits: the limits of every episode.
        concurrency: the maximum number of open episodes.
        seconds: the agent's time for one episode in seconds.
        out: the run directory, which must not exist or be empty; a new one under `runs/` without it.
        server: a server that runs already and holds the episodes, such as the `Server` of `serve`; its
            environments are played.
        observer: receives the events of the run.
        allow_unconfined: run environments also on a system that cannot confine them.

    Raises:
        NotFoundError, TaskError, SourceError: an agent, an environment or a task does not exist.
        RunError: the run directory cannot be used.
        RunHaltedError: no further episode could succeed; what was played is recorded, and the run can be
            resumed.
        CodegymError: the run cannot start.
    """
    return run_blocking(
        "evaluate",
        lambda: aio.evaluate(
            agent,
            environments,
            tasks=tasks,
            difficulty=difficulty,
            seed=seed,
            epochs=epochs,
            grade=grade,
            limits=limits,
            concurrency=concurrency,
            seconds=seconds,
            out=out,
            server=server,
            observer=observer,
            allow_unconfined=allow_unconfined,
        ),
    )


def compare(first: RunLike, second: RunLike) -> Comparison:
    """Compares two runs on the tasks that both have scored.

    Returns:
        Paired differences, first minus second, with intervals that respect tasks and environments.

    Raises:
        RunError: a directory holds no run.
        CodegymError: the runs have no scored task in common.
    """
    return compare_directories(run_path(first), run_path(second))


def export(
    runs: RunLike | Sequence[RunLike],
    format: str,
    out: str | os.PathLike[str],
    *,
    reward: float | None = None,
    environments: Sequence[str] = (),
    tags: Sequence[str] = (),
    difficulties: Sequence[int] = (),
    max_calls_over_oracle: float | None = None,
    no_invalid_calls: bool = False,
    dedupe: bool = False,
    best_of: int | None = None,
    validation_share: float | None = None,
    split_by: str = "environment",
    metadata: MetadataChoice | str = MetadataChoice.AUTO,
) -> ExportSummary:
    """Writes trajectories of runs as a training set, or for the viewer of another project.

    Args:
        runs: one or several runs, or their directories.
        format: for training, "trl", "openai", "sharegpt", "atif" or "atif-1.7"; for viewers, "inspect",
            "harbor", "sts" (session traces of the Hugging Face Hub) or "otel" (OpenTelemetry).
        out: the file, `.jsonl` or `.parquet`, which is replaced if it exists; a directory for "inspect", a
            new directory for "harbor" and "sts", a `.jsonl` file or the address of an OTLP endpoint for
            "otel".
        reward: the least reward of a trajectory that is kept.
        environments: globs over the names of environments, of which one must match.
        tags: tags of environments, of which one must be there.
        difficulties: the difficulties that are kept.
        max_calls_over_oracle: the most calls, as a multiple of the calls of the environment's own solution.
        no_invalid_calls: drop trajectories with a call of an unknown tool or with invalid arguments.
        dedupe: keep the first of trajectories that say and do the same.
        best_of: how many trajectories of each task are kept, those of the highest reward and fewest calls.
        validation_share: writes the trajectories of about this share of the environments, or tasks, into a
            file of their own.
        split_by: what the two files do not share, "environment" or "task".
        metadata: whether rows have columns for key, environment, difficulty, seed, reward and outcome: "auto"
            where the format's readers allow further columns, "columns", or "none".

    Returns:
        What was kept, dropped by each filter, and changed to fit the format.

    Raises:
        NotFoundError: the format does not exist.
        RunError: a run cannot be read.
        CodegymError: nothing is left to write, or the file cannot be written.
        MissingExtraError: Parquet is asked for, and pyarrow is not installed; or likewise a viewer's library.
    """
    chosen = [runs] if isinstance(runs, Run | str | os.PathLike) else runs
    filters = Filters(
        environments=tuple(environments),
        tags=tuple(tags),
        difficulties=tuple(difficulties),
        reward=reward,
        max_calls_over_oracle=max_calls_over_oracle,
        no_invalid_calls=no_invalid_calls,
        dedupe=dedupe,
        best_of=best_of,
    )
    return export_directories(
        [run_path(run) for run in chosen],
        format,
        os.fspath(out),
        filters,
        validation_share=validation_share,
        split_by=split_by,
        metadata_choice=metadata,
    )


def report(runs: RunLike | Sequence[RunLike], out: str | os.PathLike[str] | None = None) -> Report:
    """Collects what happened in runs, and writes it as one HTML file.

    Runs that are in progress, were killed or are damaged are reported as far as they can be read; `problems`
    of each run says what is wrong.

    Args:
        runs: one or several runs, or their directories. Several are compared in pairs.
        out: the file, which ends with .html and is replaced if it exists; without it, nothing is written.

    Returns:
        The contents of the report as data.

    Raises:
        RunError: a directory holds no run.
        CodegymError: the file cannot be written.

    Example:
        report = codegym_mcp.report(["runs/before", "runs/after"], "report.html")
        print(report.comparisons[0].difference.mean)
    """
    from codegym_harness.report.html_page import check_page, write_page

    path = Path(out) if out is not None else None
    if path is not None:
        check_page(path)
    chosen = [runs] if isinstance(runs, Run | str | os.PathLike) else runs
    contents = build_report([run_path(run) for run in chosen])
    if path is not None:
        write_page(contents, path)
    return contents
