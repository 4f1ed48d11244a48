"""Tasks for NeMo Gym: a request of OpenAI's Responses interface, and the fields that open the episode.

https://docs.nvidia.com/nemo/gym/latest/data. NeMo Gym's own preparation of data adds the reference to an
agent.
"""

from typing import Any

from codegym_harness.export.export_format import Row
from codegym_harness.task_sets.described_tasks import DescribedTask
from codegym_harness.task_sets.task_format import TaskFormat
from codegym_mcp.episode_protocol import ToolView


def row(task: DescribedTask, _: int) -> Row:
    """Returns the row of a task, without the fields of the reference that are not used."""
    request = {"input": task.messages, "tools": [_tool(tool) for tool in task.tools]}
    reference = {name: value for name, value in task.columns.items() if value is not None}
    return {"responses_create_params": request, **reference}


def _tool(tool: ToolView) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.input_schema,
        # Parameters with a default are not required, which strict schemas do not allow.
        "strict": False,
    }


FORMAT = TaskFormat(
    row,
    {},
    suffixes=(".jsonl",),
    reserved=frozenset({"verify", "seed_session", "close_session", "aggregate_metrics", "mcp"}),
)
"""NeMo Gym reads JSON Lines alone, so there are no typed columns."""
