"""Tasks for verl: https://verl.readthedocs.io/en/latest/preparation/prepare_data.html.

The agent loop reads `extra_info`, and verl groups its validation figures by `data_source`. verl requires a
`ground_truth`; the verdict is the episode's, so it is empty.
"""

from codegym_harness.export.export_format import Row
from codegym_harness.task_sets.described_tasks import DescribedTask
from codegym_harness.task_sets.task_format import REFERENCE_COLUMNS, TaskFormat

AGENT_NAME = "codegym_mcp"
"""The name under which the agent loop is registered."""


def row(task: DescribedTask, index: int) -> Row:
    """Returns the row of a task."""
    return {
        "data_source": f"codegym_mcp/{task.reference.environment}",
        "agent_name": AGENT_NAME,
        "prompt": task.messages,
        "reward_model": {"style": "rule", "ground_truth": ""},
        "extra_info": {"index": index, **task.columns, "calls": task.calls},
    }


FORMAT = TaskFormat(
    row,
    {
        "data_source": "text",
        "agent_name": "text",
        "prompt": "list of messages",
        "reward_model": {"style": "text", "ground_truth": "text"},
        "extra_info": {"index": "integer", **REFERENCE_COLUMNS, "calls": "integer"},
    },
)
