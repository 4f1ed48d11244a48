import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from codegym_mcp.errors import SandboxError
from codegym_mcp.verification.batch.result_stream import stream_results


async def test_results_are_yielded_before_the_producer_has_ended() -> None:
    more = asyncio.Event()

    async def produce(report: Callable[[int], object]) -> None:
        report(1)
        await more.wait()
        report(2)

    async with aclosing(stream_results(produce)) as results:
        assert await anext(results) == 1
        more.set()
        assert [result async for result in results] == [2]


async def test_an_error_of_the_producer_follows_its_results() -> None:
    async def produce(report: Callable[[int], object]) -> None:
        report(1)
        raise SandboxError("no sandbox")

    async with aclosing(stream_results(produce)) as results:
        assert await anext(results) == 1
        with pytest.raises(SandboxError, match="no sandbox"):
            await anext(results)


async def test_closing_early_cancels_the_producer_and_waits_for_it() -> None:
    ended = False

    async def produce(report: Callable[[int], object]) -> None:
        nonlocal ended
        report(1)
        try:
            await asyncio.Event().wait()
        finally:
            ended = True

    async with aclosing(stream_results(produce)) as results:
        await anext(results)
    assert ended
