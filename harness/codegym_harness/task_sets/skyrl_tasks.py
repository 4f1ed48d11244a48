"""Tasks for SkyRL: https://docs.skyrl.ai/docs/datasets/dataset-preparation.

The environment adds the tools and the task text when an episode begins, so a row has the system prompt and an
empty message of the user. Columns that SkyRL does not know reach the environment.
"""

from codegym_harness.export.export_format import Row
from codegym_harness.task_sets.described_tasks import DescribedTask
from codegym_harness.task_sets.task_format import REFERENCE_COLUMNS, TaskFormat

ENVIRONMENT_CLASS = "codegym_mcp"
"""The id under which the environment class is registered."""


def row(task: DescribedTask, _: int) -> Row:
    """Returns the row of a task."""
    return {
        "data_source": f"codegym_mcp/{task.reference.environment}",
        "env_class": ENVIRONMENT_CLASS,
        "prompt": task.opening_messages,
        **task.columns,
        "calls": task.calls,
    }


FORMAT = TaskFormat(
    row,
    {
        "data_source": "text",
        "env_class": "text",
        "prompt": "list of messages",
        **REFERENCE_COLUMNS,
        "calls": "integer",
    },
)
