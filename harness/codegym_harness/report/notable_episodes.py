"""Chooses the episodes of runs that show most about what happened.

The rule: each `EpisodeChoice` ranks the episodes to which it applies. Choices take turns, in their order,
until there are `MOST_EPISODES`. A turn takes the first episode in the ranking of a run that was taken least
often, of these one of an environment that was taken least often, and never a task that was taken.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, log
from statistics import median

from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Outcome
from codegym_harness.report.episode_endings import ending_reason
from codegym_harness.report.report_contents import EpisodeChoice
from codegym_harness.statistics.run_metrics import Task

MOST_EPISODES = 10
_ONCE_A_RUN = EpisodeChoice.TYPICAL_SUCCESS
"""One success of a run is enough."""


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
        _closest_calls,
        _stopped,
        _most_calls,
        _fewer_calls_than_oracle,
        _invalid_calls,
        _refused_calls,
        _typical_success,
    )
    ranked = [list(ranking(played)) for ranking in rankings]
    chosen: list[ChosenEpisode] = []
    while len(chosen) < most and any(ranked):
        for place, episodes in enumerate(ranked):
            taken = {_task(each.result) for each in chosen}
            of_run = Counter(each.run for each in chosen)
            of_environment = Counter(each.result.environment for each in chosen)
            once = {each.run for each in chosen if each.choice is _ONCE_A_RUN}
            ranked[place] = left = [
                each
                for each in episodes
                if _task(each.result) not in taken and not (each.choice is _ONCE_A_RUN and each.run in once)
            ]
            if left and len(chosen) < most:
                # Of equally often taken ones, `min` returns the first in the ranking.
                least = min(
                    left, key=lambda each: (of_run[each.run], of_environment[each.result.environment])
                )
                chosen.append(least)
    solved = _solving(played)
    order = list(EpisodeChoice)
    return sorted(
        (_with_solution(each, solved) for each in chosen), key=lambda each: order.index(each.choice)
    )


def _with_solution(chosen: ChosenEpisode, solved: "_Solved") -> ChosenEpisode:
    """Returns the episode with one that solved its task, if it did not and another did."""
    if chosen.solved_by is not None or chosen.result.outcome is Outcome.CORRECT:
        return chosen
    return replace(chosen, solved_by=next(iter(solved.get(_task(chosen.result), ())), None))


_Played = Sequence[tuple[str, EpisodeResult]]
_Solved = Mapping[Task, Sequence[tuple[str, str]]]
"""The run and the key of each episode that solved a task, by task."""


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
        reason = f"Run {other} solved this task."
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
        if result.reward:
            reason = f"Its reward is {result.reward:.2f}."
        elif result.overlap:
            reason = f"Its answer agrees with the right one to {result.overlap:.0%}."
        else:
            continue
        yield ChosenEpisode(run, result, EpisodeChoice.NEAREST_TO_SUCCESS, reason)


def _closest_calls(played: _Played) -> Iterator[ChosenEpisode]:
    for run, result in sorted(_failures(played), key=lambda each: _distance(each[1])):
        if _call_ratio(result):
            reason = f"It made {_calls(result.calls)}; the oracle makes {result.oracle_calls}."
            yield ChosenEpisode(run, result, EpisodeChoice.CLOSEST_CALLS, reason)


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
            f"It made {_calls(result.calls)}, the oracle {result.oracle_calls}: {_call_ratio(result):.1f} "
            "times as many."
        )
        yield ChosenEpisode(run, result, EpisodeChoice.MOST_CALLS, reason)


def _fewer_calls_than_oracle(played: _Played) -> Iterator[ChosenEpisode]:
    solved = [each for each in played if each[1].outcome is Outcome.CORRECT and each[1].oracle_calls]
    for run, result in sorted(solved, key=lambda each: _call_ratio(each[1])):
        if _call_ratio(result) < 1:
            reason = f"It was solved with {_calls(result.calls)}; the oracle makes {result.oracle_calls}."
            yield ChosenEpisode(run, result, EpisodeChoice.FEWER_CALLS_THAN_ORACLE, reason)


def _invalid_calls(played: _Played) -> Iterator[ChosenEpisode]:
    for run, result in sorted(played, key=lambda each: -each[1].invalid_calls):
        if result.invalid_calls:
            reason = f"{_calls(result.invalid_calls)} named no tool or did not fit the tool's schema."
            yield ChosenEpisode(run, result, EpisodeChoice.INVALID_CALLS, reason)


def _refused_calls(played: _Played) -> Iterator[ChosenEpisode]:
    for run, result in sorted(played, key=lambda each: -each[1].refused_calls):
        if result.refused_calls:
            reason = f"{_calls(result.refused_calls)} of {result.calls} were answered with an error."
            yield ChosenEpisode(run, result, EpisodeChoice.REFUSED_CALLS, reason)


def _typical_success(played: _Played) -> Iterator[ChosenEpisode]:
    """Yields the solved episodes of each run, the nearest to their median number of calls first."""
    solved = [each for each in played if each[1].outcome is Outcome.CORRECT]
    medians = {
        name: median(result.calls for run, result in solved if run == name)
        for name in {run for run, _ in solved}
    }
    for run, result in sorted(solved, key=lambda each: abs(each[1].calls - medians[each[0]])):
        reason = f"The median solved episode of the run made {_calls(medians[run])}."
        yield ChosenEpisode(run, result, EpisodeChoice.TYPICAL_SUCCESS, reason)


def _failures(played: _Played) -> list[tuple[str, EpisodeResult]]:
    return [each for each in played if each[1].outcome in (Outcome.INCORRECT, Outcome.NO_SUBMISSION)]


def _solving(played: _Played) -> _Solved:
    solved: dict[Task, list[tuple[str, str]]] = defaultdict(list)
    for run, result in played:
        if result.outcome is Outcome.CORRECT:
            solved[_task(result)].append((run, result.key))
    return solved


def _distance(result: EpisodeResult) -> tuple[float, float, bool, float, int]:
    """Returns how far a failure is from success: the smaller, the nearer.

    First by the reward, then by how much of the answer agrees with the right one, then an answer is nearer
    than none, then by how much the number of calls differs from the oracle's, then by invalid calls.
    """
    ratio = _call_ratio(result)
    return (
        -(result.reward or 0.0),
        -(result.overlap or 0.0),
        result.outcome is not Outcome.INCORRECT,
        abs(log(ratio)) if ratio > 0 else inf,
        result.invalid_calls,
    )


def _calls(count: float) -> str:
    return "1 call" if count == 1 else f"{count:g} calls"


def _call_ratio(result: EpisodeResult) -> float:
    """Returns calls divided by the oracle's calls, or 0 if these are unknown."""
    return result.calls / result.oracle_calls if result.oracle_calls else 0.0


def _task(result: EpisodeResult) -> Task:
    return result.environment, result.task
