"""Chooses the episodes of runs that show most about what happened.

The rule: each `EpisodeChoice` ranks the episodes to which it applies. Choices take turns, in their order,
until there are `MOST_EPISODES`. A turn takes the first episode in the ranking of a run that was taken least
often, and of a task that was not taken yet.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, log

from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Outcome
from codegym_harness.report.episode_endings import ending_reason
from codegym_harness.report.report_contents import EpisodeChoice
from codegym_harness.statistics.run_metrics import Task

MOST_EPISODES = 10


@dataclass(frozen=True)
class ChosenEpisode:
    """An episode that was chosen.

    Attributes:
        run: the label of its run.
        reason: why it was chosen, as one sentence.
        solved_by: the run and the key of an episode that solved the same task, or None.
    """

    run: str
    result: EpisodeResult
    choice: EpisodeChoice
    reason: str
    solved_by: tuple[str, str] | None = None


def choose_episodes(
    runs: Mapping[str, Sequence[EpisodeResult]], *, most: int = MOST_EPISODES
) -> list[ChosenEpisode]:
    """Returns the most telling episodes of runs.

    Args:
        runs: the results of each run, by its label.
    """
    played = [(run, result) for run, results in runs.items() for result in results]
    rankings = (
        _not_scored,
        _solved_elsewhere,
        _unstable,
        _nearest_to_success,
        _stopped,
        _most_calls,
        _fewer_calls_than_oracle,
        _invalid_calls,
    )
    ranked = [list(ranking(played)) for ranking in rankings]
    chosen: list[ChosenEpisode] = []
    while len(chosen) < most and any(ranked):
        for place, episodes in enumerate(ranked):
            taken = {_task(each.result) for each in chosen}
            of_run = Counter(each.run for each in chosen)
            ranked[place] = left = [each for each in episodes if _task(each.result) not in taken]
            if left and len(chosen) < most:
                # Of equally often chosen runs, the first in the ranking.
                chosen.append(min(left, key=lambda each: of_run[each.run]))
    order = list(EpisodeChoice)
    return sorted(chosen, key=lambda each: order.index(each.choice))


_Played = Sequence[tuple[str, EpisodeResult]]


def _not_scored(played: _Played) -> Iterator[ChosenEpisode]:
    """Yields one episode for each error, the most frequent error first."""
    unscored = [each for each in played if each[1].outcome in (Outcome.FAILED, Outcome.UNSCORED)]
    counts = Counter((run, result.error) for run, result in unscored)
    for (run, error), count in counts.most_common():
        result = next(each for name, each in unscored if (name, each.error) == (run, error))
        others = f" {count - 1} other episodes of the run have the same cause." if count > 1 else ""
        reason = f"It is not scored: {ending_reason(result)}.{others}"
        yield ChosenEpisode(run, result, EpisodeChoice.NOT_SCORED, reason)


def _solved_elsewhere(played: _Played) -> Iterator[ChosenEpisode]:
    """Yields failures at tasks that another run solved, the nearest to success first."""
    solved = _solving(played)
    for run, result in sorted(_failures(played), key=lambda each: _distance(each[1])):
        by_others = [each for each in solved.get(_task(result), ()) if each[0] != run]
        if not by_others:
            continue
        other, key = by_others[0]
        reason = f"Run {other} solved this task; here: {ending_reason(result)}."
        yield ChosenEpisode(run, result, EpisodeChoice.SOLVED_ELSEWHERE, reason, (other, key))


def _unstable(played: _Played) -> Iterator[ChosenEpisode]:
    """Yields failures at tasks that the same run solved in another attempt, the nearest first."""
    solved = _solving(played)
    for run, result in sorted(_failures(played), key=lambda each: _distance(each[1])):
        key = next((key for other, key in solved.get(_task(result), ()) if other == run), None)
        if key is not None:
            reason = f"The same run solved this task in attempt {key.rpartition('/')[2]}."
            yield ChosenEpisode(run, result, EpisodeChoice.UNSTABLE, reason, (run, key))


def _nearest_to_success(played: _Played) -> Iterator[ChosenEpisode]:
    for run, result in sorted(_failures(played), key=lambda each: _distance(each[1])):
        if not result.calls:
            continue
        beside = f"; the oracle needs {result.oracle_calls}" if result.oracle_calls is not None else ""
        reason = f"Not solved ({ending_reason(result)}) with {result.calls} calls{beside}."
        yield ChosenEpisode(run, result, EpisodeChoice.NEAREST_TO_SUCCESS, reason)


def _stopped(played: _Played) -> Iterator[ChosenEpisode]:
    """Yields one episode for each reason for which episodes were stopped, the most frequent reason first."""
    stopped = [
        each
        for each in played
        if each[1].outcome is Outcome.NO_SUBMISSION and (each[1].limits_met or each[1].stop is not None)
    ]
    counts = Counter((run, ending_reason(result)) for run, result in stopped)
    for (run, reason), count in counts.most_common():
        result = next(each for name, each in stopped if (name, ending_reason(each)) == (run, reason))
        text = f"It ended before an answer was submitted ({reason}), one of {count} such episodes of the run."
        yield ChosenEpisode(run, result, EpisodeChoice.STOPPED, text)


def _most_calls(played: _Played) -> Iterator[ChosenEpisode]:
    for run, result in sorted(played, key=lambda each: -_call_ratio(each[1])):
        if result.outcome is Outcome.FAILED or _call_ratio(result) <= 1:
            continue
        reason = (
            f"{result.calls} calls where the oracle needs {result.oracle_calls}: {_call_ratio(result):.1f} "
            "times as many."
        )
        yield ChosenEpisode(run, result, EpisodeChoice.MOST_CALLS, reason)


def _fewer_calls_than_oracle(played: _Played) -> Iterator[ChosenEpisode]:
    solved = [each for each in played if each[1].outcome is Outcome.CORRECT and each[1].oracle_calls]
    for run, result in sorted(solved, key=lambda each: _call_ratio(each[1])):
        if _call_ratio(result) < 1:
            reason = f"Solved with {result.calls} calls; the oracle needs {result.oracle_calls}."
            yield ChosenEpisode(run, result, EpisodeChoice.FEWER_CALLS_THAN_ORACLE, reason)


def _invalid_calls(played: _Played) -> Iterator[ChosenEpisode]:
    for run, result in sorted(played, key=lambda each: -each[1].invalid_calls):
        if result.invalid_calls:
            reason = f"{result.invalid_calls} of its calls were invalid."
            yield ChosenEpisode(run, result, EpisodeChoice.INVALID_CALLS, reason)


def _failures(played: _Played) -> list[tuple[str, EpisodeResult]]:
    return [each for each in played if each[1].outcome in (Outcome.INCORRECT, Outcome.NO_SUBMISSION)]


def _solving(played: _Played) -> dict[Task, list[tuple[str, str]]]:
    """Returns the run and the key of each episode that solved a task, by task."""
    solved: dict[Task, list[tuple[str, str]]] = defaultdict(list)
    for run, result in played:
        if result.outcome is Outcome.CORRECT:
            solved[_task(result)].append((run, result.key))
    return solved


def _distance(result: EpisodeResult) -> tuple[float, bool, float, int]:
    """Returns how far a failure is from success: the smaller, the nearer.

    First by the reward, then an answer is nearer than none, then by how much the number of calls differs from
    the oracle's, then by invalid calls.
    """
    ratio = _call_ratio(result)
    return (
        -(result.reward or 0.0),
        result.outcome is not Outcome.INCORRECT,
        abs(log(ratio)) if ratio > 0 else inf,
        result.invalid_calls,
    )


def _call_ratio(result: EpisodeResult) -> float:
    """Returns calls divided by the oracle's calls, or 0 if these are unknown."""
    return result.calls / result.oracle_calls if result.oracle_calls else 0.0


def _task(result: EpisodeResult) -> Task:
    return result.environment, result.task
