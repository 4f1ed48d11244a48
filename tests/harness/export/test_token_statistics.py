from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_harness.export.token_counting import PlainTextCounter
from codegym_harness.export.token_statistics import (
    EnvironmentTokens,
    LengthDistribution,
    TokenCounts,
    token_statistics,
)
from codegym_harness.export.trajectory_filters import Filters
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_mcp.errors import CodegymError
from tests.conversations import agent, trajectory, user
from tests.made_runs import Configuration


def test_percentiles_are_numbers_that_occur() -> None:
    assert LengthDistribution.of(range(1, 101)) == LengthDistribution(median=50, p90=90, p99=99, max=100)
    assert LengthDistribution.of([7]) == LengthDistribution(median=7, p90=7, p99=7, max=7)
    assert LengthDistribution.of([3, 1, 2]) == LengthDistribution(median=2, p90=3, p99=3, max=3)


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_at_least_the_stated_part_is_not_longer_than_a_percentile(lengths: list[int]) -> None:
    of = LengthDistribution.of(lengths)
    for value, part in ((of.median, 0.5), (of.p90, 0.9), (of.p99, 0.99), (of.max, 1.0)):
        assert value in lengths
        assert sum(length <= value for length in lengths) >= part * len(lengths) - 1e-9
    assert of.median <= of.p90 <= of.p99 <= of.max == max(lengths)


def test_a_conversation_as_long_as_the_context_is_not_longer_than_it() -> None:
    counts = [TokenCounts(prompt=10, conversation=length) for length in (10, 4096, 4097, 40_000)]
    tokens = EnvironmentTokens.of(counts)
    assert tokens.longer_than == {4096: 0.5, 8192: 0.25, 16384: 0.25, 32768: 0.25}
    assert (tokens.episodes, tokens.tokens) == (4, 10 + 4096 + 4097 + 40_000)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Episodes of two environments, whose tokens are characters, and one that failed."""
    monkeypatch.setattr(
        "codegym_harness.export.token_statistics.open_token_counter", lambda _: PlainTextCounter(len)
    )
    with RunDirectory.create(tmp_path / "run", Configuration()) as directory:
        for environment, length in (("b", 5000), ("a", 10), ("b", 100)):
            directory.append(
                trajectory(user("Go."), agent("x" * length), key=f"{environment}/{length}/1", tools=[])
            )
        directory.append(trajectory(user("Go."), agent("?"), key="a/failed/1", outcome="failed"))
    return tmp_path / "run"


def test_lengths_are_by_environment_and_together(run: Path) -> None:
    seen: list[str] = []
    statistics = token_statistics([run], "any", on_episode=seen.append)
    assert [*statistics.environments] == ["a", "b"]
    assert statistics.environments["b"].conversation == LengthDistribution(
        median=103, p90=5003, p99=5003, max=5003
    )
    assert statistics.environments["b"].longer_than[4096] == 0.5
    assert statistics.total.prompt.max == 3
    assert (statistics.total.episodes, statistics.read, statistics.dropped["failed"]) == (3, 4, 1)
    assert seen == ["b", "a", "b"]


def test_filters_apply_and_what_leaves_nothing_is_an_error(run: Path) -> None:
    again = trajectory(user("Go."), agent("x"), key="b/100/2", tools=[], outcome="incorrect")
    with RunDirectory.resume(run) as directory:
        directory.append(again)
    best = token_statistics([run], "any", Filters(environments=("b",), best_of=1))
    assert (best.total.episodes, best.dropped["env"], best.dropped["best_of"]) == (2, 1, 1)
    with pytest.raises(CodegymError, match="left"):
        token_statistics([run], "any", Filters(environments=("c",)))
