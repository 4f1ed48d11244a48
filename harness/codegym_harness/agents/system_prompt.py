"""The system prompt of a language model that plays an episode."""

import re

SUBMISSION = "{submission}"
"""Placeholder in a system prompt for the name of the tool that submits the answer."""
CALLS = "{calls}"
"""Placeholder in a system prompt for the number of calls that the episode allows."""
DEFAULT_SYSTEM_PROMPT = (
    "Solve the task with the tools. You may make at most {calls} calls. When you know the answer, submit it "
    "with `{submission}`: the first valid submission is final and ends the episode."
)


def render_system_prompt(template: str, submission: str, max_calls: int | None) -> str:
    """Fills in the placeholders of a system prompt.

    Args:
        submission: the name of the tool that submits the answer.
        max_calls: the calls that the episode allows. If it is None, the sentence with `{calls}` is removed.
    """
    if max_calls is None:
        template = re.sub(r"[^.]*\{calls\}[^.]*\.?", "", template)
    return template.replace(SUBMISSION, submission).replace(CALLS, str(max_calls))
