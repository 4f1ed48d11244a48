"""The life of an episode: it is opened, its tools are called, an answer is submitted, it ends."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

import anyio
from pydantic import BaseModel, ConfigDict

from codegym_mcp.episode_interface import CallResult, TaskView, ToolView
from codegym_mcp.episodes.journal import Event, EventKind, Journal
from codegym_mcp.episodes.replay import Action, ReplayableEnvironment
from codegym_mcp.episodes.scoring import Verdict, judge
from codegym_mcp.episodes.tool_execution import ToolCallRecord, ToolCallRequest, execute_call
from codegym_mcp.errors import (
    CodegymError,
    EnvironmentFaultError,
    InvalidArgumentsError,
    JournalError,
    NotFoundError,
)
from codegym_mcp.limits import Limits
from codegym_mcp.sandbox.process.environment_program import Role
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.spec.environment import Environment, Task
from codegym_mcp.spec.tools import tool_view

T = TypeVar("T")


class EpisodeState(StrEnum):
    """Where an episode stands. All but `OPEN` are final."""

    OPEN = "open"
    SUBMITTED = "submitted"
    OUT_OF_CALLS = "out_of_calls"
    EXPIRED = "expired"
    FAILED = "failed"


class EpisodeSettings(BaseModel):
    """How an episode is to be held."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limits: Limits = Limits()
    reveal: bool = False
    """Tell the agent the verdict when it submits. Never for training or measuring."""


class OpenedData(BaseModel):
    """What the journal keeps of an opening: all that is needed to open the episode again."""

    token: str
    environment: str
    program: str
    """SHA-256 of the environment's source."""
    task: Task
    settings: EpisodeSettings


class Episode:
    """One attempt at a task. It is a `Playable`.

    Every action is journalled before its result is given out, so the environment's process can be lost at
    any time: the next action rebuilds it by replaying those before it.

    Attributes:
        id: names the episode on the control plane and in records; gives no access.
        token: the id and what nobody can guess; whoever has it can act in the episode.
        state: where the episode stands.
        calls: how many tool calls were made, refused ones included.
        verdict: what the verifier says; None before a submission and where no verdict could be reached.
        reason: why the episode ended where that is not plain from the state; for people, not for the agent.
    """

    def __init__(
        self,
        *,
        pool: SandboxPool,
        journal: Journal,
        environment: Environment,
        task: Task,
        settings: EpisodeSettings,
        id: str | None = None,
        token: str | None = None,
    ) -> None:
        self.id = id or secrets.token_hex(8)
        self.token = token or f"{self.id}-{secrets.token_urlsafe(24)}"
        self.environment = environment
        self.full_task = task
        self.settings = settings
        self.state = EpisodeState.OPEN
        self.calls = 0
        self.verdict: Verdict | None = None
        self.reason = ""
        self.last_active = time.monotonic()
        self.on_end: Callable[[Episode], object] | None = None
        self._pool = pool
        self._journal = journal
        self._events = 0
        self._answered: dict[str, int] = {}
        self._lock = anyio.Lock(fast_acquire=True)
        self._acting = ReplayableEnvironment(pool, environment.program, task.config, settings.limits)
        self._actions: set[asyncio.Future[Any]] = set()

    async def open(self) -> None:
        """Journals the opening and starts the environment's process.

        Raises:
            EnvironmentFaultError, LimitError, WorkerLostError, SandboxError, SourceError, JournalError: the
                environment cannot be opened; the episode has failed.
        """
        await self._in_turn(self._open)

    async def _open(self) -> None:
        opened = OpenedData(
            token=self.token,
            environment=self.environment.name,
            program=self.environment.program.digest,
            task=self.full_task,
            settings=self.settings,
        )
        try:
            await self._record("opened", opened.model_dump(mode="json"))
            await self._acting.start()
        except CodegymError as error:
            await self._end(EpisodeState.FAILED, reason=str(error))
            raise

    async def opened(self) -> None:
        """Waits until it has been opened, for whoever asks for that opening again.

        Raises:
            EnvironmentFaultError: it could not be opened.
        """

        async def check() -> None:
            # Nothing is recorded but that it was opened, and, where that could be, that it has ended.
            if self.state is EpisodeState.FAILED and self._events <= 2:
                raise EnvironmentFaultError(Role.TOOLS, self.reason)

        await self._in_turn(check)

    def recall(self, events: Sequence[Event]) -> None:
        """Takes over what the journal holds of the episode; nothing is started.

        Args:
            events: all of them, in their order.
        """
        self._events = len(events)
        for event in events:
            if event.data.get("key") is not None:
                self._answered[event.data["key"]] = event.number
            match event.kind:
                case "call":
                    self.calls += 1
                    if event.data["digest"]:
                        self._acting.actions.append(
                            Action(event.data["name"], event.data["arguments"], event.data["digest"])
                        )
                case "ended":
                    self.state = EpisodeState(event.data["state"])
                    self.reason = event.data["reason"]
                    if event.data["verdict"] is not None:
                        self.verdict = Verdict.model_validate(event.data["verdict"])

    async def resume(self, events: Sequence[Event]) -> None:
        """Takes up an episode from its journal; its process is rebuilt when it is next needed.

        Args:
            events: what the journal holds of it, in their order.
        """
        self.recall(events)
        last = events[-1]
        if last.kind == "submitted":
            await self._in_turn(lambda: self._reach_verdict(last.data["arguments"]))
        elif last.kind == "call" and last.data["status"] == "failed":
            await self._in_turn(lambda: self._end(EpisodeState.FAILED, reason=last.data["reason"]))

    # --- Playable

    @cached_property
    def task(self) -> TaskView:
        return TaskView(
            environment=self.environment.name,
            id=self.full_task.id,
            text=self.environment.task_text(self.full_task),
            public=self.environment.public_values(self.full_task),
        )

    @cached_property
    def tools(self) -> Sequence[ToolView]:
        return [tool_view(tool) for tool in self.environment.tools]

    @cached_property
    def submission(self) -> ToolView:
        return tool_view(self.environment.submission)

    async def call(self, name: str, arguments: dict[str, Any], *, key: str | None = None) -> CallResult:
        """Calls a tool; the submission by its name is a submission.

        Args:
            key: names the request. A request whose key was answered before, also by an earlier server or
                before the episode ended, gets the same answer, and nothing is done or counted.

        Returns:
            The result, or the refusal in words for the agent.

        Raises:
            JournalError: the action could not be recorded, which counts as not made, or the answer to its key
                could not be read.
        """
        return await self._in_turn(lambda: self._take(ToolCallRequest(name, arguments, key)))

    async def submit(self, answer: Any, *, key: str | None = None) -> CallResult:
        """Submits an answer; see `Playable.submit`, and `call` for the key."""
        submission = self.environment.submission
        return await self.call(submission.name, {submission.parameters[0].name: answer}, key=key)

    # --- looking at it and ending it from outside

    async def events(self) -> list[Event]:
        """What the journal holds of it, once what is under way is done.

        Raises:
            JournalError: it cannot be read.
        """

        async def read() -> list[Event]:
            return self._journal.events(self.id)

        return await self._in_turn(read)

    async def close(self, reason: str) -> None:
        """Ends an open episode, as expired; does nothing to one that has ended."""
        await self._in_turn(lambda: self._close(reason))

    async def _close(self, reason: str) -> None:
        if self.state is EpisodeState.OPEN:
            await self._end(EpisodeState.EXPIRED, reason=reason)

    def is_idle(self, now: float) -> bool:
        """Whether nobody has used it for as long as its limits allow.

        Args:
            now: the present, in seconds of `time.monotonic`.
        """
        return not self._actions and now - self.last_active > self.settings.limits.idle_seconds

    async def abandon(self) -> None:
        """Breaks off what is under way, for a server that stops: what is not recorded was not made, and
        whoever goes on with the episode finds it so."""
        actions = list(self._actions)
        for action in actions:
            action.cancel()
        await asyncio.gather(*actions, return_exceptions=True)

    def suspend(self) -> None:
        """Gives up the environment's process; the next action rebuilds it."""
        self._acting.suspend()

    async def _in_turn(self, action: Callable[[], Awaitable[T]]) -> T:
        """Performs an action after those before it, and to its end, even when whoever asked for it has gone:
        an action and its record belong together."""

        async def perform() -> T:
            async with self._lock:
                return await action()

        performing = asyncio.ensure_future(perform())
        self._actions.add(performing)
        performing.add_done_callback(self._actions.discard)
        # The scope holds off anyio's cancellation, asyncio.shield that of asyncio itself.
        with anyio.CancelScope(shield=True):
            await asyncio.shield(performing)
        return performing.result()

    # --- calls

    async def _take(self, asked: ToolCallRequest) -> CallResult:
        if asked.key in self._answered:
            return self._answer_again(asked, self._answered[asked.key])
        if self.state is not EpisodeState.OPEN:
            text = f"The episode is over ({self.state.replace('_', ' ')}); no further calls are accepted."
            return CallResult(text=text, is_error=True, over=True)
        self.last_active = time.monotonic()
        try:
            if asked.name == self.environment.submission.name:
                return await self._submit(asked)
            return await self._call(asked)
        finally:
            self.last_active = time.monotonic()

    def _answer_again(self, asked: ToolCallRequest, number: int) -> CallResult:
        """The answer that the journal holds to a request that was made before."""
        event = self._journal.event(self.id, number)
        submitted = event.kind == "submitted"
        name = self.environment.submission.name if submitted else event.data["name"]
        # What was too large to be kept has no name; it was refused.
        if name and (name, event.data["arguments"]) != (asked.name, asked.arguments):
            return CallResult(text=_KEY_USED, is_error=True, over=self.state is not EpisodeState.OPEN)
        return self.acknowledgement() if submitted else CallResult.model_validate(event.data["result"])

    async def _call(self, asked: ToolCallRequest) -> CallResult:
        if self.calls >= self.settings.limits.calls:
            return await self._run_out()
        try:
            asked.check_size(self.settings.limits)
            tool = self.environment.tool(asked.name)
            tool.validate_arguments(asked.arguments)
        except (NotFoundError, InvalidArgumentsError) as error:
            return await self._refuse(asked, str(error))
        self.calls += 1
        try:
            made = await execute_call(self._acting, tool, asked.arguments, self.settings.limits)
            await self._record_call(asked, made)
        except BaseException:
            # What is not recorded was not made: the next call finds everything as it was before this one.
            self.calls -= 1
            self.suspend()
            raise
        if made.digest:
            self._acting.actions.append(Action(asked.name, asked.arguments, made.digest))
        if made.status == "failed":
            await self._end(EpisodeState.FAILED, reason=made.reason)
        return made.result

    async def _refuse(self, asked: ToolCallRequest, text: str) -> CallResult:
        """Counts and records a call that never comes to the environment."""
        result = CallResult(text=text, is_error=True)
        try:
            asked.check_size(self.settings.limits)
        except InvalidArgumentsError:
            asked = ToolCallRequest("", {}, asked.key)
        await self._record_call(asked, ToolCallRecord("invalid", result))
        self.calls += 1
        return result

    async def _record_call(self, asked: ToolCallRequest, made: ToolCallRecord) -> None:
        await self._record(
            "call",
            {
                "name": asked.name,
                "arguments": asked.arguments,
                "key": asked.key,
                "status": made.status,
                "digest": made.digest,
                "result": made.result.model_dump(mode="json"),
                "reason": made.reason,
            },
        )

    # --- the end

    async def _submit(self, asked: ToolCallRequest) -> CallResult:
        try:
            asked.check_size(self.settings.limits)
            self.environment.submission.validate_arguments(asked.arguments)
        except InvalidArgumentsError as error:
            if self.calls >= self.settings.limits.calls:
                return await self._run_out()
            return await self._refuse(asked, f"{error} Nothing was submitted.")
        await self._record("submitted", {"arguments": asked.arguments, "key": asked.key})
        return await self._reach_verdict(asked.arguments)

    async def _reach_verdict(self, arguments: dict[str, Any]) -> CallResult:
        answer = arguments[self.environment.submission.parameters[0].name]
        try:
            self.verdict = await judge(
                self._pool, self.environment, self.full_task, answer, self.settings.limits
            )
        except Exception as error:
            # Whatever keeps us from a verdict: the submission was made, and the episode cannot go on.
            await self._end(EpisodeState.FAILED, reason=f"No verdict: {error}")
        else:
            await self._end(EpisodeState.SUBMITTED)
        return self.acknowledgement()

    def acknowledgement(self) -> CallResult:
        """What the agent is told of a submission."""
        structured: dict[str, Any] = {"received": True}
        text = "Your answer was received. The episode is over."
        if self.settings.reveal and self.verdict is not None:
            structured |= self.verdict.model_dump()
            text += " It is correct." if self.verdict.correct else " It is not correct."
        return CallResult(text=text, structured=structured, over=True)

    async def _run_out(self) -> CallResult:
        allowed = self.settings.limits.calls
        await self._end(EpisodeState.OUT_OF_CALLS)
        text = f"All {allowed} calls are used up. The episode is over and no answer was submitted."
        return CallResult(text=text, is_error=True, over=True)

    async def _end(self, state: EpisodeState, *, reason: str = "") -> None:
        self.state = state
        self.reason = reason
        self.suspend()
        self._acting.actions.clear()
        verdict = self.verdict.model_dump() if self.verdict is not None else None
        # What was never recorded as opened has no end either.
        if self._events:
            # The events before tell how it ended: losing this one costs a restarted server work and no more.
            with suppress(JournalError):
                await self._record("ended", {"state": state, "reason": reason, "verdict": verdict})
        if self.on_end is not None:
            self.on_end(self)

    async def _record(self, kind: EventKind, data: dict[str, Any]) -> None:
        await self._journal.append(self.id, self._events, kind, data)
        if data.get("key") is not None:
            self._answered[data["key"]] = self._events
        self._events += 1


_KEY_USED = "Another request was made with this key. Send a new key with each call."
