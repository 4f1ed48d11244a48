"""Counts how the episodes of a run ended, and why."""

from collections import Counter
from collections.abc import Iterable

from codegym_harness.records.episode_result import EpisodeResult, Submission
from codegym_harness.records.trajectory import Fault, Outcome
from codegym_harness.report.report_contents import EpisodeEnding

FAULTS = {
    Fault.HARNESS: "an error of this project or its environment",
    Fault.PROVIDER: "an error of the model's provider",
    Fault.AGENT: "an error of the agent's own code",
}


def ending_reason(result: EpisodeResult) -> str:
    """Returns why an episode ended with its outcome, in a few words."""
    match result.outcome:
        case Outcome.CORRECT:
            return "right answer"
        case Outcome.INCORRECT:
            return "wrong answer"
        case Outcome.UNSCORED:
            return "played without scoring"
    if result.fault is not None:
        return FAULTS[result.fault]
    if result.limits_met:
        return f"limit reached: {', '.join(result.limits_met)}"
    if result.submission is Submission.INVALID:
        return "only answers of a wrong type"
    if result.stop is not None:
        return f"the model stopped: {result.stop.replace('_', ' ')}"
    return "the agent gave up"


def count_endings(results: Iterable[EpisodeResult]) -> list[EpisodeEnding]:
    """Returns the endings of episodes: by outcome, and within an outcome the most frequent first."""
    counts = Counter((result.outcome, ending_reason(result)) for result in results)
    order = list(Outcome)
    return [
        EpisodeEnding(outcome=outcome, reason=reason, episodes=episodes)
        for (outcome, reason), episodes in sorted(
            counts.items(), key=lambda item: (order.index(item[0][0]), -item[1], item[0][1])
        )
    ]
