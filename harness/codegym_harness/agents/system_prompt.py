"""The system prompt of a language model that plays an episode, and the reminder to call tools."""

import re

SUBMISSION = "{submission}"
"""Placeholder in a system prompt for the name of the tool that submits the answer."""
CALLS = "{calls}"
"""Placeholder in a system prompt for the number of calls that the episode allows."""
DEFAULT_SYSTEM_PROMPT = (
    "Solve the task with the tools. You may make at most {calls} calls. When you know the answer, submit it "
    "with `{submission}`: the first valid submission is final and ends the episode."
)

_REMINDER = (
    "You have not called a tool. Continue with the tools, or submit your answer with `{submission}`: "
    "an answer in a message does not count."
)


def render_reminder(submission: str) -> str:
    """Returns the message to a model that replied without a tool call.

    Args:
        submission: the name of the tool that submits the answer.
    """
    return _REMINDER.replace(SUBMISSION, submission)


def render_system_prompt(template: str, submission: str, max_calls: int | None) -> str:
    """Fills in the placeholders of a system prompt.

    Args:
        submission: the name of the tool that submits the answer.
        max_calls: the calls that the episode allows. If it is None, the sentence with `{calls}` is removed.
    """
    if max_calls is None:
        template = re.sub(r"[^.]*\{calls\}[^.]*\.?", "", template)
    return template.replace(SUBMISSION, submission).replace(CALLS, str(max_calls))
