"""An agent that is a language model: it receives the task and plays by calling tools.

The rules of an episode:

- A reply may contain several calls. They are executed in order, in one step of the trajectory, and all their
  results are part of the next request. Calls after the submission in the same reply are recorded and not
  executed.
- After a reply without a call, the model receives one reminder. A second such reply in a row ends the episode
  (`stop`: `text`, or `max_tokens` if the second reply was cut off). If the server takes no answer, the first
  reply without a call ends it.
- A reply that is cut off at `max_tokens` counts for what it contains: complete calls are executed, and a call
  whose arguments are incomplete is malformed.
- A call whose arguments are not a JSON object is not executed: the model receives an error as its result. It
  counts as one of the calls that the episode allows, and when they are used up, the episode ends (`calls`). A
  call of an unknown tool is refused by the server. Both are marked as invalid in the trajectory.
- A refusal by the model or by its provider's filter ends the episode (`refusal`). So do a conversation that
  is too long for the model (`context_overflow`) and the last of `turns` replies (`turns`).

In all these cases an episode without an answer counts as one without a submission. If the provider fails in
every attempt, the rollout has failed and is not scored. Time spent waiting between attempts is not part of
the model's time.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from pydantic import Field

from codegym_harness.agents.agent_context import AsyncAgentContext, RecordedTurn
from codegym_harness.agents.system_prompt import (
    DEFAULT_SYSTEM_PROMPT,
    render_reminder,
    render_system_prompt,
)
from codegym_harness.records.trajectory import (
    AgentInfo,
    FailedAttempt,
    InvalidCall,
    Metrics,
    MetricsExtra,
    StopReason,
    ToolCallExtra,
)
from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.errors import ContextOverflowError
from codegym_mcp.models import (
    FinishReason,
    Model,
    ModelConversation,
    ModelOptions,
    ModelReply,
    ModelToolCall,
    Retries,
)
from codegym_mcp.version import VERSION

_MALFORMED = "The arguments of this call are not a JSON object ({problem}), so it was not executed:\n{raw}"
_CUT_OFF = "Your reply reached its maximum number of tokens within this call, so it was not executed."
_RETRY = "Call the tool again."
_OVER = "This call was not executed: the episode is over."
_OUT_OF_CALLS = "This call was not executed: all {calls} calls are used up, and the episode is over."
_MAX_RAW = 1000
"""Maximum length of malformed arguments that the model receives back, in characters."""


class ModelAgentOptions(ModelOptions):
    """The options that select a model and control how it plays."""

    system_prompt: str = DEFAULT_SYSTEM_PROMPT
    """The system prompt; an empty text for none. `{submission}` is replaced by the name of the tool that
    submits the answer, `{calls}` by the number of calls that the episode allows."""
    turns: int = Field(default=256, ge=1)
    """Maximum number of replies in an episode."""


class LanguageModelAgent:
    """Plays with a language model. Use `LanguageModelAgent.open`.

    Attributes:
        model: the model.
        info: the agent's name and options, as trajectories record them.
    """

    def __init__(self, model: Model, options: ModelAgentOptions) -> None:
        self.model = model
        self._options = options
        given = options.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
        self.info = AgentInfo(
            name="model",
            version=VERSION,
            model_name=options.name,
            extra={"options": given} if given else None,
        )

    @classmethod
    @asynccontextmanager
    async def open(
        cls, options: ModelAgentOptions, *, retries: Retries | None = None
    ) -> AsyncIterator["LanguageModelAgent"]:
        """Opens an agent until the block ends.

        Raises:
            CodegymError: the model cannot be used; see `Model.open` and `Model.check`.
        """
        async with Model.open(options, retries=retries) as model:
            await model.check()
            yield cls(model, options)

    async def play(self, context: AsyncAgentContext) -> None:
        """Plays one episode; see `Agent.play`.

        Raises:
            ModelError: the provider failed, or refuses the request.
            RunHaltedError: the model cannot be used any more.
        """
        try:
            await self._play(context)
        except ContextOverflowError:
            context.stop = StopReason.CONTEXT_OVERFLOW

    async def _play(self, context: AsyncAgentContext) -> None:
        conversation = self._begin(context)
        seed = self._options.seed
        reminded = False
        for _ in range(self._options.turns):
            with context.deadline.paused():
                reply = await self.model.request(
                    conversation,
                    context.offered,
                    seed=None if seed is None else seed + context.epoch - 1,
                    attempt=context.deadline.resumed,
                )
            turn = _record_reply(context, reply)
            if reply.refusal is not None:
                context.stop = StopReason.REFUSAL
                return
            if reply.calls:
                reminded = False
                if await _execute_calls(context, turn, conversation, reply):
                    return
            elif reminded or not context.scored:
                cut_off = reply.finish is FinishReason.LENGTH
                context.stop = StopReason.MAX_TOKENS if cut_off else StopReason.TEXT
                return
            else:
                reminded = True
                _remind(context, conversation)
        context.stop = StopReason.TURNS

    def _begin(self, context: AsyncAgentContext) -> ModelConversation:
        system = render_system_prompt(self._options.system_prompt, context.submission.name, context.max_calls)
        if system:
            context.record_system_prompt(system)
        conversation = self.model.conversation(system)
        conversation.say(context.task.text)
        return conversation


def _remind(context: AsyncAgentContext, conversation: ModelConversation) -> None:
    text = render_reminder(context.submission.name)
    context.record_user_message(text)
    conversation.say(text)


async def _execute_calls(
    context: AsyncAgentContext, turn: RecordedTurn, conversation: ModelConversation, reply: ModelReply
) -> bool:
    """Executes the calls of a reply; returns whether the episode is over."""
    over = False
    for call in reply.calls:
        extra = _call_extra(call, context.offered, over=over)
        if over:
            turn.decline(call.name, _OVER, arguments=call.arguments, id=call.id, extra=extra)
        elif call.arguments is None:
            text = _malformed_text(call, reply)
            if context.remaining_calls == 0:
                over = True
                context.stop = StopReason.CALLS
                text = _OUT_OF_CALLS.format(calls=context.max_calls)
            context.malformed_calls += 1
            turn.decline(call.name, text, id=call.id, extra=extra)
            conversation.answer(call, text, is_error=True)
        elif _exceeds_budget(context, call):
            over = True
            context.stop = StopReason.CALLS
            text = _OUT_OF_CALLS.format(calls=context.max_calls)
            turn.decline(call.name, text, arguments=call.arguments, id=call.id, extra=extra)
        else:
            result = await turn.call(call.name, call.arguments, id=call.id, extra=extra)
            conversation.answer(call, result.text, is_error=result.is_error)
            over = result.over
    return over


def _exceeds_budget(context: AsyncAgentContext, call: ModelToolCall) -> bool:
    """Checks whether malformed calls have used up the budget, which the server does not know."""
    submits = context.scored and call.name == context.submission.name
    return context.malformed_calls > 0 and context.remaining_calls == 0 and not submits


def _malformed_text(call: ModelToolCall, reply: ModelReply) -> str:
    if reply.finish is FinishReason.LENGTH:
        return f"{_CUT_OFF} {_RETRY}"
    raw = call.raw if len(call.raw) <= _MAX_RAW else f"{call.raw[:_MAX_RAW]}…"
    return f"{_MALFORMED.format(problem=call.problem, raw=raw)}\n{_RETRY}"


def _call_extra(call: ModelToolCall, offered: Sequence[ToolView], *, over: bool) -> ToolCallExtra | None:
    invalid = None
    if call.arguments is None:
        invalid = InvalidCall.MALFORMED_ARGUMENTS
    elif over:
        invalid = InvalidCall.AFTER_END
    elif all(call.name != tool.name for tool in offered):
        invalid = InvalidCall.UNKNOWN_TOOL
    raw = None if call.is_compact else call.raw
    if raw is None and invalid is None:
        return None
    return ToolCallExtra(raw_arguments=raw, sent_arguments=None if over else call.sent, invalid=invalid)


def _record_reply(context: AsyncAgentContext, reply: ModelReply) -> RecordedTurn:
    usage = reply.usage
    failed = [
        FailedAttempt(
            error=failure.error,
            status=failure.status,
            seconds=round(failure.seconds, 3),
            waited=round(failure.waited, 3),
        )
        for failure in reply.failures
    ]
    metrics = Metrics(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=usage.cached_tokens,
        cost_usd=usage.cost,
        prompt_token_ids=reply.prompt_token_ids,
        completion_token_ids=reply.completion_token_ids,
        logprobs=reply.logprobs,
        extra=MetricsExtra(
            seconds=round(reply.seconds, 6),
            finish_reason=reply.finish,
            provider_finish_reason=reply.finish_raw,
            reasoning_tokens=usage.reasoning_tokens,
            failed_attempts=failed or None,
            request_changes=list(reply.changes) or None,
        ),
    )
    return context.begin_turn(
        message=reply.text or reply.refusal or "",
        model_name=reply.model or None,
        reasoning_content=reply.reasoning,
        metrics=metrics,
    )
