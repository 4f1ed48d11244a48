"""Reads runs and collects what a report shows about them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from statistics import median

from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Outcome, Trajectory, timestamp
from codegym_harness.report.audited_environments import audited_environments
from codegym_harness.report.episode_endings import count_endings
from codegym_harness.report.episode_excerpts import excerpt, last_answer
from codegym_harness.report.notable_episodes import ChosenEpisode, choose_episodes
from codegym_harness.report.reference_agents import reference_agent
from codegym_harness.report.report_contents import (
    CallCounts,
    DifferingTask,
    Report,
    ReportedRun,
    TellingEpisode,
)
from codegym_harness.runs.comparison import Comparison, ScoredRun, compare_scored
from codegym_harness.runs.damaged_runs import ReadableRun, open_readable_run
from codegym_harness.runs.run_directory_reader import is_in_progress
from codegym_harness.runs.run_index import RunState, read_baselines, recorded_agent, run_state
from codegym_harness.statistics.run_metrics import Summary, summarize
from codegym_mcp.errors import CodegymError, RunError
from codegym_mcp.version import VERSION

Progress = Callable[[str], object]
_SETTINGS = {
    "seed": "seed",
    "concurrency": "episodes at a time",
    "seconds": "time limit of an episode, seconds",
}
"""What a report calls a setting, by its name in the configuration."""
_SELECTED = {"epochs": "attempts at each task"}
_MODEL_SETTINGS = ("name", "temperature", "max_tokens", "tool_format")


@dataclass
class _RunReading:
    """A run that was read, and what was found wrong."""

    label: str
    source: ReadableRun
    in_progress: bool
    results: dict[str, EpisodeResult] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def agent(self) -> str:
        return recorded_agent(self.source.configuration) if self.source.configuration else "unknown agent"


def build_report(runs: Sequence[Path], progress: Progress = lambda _: None) -> Report:
    """Reads runs, as far as they can be read, and returns what a report shows about them.

    Memory grows by the result of each episode, not by its steps.

    Args:
        runs: run directories.
        progress: receives what is being read.

    Raises:
        RunError: a directory holds no run.
    """
    distinct = list({run.resolve(): run for run in runs}.values())
    readings = [_read(_label(number), run, progress) for number, run in enumerate(distinct)]
    chosen = choose_episodes({each.label: list(each.results.values()) for each in readings})
    progress("reading the chosen episodes")
    episodes = _telling_episodes(chosen, {each.label: each.source for each in readings})
    played = {(result.environment, result.task) for each in readings for result in each.results.values()}
    progress("reading audits")
    environments, problems = audited_environments(
        [each.source for each in readings], Counter(environment for environment, _ in played)
    )
    scored = [
        ScoredRun.of(each.label, each.results.values(), each.source.start.environments) for each in readings
    ]
    comparisons, not_compared = _compare_all(scored)
    reported = [_reported(each) for each in readings]
    for run in reported:
        run.problems += [problem for problem in problems if run.path in problem]
    return Report(
        version=VERSION,
        created=timestamp(),
        runs=reported,
        comparisons=comparisons,
        not_compared=not_compared,
        differing_tasks=_differing_tasks(scored),
        compared_tasks=sum(
            count > 1 for count in Counter(task for run in scored for task in run.rewards).values()
        ),
        environments=environments,
        episodes=episodes,
    )


def _label(number: int) -> str:
    """Returns A, B, …, Z, AA, AB, … for 0, 1, …"""
    before, letter = divmod(number, 26)
    return (_label(before - 1) if before else "") + chr(ord("A") + letter)


def _read(label: str, path: Path, progress: Progress) -> _RunReading:
    progress(f"reading {path}")
    source = open_readable_run(path)
    reading = _RunReading(label, source, in_progress=is_in_progress(path))
    for trajectory in source.trajectories():
        result = EpisodeResult.of(trajectory)
        reading.results[result.key] = result
    reading.problems = [*source.problems, *source.reading_problems()]
    return reading


def _reported(reading: _RunReading) -> ReportedRun:
    source, results = reading.source, list(reading.results.values())
    missing = max(0, source.start.episodes - len(results))
    summary = summarize(str(source.path), reading.agent, results, missing=missing)
    problems = list(reading.problems)
    state = run_state(summary, in_progress=reading.in_progress)
    if state is RunState.IN_PROGRESS:
        problems.append(f"The run is in progress: {missing} of {source.start.episodes} episodes are missing.")
    elif missing:
        problems.append(
            f"The run was interrupted: {missing} of {source.start.episodes} episodes are missing. Continue "
            f"with: codegym-mcp eval --resume {source.path}"
        )
    if not results:
        problems.append("No episode is recorded.")
    failed = summary.verdicts.get(Outcome.FAILED, 0)
    if failed:
        problems.append(f"{failed} of {len(results)} episodes failed without the agent's fault: not scored.")
    baselines: list[Summary] = []
    try:
        baselines = read_baselines(source.path)
    except RunError as error:
        problems.append(f"A baseline cannot be read: {error.message}")
    return ReportedRun(
        label=reading.label,
        path=str(source.path),
        agent=reading.agent,
        reference_agent=reference_agent(source.configuration or {}),
        state=state,
        started=source.start.at,
        version=source.version,
        settings=_settings(source),
        summary=summary,
        baselines=baselines,
        endings=count_endings(results),
        call_counts=_call_counts(results),
        seconds_median=median(result.seconds for result in results) if results else None,
        problems=problems,
    )


def _settings(source: ReadableRun) -> dict[str, str]:
    configuration = source.configuration
    settings = {
        called: _plain(configuration[name])
        for name, called in _SETTINGS.items()
        if configuration.get(name) is not None
    }
    model = configuration.get("model")
    if isinstance(model, dict):
        settings |= {
            f"model {name}": str(model[name]) for name in _MODEL_SETTINGS if model.get(name) is not None
        }
    selection = configuration.get("selection")
    if isinstance(selection, dict):
        settings |= {
            _SELECTED.get(str(name), str(name)): ", ".join(map(str, value))
            if isinstance(value, list)
            else str(value)
            for name, value in selection.items()
            if value not in (None, [], {}) and not isinstance(value, dict)
        }
    limits = configuration.get("limits")
    if isinstance(limits, dict) and limits.get("calls") is not None:
        settings["call limit of an episode"] = str(limits["calls"])
    return settings


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _call_counts(results: Iterable[EpisodeResult]) -> list[CallCounts]:
    counts = Counter(
        (result.oracle_calls, result.calls, result.outcome)
        for result in results
        if result.oracle_calls is not None and result.outcome is not Outcome.FAILED
    )
    return [
        CallCounts(oracle_calls=oracle_calls, calls=calls, outcome=outcome, episodes=episodes)
        for (oracle_calls, calls, outcome), episodes in sorted(counts.items())
    ]


def _differing_tasks(runs: Sequence[ScoredRun]) -> list[DifferingTask]:
    tasks = sorted({task for run in runs for task in run.rewards})
    found = []
    for environment, task in tasks:
        rewards = {
            run.name: run.rewards[environment, task] for run in runs if (environment, task) in run.rewards
        }
        if len(set(rewards.values())) > 1:
            found.append(DifferingTask(environment=environment, task=task, rewards=rewards))
    return found


def _compare_all(scored: Sequence[ScoredRun]) -> tuple[list[Comparison], list[str]]:
    comparisons, not_compared = [], []
    for first, second in combinations(scored, 2):
        try:
            comparisons.append(compare_scored(first, second))
        except CodegymError:
            not_compared.append(f"{first.name} and {second.name}")
    return comparisons, not_compared


def _telling_episodes(
    chosen: Sequence[ChosenEpisode], sources: dict[str, ReadableRun]
) -> list[TellingEpisode]:
    wanted = {(each.run, each.result.key) for each in chosen}
    wanted |= {each.solved_by for each in chosen if each.solved_by is not None}
    found = _find(wanted, sources)
    return [
        _telling_episode(each, str(sources[each.run].path), found)
        for each in chosen
        if (each.run, each.result.key) in found
    ]


def _find(wanted: set[tuple[str, str]], sources: dict[str, ReadableRun]) -> dict[tuple[str, str], Trajectory]:
    """Reads runs once more and returns the trajectories with these labels and keys."""
    found: dict[tuple[str, str], Trajectory] = {}
    for label in sorted({run for run, _ in wanted}):
        keys = {key for run, key in wanted if run == label}
        for trajectory in sources[label].trajectories():
            if trajectory.extra.key in keys:
                found[label, trajectory.extra.key] = trajectory
    return found


def _telling_episode(
    chosen: ChosenEpisode, path: str, found: dict[tuple[str, str], Trajectory]
) -> TellingEpisode:
    result = chosen.result
    trajectory = found[chosen.run, result.key]
    solving = found.get(chosen.solved_by) if chosen.solved_by is not None else None
    return TellingEpisode(
        run=chosen.run,
        path=path,
        key=result.key,
        choice=chosen.choice,
        reason=chosen.reason,
        outcome=result.outcome,
        calls=result.calls,
        oracle_calls=result.oracle_calls,
        invalid_calls=result.invalid_calls,
        refused_calls=result.refused_calls,
        difficulty=result.difficulty,
        overlap=result.overlap,
        seconds=result.seconds,
        steps=len(trajectory.steps),
        answer=last_answer(trajectory),
        solved_by=chosen.solved_by[0] if chosen.solved_by is not None and solving is not None else "",
        solving_answer=last_answer(solving) if solving is not None else None,
        excerpt=excerpt(trajectory),
    )
