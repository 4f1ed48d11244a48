"""Lengths of episodes in tokens, by environment, so that a context length can be chosen before training."""

from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path

from pydantic import BaseModel

from codegym_harness.export.conversion_counts import LossCounts, UnfitError
from codegym_harness.export.selected_trajectories import TrajectorySelection, run_directories
from codegym_harness.export.token_counting import Rendering, TokenCounts, open_token_counter
from codegym_harness.export.training_conversation import converse
from codegym_harness.export.trajectory_filters import Filters

CONTEXT_LENGTHS = (4096, 8192, 16384, 32768)
"""The lengths, in tokens, for which the share of longer conversations is given."""


class LengthDistribution(BaseModel):
    """How numbers of tokens are distributed. Percentiles are by the nearest rank."""

    median: int
    p90: int
    p99: int
    max: int

    @classmethod
    def of(cls, lengths: Sequence[int]) -> "LengthDistribution":
        """Returns the distribution of one or more numbers."""
        ordered = sorted(lengths)

        def percentile(percent: int) -> int:
            return ordered[ceil(percent * len(ordered) / 100) - 1]

        return cls(median=percentile(50), p90=percentile(90), p99=percentile(99), max=ordered[-1])


class EnvironmentTokens(BaseModel):
    """The lengths of the episodes of an environment."""

    episodes: int
    tokens: int
    """Tokens of all conversations together."""
    prompt: LengthDistribution
    """Tools, system prompt and task."""
    conversation: LengthDistribution
    """The whole episode, prompt included."""
    longer_than: dict[int, float]
    """For each of `CONTEXT_LENGTHS`, the share of conversations that have more tokens, 0 to 1."""

    @classmethod
    def of(cls, counts: Sequence[TokenCounts]) -> "EnvironmentTokens":
        """Returns the lengths of one or more episodes."""
        lengths = [each.conversation for each in counts]
        return cls(
            episodes=len(counts),
            tokens=sum(lengths),
            prompt=LengthDistribution.of([each.prompt for each in counts]),
            conversation=LengthDistribution.of(lengths),
            longer_than={
                limit: sum(length > limit for length in lengths) / len(lengths) for limit in CONTEXT_LENGTHS
            },
        )


class TokenStatistics(BaseModel):
    """The lengths of the episodes of runs, as a training set would hold them."""

    tokenizer: str
    rendering: Rendering
    runs: list[Path]
    read: int
    """The number of trajectories in the runs."""
    dropped: dict[str, int]
    """By filter, in the order of their application; then by the reason why an episode is no conversation."""
    environments: dict[str, EnvironmentTokens]
    """By name, in alphabetical order."""
    total: EnvironmentTokens
    """All environments together."""


def token_statistics(
    runs: Sequence[Path],
    tokenizer: str,
    filters: Filters | None = None,
    *,
    on_episode: Callable[[str], object] | None = None,
) -> TokenStatistics:
    """Counts the tokens of the episodes of runs.

    Args:
        runs: run directories.
        tokenizer: see `open_token_counter`.
        on_episode: called with the name of the environment after each episode.

    Raises:
        RunError: a run cannot be read.
        MissingExtraError: the library that reads the tokenizer is not installed.
        CodegymError: the tokenizer cannot be loaded, or no episode is left.
    """
    reading = TrajectorySelection(run_directories(runs, []), filters or Filters())
    counter = open_token_counter(tokenizer)
    chosen, _ = reading.look_ahead()
    counts: dict[str, list[TokenCounts]] = {}
    for number, (_, trajectory, result) in enumerate(reading):
        if chosen is not None and number not in chosen:
            reading.dropped["best_of"] += 1
            continue
        try:
            counted = counter.count(converse(trajectory, LossCounts()))
        except UnfitError as error:
            reading.dropped[str(error)] += 1
            continue
        counts.setdefault(result.environment, []).append(counted)
        if on_episode is not None:
            on_episode(result.environment)
    if not counts:
        raise reading.nothing_left()
    return TokenStatistics(
        tokenizer=tokenizer,
        rendering=counter.rendering,
        runs=reading.runs,
        read=reading.read,
        dropped=dict(reading.dropped),
        environments={name: EnvironmentTokens.of(counts[name]) for name in sorted(counts)},
        total=EnvironmentTokens.of([each for several in counts.values() for each in several]),
    )
