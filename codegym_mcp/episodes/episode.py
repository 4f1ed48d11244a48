"""One episode: it is opened, its tools are called, an answer is submitted, it ends."""

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.environment_definition.tools import reveal_verdict, tool_view
from codegym_mcp.episode_protocol import CallResult, CallStatus, TaskView, ToolView
from codegym_mcp.episodes.action_queue import ActionQueue
from codegym_mcp.episodes.episode_outcome import EpisodeOutcome, EpisodeState, Verdict
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.events import CallEvent, EndedEvent, Event, OpenedEvent, StateEvent, SubmittedEvent
from codegym_mcp.episodes.final_state import obtain_final_state
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.episodes.lost_process_replay import ReplayableCall, ReplayableEnvironment
from codegym_mcp.episodes.recent_tasks import RecentTasks
from codegym_mcp.episodes.scoring import judge
from codegym_mcp.episodes.tool_execution import ToolCallRequest, execute_call
from codegym_mcp.errors import (
    CodegymError,
    EnvironmentFaultError,
    EventsRemovedError,
    InvalidArgumentsError,
    JournalError,
    NotFoundError,
)
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import Role

_KEY_USED = CallResult(
    text="Another request was made with this key. Send a new key with each call.", status=CallStatus.INVALID
)


class Episode:
    """One attempt at a task. It implements `EpisodeProtocol`.

    Every call is written to the journal before its result is returned, so the environment's process can be
    lost at any time: the next call rebuilds it by replaying the calls before it.

    Attributes:
        id: names the episode on the control plane and in records; gives no access.
        token: the id and a secret; whoever has it can act in the episode.
        state: the state of the episode.
        calls: the number of tool calls that were made, refused calls included.
        verdict: the verdict on the submission, or None if no answer was judged.
        reason: why the episode ended, if the state alone does not say it; for people, not for the agent.
        opened_at: when it was opened, in seconds since the epoch; 0 before that.
        last_active: when the last call began or ended or the client said that it is there, in seconds of
            `time.monotonic`.
        on_call: called after each call with its status and its seconds.
        on_end: called once, when the episode has ended.
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
        recent: RecentTasks | None = None,
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
        self.opened_at = 0.0
        self.last_active = time.monotonic()
        self.on_call: Callable[[CallStatus, float], object] | None = None
        self.on_end: Callable[[Episode], object] | None = None
        self._pool = pool
        self._recent = recent
        self._journal = journal
        self._event_count = 0
        self._events_by_key: dict[str, int] = {}
        self._queue = ActionQueue()
        self._runner = ReplayableEnvironment(pool, environment.program, task.config, settings.limits)

    @property
    def outcome(self) -> EpisodeOutcome:
        """The outcome, as metrics count it."""
        return EpisodeOutcome.of(self.state, self.verdict)

    @property
    def reward(self) -> float | None:
        """The reward, from 0 to 1, or None if the episode is open or is not scored."""
        return self.outcome.reward(self.verdict)

    # --- opening

    async def open(self) -> None:
        """Records the opening and starts the environment's process.

        Raises:
            EnvironmentFaultError, LimitError, WorkerLostError, SandboxError, SourceError, JournalError: the
                environment cannot be opened; the episode has failed.
        """
        await self._queue.run(self._open)

    async def _open(self) -> None:
        opened = OpenedEvent(
            token=self.token,
            environment=self.environment.name,
            program=self.environment.program.digest,
            task=self.full_task,
            settings=self.settings,
        )
        self.opened_at = opened.at
        try:
            await self._record(opened)
            await self._runner.start()
        except CodegymError as error:
            await self._end(EpisodeState.FAILED, reason=str(error))
            raise

    async def wait_until_opened(self) -> None:
        """Waits until the episode has been opened, for a request that asks for the same opening again.

        Raises:
            EnvironmentFaultError: the episode could not be opened.
        """

        async def check() -> None:
            # The journal holds only the opening and, if it could be written, the end.
            if self.state is EpisodeState.FAILED and self._event_count <= 2:
                raise EnvironmentFaultError(Role.TOOLS, self.reason)

        await self._queue.run(check)

    def recall(self, events: Sequence[Event], *, damage: str = "") -> None:
        """Restores the episode from its events, without starting a process.

        Args:
            events: the events of the episode, in their order.
            damage: what is wrong with the event after these. The episode has failed unless it ended before.
        """
        self._event_count = len(events)
        self.opened_at = events[0].at if events else 0.0
        for number, event in enumerate(events):
            match event:
                case CallEvent():
                    self.calls += 1
                    self._remember_key(event.key, number)
                    if event.digest:
                        self._runner.calls.append(ReplayableCall(event.name, event.arguments, event.digest))
                case SubmittedEvent():
                    self._remember_key(event.key, number)
                case EndedEvent():
                    self.state = event.state
                    self.reason = event.reason
                    self.verdict = event.verdict
        if damage and self.state is EpisodeState.OPEN:
            self.state = EpisodeState.FAILED
            self.reason = f"The journal of the episode is damaged: {damage}."

    async def resume(self, events: Sequence[Event]) -> None:
        """Continues an episode from its events; its process is rebuilt by the next call.

        Args:
            events: all events of the episode, in their order.
        """
        self.recall(events)
        match events[-1]:
            case SubmittedEvent() as submitted:
                await self._queue.run(lambda: self._reach_verdict(submitted))
            case StateEvent() as obtained:
                submitted = next(event for event in events if isinstance(event, SubmittedEvent))
                await self._queue.run(lambda: self._reach_verdict(submitted, obtained))
            case CallEvent(status=CallStatus.FAILED, reason=reason):
                await self._queue.run(lambda: self._end(EpisodeState.FAILED, reason=reason))

    # --- EpisodeProtocol

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
        tool = self.environment.submission
        return tool_view(reveal_verdict(tool) if self.settings.reveal else tool)

    async def call(self, name: str, arguments: dict[str, Any], *, key: str | None = None) -> CallResult:
        """Calls a tool; a call of the submission by its name is a submission.

        Args:
            key: the idempotency key of the request. A request with the key of an earlier call gets the result
                of that call, also from a later server or after the end of the episode; no call is made.

        Returns:
            The result, or the refusal as a text for the agent.

        Raises:
            JournalError: the call could not be recorded and counts as not made, or the earlier result of its
                key could not be read.
        """
        begun = time.monotonic()
        result = await self._queue.run(lambda: self._handle(ToolCallRequest(name, arguments, key)))
        if self.on_call is not None:
            self.on_call(result.status, time.monotonic() - begun)
        return result

    async def submit(self, answer: Any = None, *, key: str | None = None) -> CallResult:
        """Submits an answer; see `EpisodeProtocol.submit`, and `call` for the key."""
        environment = self.environment
        return await self.call(environment.submission.name, environment.submission_arguments(answer), key=key)

    # --- for the owner of the episode

    async def events(self) -> list[Event]:
        """Returns the events of the episode, after the calls that are in progress.

        Raises:
            EventsRemovedError: the episode ended, and the retention does not keep its events.
            JournalError: the events cannot be read.
        """

        async def read() -> list[Event]:
            return self.recorded_events()

        return await self._queue.run(read)

    def recorded_events(self) -> list[Event]:
        """Returns the events that are recorded by now; it does not wait for a call in progress.

        Raises:
            EventsRemovedError, JournalError: see `events`.
        """
        events = self._journal.events(self.id)
        if not events:
            raise EventsRemovedError(f"The events of episode {self.id} are no longer kept.")
        return events

    async def close(self, reason: str, *, state: EpisodeState = EpisodeState.CLOSED) -> None:
        """Ends the episode if it is open.

        Args:
            reason: why, for people.
            state: how the episode ends: `CLOSED` and `EXPIRED` earn no reward, `ABANDONED` is not scored.
        """

        async def end() -> None:
            if self.state is EpisodeState.OPEN:
                await self._end(state, reason=reason)

        await self._queue.run(end)

    def is_idle(self, now: float) -> bool:
        """Checks whether no call was made for longer than the limits allow.

        Args:
            now: the current time, in seconds of `time.monotonic`.
        """
        return not self._queue.busy and now - self.last_active > self.settings.limits.idle_seconds

    def keep_alive(self) -> None:
        """Counts as a call for `is_idle`, for a client that says that it is still there."""
        self.last_active = time.monotonic()

    async def cancel_actions(self) -> None:
        """Cancels the calls in progress, for a server that stops. An unrecorded call counts as not made."""
        await self._queue.cancel()

    def suspend(self) -> None:
        """Ends the environment's process; the next call rebuilds it."""
        self._runner.suspend()

    def forget_events(self) -> None:
        """Releases what an ended episode holds besides its state and its verdict."""
        self._events_by_key.clear()
        for name in ("task", "tools", "submission"):
            self.__dict__.pop(name, None)

    # --- calls

    async def _handle(self, request: ToolCallRequest) -> CallResult:
        if request.key in self._events_by_key:
            return self._earlier_result(request, self._events_by_key[request.key])
        if self.state is not EpisodeState.OPEN:
            text = f"The episode is over ({self.state.replace('_', ' ')}); no further calls are accepted."
            return CallResult(text=text, status=CallStatus.OVER, over=True)
        self.last_active = time.monotonic()
        try:
            if request.name == self.environment.submission.name:
                return await self._submit(request)
            return await self._call(request)
        finally:
            self.last_active = time.monotonic()

    def _earlier_result(self, request: ToolCallRequest, number: int) -> CallResult:
        """Returns the result that the journal holds of an earlier request with the same key."""
        event = self._journal.event(self.id, number)
        match event:
            case CallEvent():
                # A request that was too large to be stored has no name; it was refused.
                if event.name and (event.name, event.arguments) != (request.name, request.arguments):
                    return self._key_used
                return event.result
            case SubmittedEvent():
                if (self.environment.submission.name, event.arguments) != (request.name, request.arguments):
                    return self._key_used
                return self.acknowledgement()
        raise JournalError(f"Event {number} of episode {self.id} is neither a call nor a submission.")

    @property
    def _key_used(self) -> CallResult:
        return _KEY_USED.model_copy(update={"over": self.state is not EpisodeState.OPEN})

    async def _call(self, request: ToolCallRequest) -> CallResult:
        if self.calls >= self.settings.limits.calls:
            return await self._run_out()
        try:
            request.check_size(self.settings.limits)
            tool = self.environment.tool(request.name)
            tool.validate_arguments(request.arguments)
        except (NotFoundError, InvalidArgumentsError) as error:
            return await self._refuse(request, str(error))
        self.calls += 1
        try:
            event = await execute_call(self._runner, tool, request, self.settings.limits)
            await self._record(event)
        except BaseException:
            # A call that is not recorded was not made, also if it was cancelled: the next call finds the
            # state before this one.
            self.calls -= 1
            self.suspend()
            raise
        if event.digest:
            self._runner.calls.append(ReplayableCall(event.name, event.arguments, event.digest))
        if event.status is CallStatus.FAILED:
            await self._end(EpisodeState.FAILED, reason=event.reason)
        return event.result

    async def _refuse(self, request: ToolCallRequest, text: str) -> CallResult:
        """Counts and records a call that does not reach the environment."""
        result = CallResult(text=text, status=CallStatus.INVALID)
        try:
            request.check_size(self.settings.limits)
        except InvalidArgumentsError:
            request = ToolCallRequest("", {}, request.key)
        await self._record(request.event(result))
        self.calls += 1
        return result

    # --- the end

    async def _submit(self, request: ToolCallRequest) -> CallResult:
        try:
            request.check_size(self.settings.limits)
            self.environment.submission.validate_arguments(request.arguments)
        except InvalidArgumentsError as error:
            if self.calls >= self.settings.limits.calls:
                return await self._run_out()
            return await self._refuse(request, f"{error} Nothing was submitted.")
        submitted = SubmittedEvent(arguments=request.arguments, key=request.key)
        await self._record(submitted)
        return await self._reach_verdict(submitted)

    async def _reach_verdict(
        self, submitted: SubmittedEvent, obtained: StateEvent | None = None
    ) -> CallResult:
        """Judges a recorded submission and ends the episode.

        Args:
            obtained: the final state, if an earlier server has recorded it.
        """
        try:
            # A damaged journal can hold arguments that were never submitted.
            self.environment.submission.validate_arguments(submitted.arguments)
            if obtained is None and self.environment.final_state is not None:
                obtained = StateEvent(state=await obtain_final_state(self._runner, self.environment))
                # The earlier events imply the state: a restarted server obtains it by replay.
                with suppress(JournalError):
                    await self._record(obtained)
            self.verdict = await judge(
                self._pool,
                self.environment,
                self.full_task,
                next(iter(submitted.arguments.values()), None),
                self.settings.limits,
                state=obtained.state if obtained is not None else None,
                with_overlap=True,
                reference=self._known_reference if self._recent is not None else None,
            )
        except Exception as error:
            # Whatever the cause: an answer was submitted, so the episode cannot continue.
            await self._end(EpisodeState.FAILED, reason=f"No verdict: {error}")
        else:
            await self._end(EpisodeState.SUBMITTED)
        return self.acknowledgement()

    async def _known_reference(self) -> Any:
        assert self._recent is not None
        return await self._recent.reference(self.environment, self.full_task, self.settings.limits)

    def acknowledgement(self) -> CallResult:
        """Returns the result of a submission, as the agent receives it."""
        structured: dict[str, Any] = {"received": True}
        received = "Your answer was received." if self.environment.takes_answer else "Your work was received."
        text = f"{received} The episode is over."
        if self.settings.reveal and self.verdict is not None:
            structured |= self.verdict.model_dump(exclude_none=True)
            text += " It is correct." if self.verdict.correct else " It is not correct."
        return CallResult(text=text, structured=structured, over=True)

    async def _run_out(self) -> CallResult:
        allowed = self.settings.limits.calls
        await self._end(EpisodeState.OUT_OF_CALLS)
        text = f"All {allowed} calls are used up. The episode is over and no answer was submitted."
        return CallResult(text=text, status=CallStatus.OVER, over=True)

    async def _end(self, state: EpisodeState, *, reason: str = "") -> None:
        self.state = state
        self.reason = reason
        self.suspend()
        self._runner.calls.clear()
        # An episode whose opening was not recorded has no end either.
        if self._event_count:
            # The earlier events imply the end: without this event, a restarted server repeats work.
            with suppress(JournalError):
                await self._record(EndedEvent(state=state, reason=reason, verdict=self.verdict))
        if self.on_end is not None:
            self.on_end(self)

    async def _record(self, event: Event) -> None:
        await self._journal.append(self.id, self._event_count, event)
        if isinstance(event, CallEvent | SubmittedEvent):
            self._remember_key(event.key, self._event_count)
        self._event_count += 1

    def _remember_key(self, key: str | None, number: int) -> None:
        if key is not None:
            self._events_by_key[key] = number
