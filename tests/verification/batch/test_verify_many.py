"""Verification of many environments."""

from pathlib import Path

from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.episode_limits import Limits
from codegym_mcp.verification.batch.verify_many import stream_verifications, verify_environment, verify_many
from codegym_mcp.verification.gate_results import Gate, GateProblem, GateState, Verification
from codegym_mcp.verification.verification_cache import VerificationCache
from codegym_mcp.verification.verification_context import VerificationContext
from tests.verification.batch.conftest import NAMES
from tests.verification.planting import planted_entry


async def test_results_have_the_order_of_the_entries_and_are_reported_when_complete(
    context: VerificationContext, entries: list[Entry]
) -> None:
    done: list[str] = []
    results = await verify_many(context, entries, on_result=lambda result: done.append(result.environment))
    assert [result.environment for result in results] == list(NAMES)
    assert [result.verified for result in results] == [False, True, False]
    assert sorted(done) == list(NAMES)


async def test_a_broken_source_does_not_affect_the_other_environments(
    context: VerificationContext, entries: list[Entry]
) -> None:
    broken, *others = await verify_many(context, entries)
    assert broken.gates[Gate.LOADS] is GateState.FAILED
    assert "clock.py:3: import of time is not allowed" in broken.problems[0].message
    assert all(other.gates[Gate.LOADS] is GateState.PASSED for other in others)


async def test_a_cached_verification_is_not_repeated(
    context: VerificationContext, entries: list[Entry], tmp_path: Path
) -> None:
    cache = VerificationCache(tmp_path / "cache", Limits())
    first = await verify_many(context, entries, cache=cache)
    marked = Verification.of("unseen_order", [GateProblem(gate=Gate.SOLVED, message="Marked by the test.")])
    cache.put(entries[1].read(), marked)
    again = await verify_many(context, entries, cache=cache)
    assert again == [first[0], marked, first[2]]


async def test_verifications_are_the_same_every_time(
    context: VerificationContext, entries: list[Entry]
) -> None:
    assert await verify_many(context, entries) == await verify_many(context, entries)


async def test_verifications_are_streamed(entries: list[Entry]) -> None:
    limits = Limits(call_seconds=0.3, start_seconds=1.0)
    results = [result async for result in stream_verifications(entries, limits=limits, jobs=2)]
    assert sorted(result.environment for result in results) == sorted(NAMES)
    problems = next(result for result in results if result.environment == "unused_tool").problems
    assert [(problem.gate, problem.task, problem.call) for problem in problems] == [(Gate.TOOLS_USED, "", "")]


async def test_one_environment_is_verified_without_files() -> None:
    limits = Limits(call_seconds=0.3, start_seconds=1.0)
    verification = await verify_environment(planted_entry("exception").read(), limits=limits, jobs=2)
    (problem,) = verification.problems
    assert (problem.gate, problem.call) == (Gate.RESULTS, "look(box=2147483648)")
    assert "IndexError" in problem.difference
