import asyncio
import contextlib

import anyio
import anyio.lowlevel
import pytest

from codegym_mcp.episodes.action_queue import ActionQueue


class Action:
    """An action that ends when it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.completed = False
        self._error = error

    async def __call__(self) -> str:
        self.begun.set()
        await self.may_end.wait()
        self.completed = True
        if self._error is not None:
            raise self._error
        return "done"


async def test_actions_are_performed_one_after_another_in_their_order() -> None:
    queue, first, second = ActionQueue(), Action(), Action()
    async with asyncio.TaskGroup() as tasks:
        results = [tasks.create_task(queue.run(action)) for action in (first, second)]
        await first.begun.wait()
        assert queue.busy
        assert not second.begun.is_set()
        first.may_end.set()
        await second.begun.wait()
        second.may_end.set()
    assert [result.result() for result in results] == ["done", "done"]
    assert not queue.busy


async def test_the_exception_of_an_action_is_raised_and_the_next_one_is_performed() -> None:
    queue, failing, next_one = ActionQueue(), Action(LookupError("missing")), Action()
    failing.may_end.set()
    next_one.may_end.set()
    with pytest.raises(LookupError, match="missing"):
        await queue.run(failing)
    assert await queue.run(next_one) == "done"


async def test_a_caller_in_a_cancelled_scope_waits_for_its_action_and_is_then_cancelled() -> None:
    queue, action = ActionQueue(), Action()
    result = ""
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:

            async def end() -> None:
                await action.begun.wait()
                scope.cancel()
                with anyio.CancelScope(shield=True):
                    # anyio cancels the caller again in each of these iterations.
                    for _ in range(10):
                        await asyncio.sleep(0)
                assert not action.completed
                action.may_end.set()

            tasks.start_soon(end)
            result = await queue.run(action)
            await anyio.lowlevel.checkpoint()
            result = "not cancelled"
    assert scope.cancelled_caught
    assert result == "done"
    assert action.completed


async def test_a_cancelled_task_leaves_its_action_to_be_completed() -> None:
    queue, action = ActionQueue(), Action()
    caller = asyncio.create_task(queue.run(action))
    await action.begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert queue.busy
    action.may_end.set()
    following = Action()
    following.may_end.set()
    await queue.run(following)
    assert action.completed


async def test_an_exception_without_a_caller_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    queue, action = ActionQueue(), Action(LookupError("missing"))
    caller = asyncio.create_task(queue.run(action))
    await action.begun.wait()
    caller.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await caller
    action.may_end.set()
    following = Action()
    following.may_end.set()
    await queue.run(following)
    assert action.completed
    assert caplog.records == []


async def test_cancelled_actions_have_stopped_and_their_callers_are_cancelled() -> None:
    queue, first, second = ActionQueue(), Action(), Action()
    callers = [asyncio.create_task(queue.run(action)) for action in (first, second)]
    await first.begun.wait()
    await queue.cancel()
    assert not queue.busy
    for caller in callers:
        with pytest.raises(asyncio.CancelledError):
            await caller
    assert not first.completed
    assert not second.begun.is_set()
