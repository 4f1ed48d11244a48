"""A language model as an agent: it is told the task, and plays by calling tools.

How an episode goes, and what each thing that can happen comes to:

- A reply may hold several calls. They are made in order, in one step of the trajectory, and all their results
  go into the next request. Calls that follow the submission in the same reply are not made.
- A reply without a call gets one reminder; a second one in a row ends the episode (`stop`: `text`, or
  `max_tokens` where the second was cut off). Where no answer is taken, text is the end at once.
- A reply that is cut at `max_tokens` counts for what it holds: whole calls are made, a call whose arguments
  break off is malformed, and text alone is a reply without a call.
- Arguments that are no JSON object reach no tool: the model is told so in the call's result. A tool that does
  not exist is the server's to refuse. Both stand in the trajectory as invalid calls.
- A refusal, of the model or of its provider's filter, ends the episode (`refusal`), and so does a
  conversation that is longer than the model can read (`context_overflow`), and the last of `turns` replies
  (`turns`).

All that is the agent's own doing: without an answer it counts as one that submitted none. Where the provider
fails, after all attempts, the rollout has failed and says nothing of the model. The time that the provider
made the model wait is not taken off the model's.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from pydantic import Field

from codegym_harness.agents.agent_context import AsyncAgentContext, RecordedTurn
from codegym_harness.records.trajectory import (
    AgentInfo,
    FailedAttempt,
    InvalidCall,
    Metrics,
    MetricsExtra,
    StopReason,
    ToolCallExtra,
)
from codegym_mcp.episode_interface import ToolView
from codegym_mcp.errors import ContextOverflowError
from codegym_mcp.models import Model, ModelConversation, ModelOptions, ModelReply, ModelToolCall, Retries
from codegym_mcp.version import VERSION

SUBMISSION = "{submission}"
"""In a system prompt: the name of the tool that submits the answer."""
DEFAULT_SYSTEM_PROMPT = (
    "Solve the task with the tools. When you know the answer, submit it with `{submission}`: "
    "the first valid submission is final and ends the episode."
)
_REMINDER = (
    "You have not called a tool. Go on with the tools, or submit your answer with `{submission}`: "
    "nothing else counts."
)
_MALFORMED = "The arguments of this call are no JSON object, so it was not made. Call the tool again."
_CUT = "Your reply reached its limit of tokens within this call, so it was not made. Call the tool again."
_OVER = "This call was not made: the episode is over."


class ModelAgentOptions(ModelOptions):
    """Which model plays, and how."""

    system_prompt: str = DEFAULT_SYSTEM_PROMPT
    """`{submission}` stands for the tool that submits the answer; empty for no system prompt."""
    turns: int = Field(default=256, ge=1)
    """Replies that an episode may have."""


class ModelAgent:
    """Plays by asking a language model. Use `ModelAgent.open`."""

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
    ) -> AsyncIterator["ModelAgent"]:
        """An agent until the block is left.

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
            turn = _record(context, reply)
            if reply.calls and reply.refusal is None:
                reminded = False
                if await _make_calls(context, turn, conversation, reply):
                    return
            elif reply.refusal is not None:
                context.stop = StopReason.REFUSAL
                return
            elif reminded or not context.scored:
                context.stop = StopReason.MAX_TOKENS if reply.finish == "length" else StopReason.TEXT
                return
            else:
                reminded = True
                _remind(context, conversation)
        context.stop = StopReason.TURNS

    def _begin(self, context: AsyncAgentContext) -> ModelConversation:
        system = self._options.system_prompt.replace(SUBMISSION, context.submission.name)
        if system:
            context.record_system_prompt(system)
        conversation = self.model.conversation(system)
        conversation.say(context.task.text)
        return conversation


def _remind(context: AsyncAgentContext, conversation: ModelConversation) -> None:
    text = _REMINDER.replace(SUBMISSION, context.submission.name)
    context.record_user_message(text)
    conversation.say(text)


async def _make_calls(
    context: AsyncAgentContext, turn: RecordedTurn, conversation: ModelConversation, reply: ModelReply
) -> bool:
    """Makes the calls of a reply; returns whether the episode is over."""
    over = False
    for call in reply.calls:
        extra = _extra(call, context.offered)
        if over:
            turn.decline(call.name, _OVER, id=call.id, extra=extra)
        elif call.arguments is None:
            context.malformed_calls += 1
            text = _CUT if reply.finish == "length" else _MALFORMED
            turn.decline(call.name, text, id=call.id, extra=extra)
            conversation.answer(call, text, is_error=True)
        else:
            result = await turn.call(call.name, call.arguments, id=call.id, extra=extra)
            conversation.answer(call, result.text, is_error=result.is_error)
            over = result.over
    return over


def _extra(call: ModelToolCall, offered: Sequence[ToolView]) -> ToolCallExtra | None:
    raw = None if call.is_compact else call.raw
    if call.arguments is None:
        return ToolCallExtra(raw_arguments=raw, invalid=InvalidCall.MALFORMED_ARGUMENTS)
    if all(call.name != tool.name for tool in offered):
        return ToolCallExtra(raw_arguments=raw, invalid=InvalidCall.UNKNOWN_TOOL)
    return ToolCallExtra(raw_arguments=raw) if raw is not None else None


def _record(context: AsyncAgentContext, reply: ModelReply) -> RecordedTurn:
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
        ),
    )
    return context.begin_turn(
        message=reply.text or reply.refusal or "",
        model_name=reply.model or None,
        reasoning_content=reply.reasoning,
        metrics=metrics,
    )
