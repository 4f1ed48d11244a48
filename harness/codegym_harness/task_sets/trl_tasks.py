"""Tasks for TRL's GRPO trainers with the environments of `GymSpec`: https://huggingface.co/docs/trl.

The environment appends the task text to the last message when an episode begins, so a row has the system
prompt and an empty message of the user.
"""

from codegym_harness.export.export_format import Row
from codegym_harness.task_sets.described_tasks import DescribedTask
from codegym_harness.task_sets.task_format import REFERENCE_COLUMNS, TaskFormat


def row(task: DescribedTask, _: int) -> Row:
    """Returns the row of a task."""
    return {"prompt": task.opening_messages, **task.columns}


FORMAT = TaskFormat(
    row,
    {"prompt": "list of messages", **REFERENCE_COLUMNS},
    reserved=frozenset({"reset", "get_reward"}),
)
