"""Rows for TRL's SFTTrainer: https://huggingface.co/docs/trl/dataset_formats.

Arguments are objects. `tools` is a JSON string, since Arrow would merge the different schemas of a list.
Turns with invalid calls have the member `train`, which is false: Axolotl does not train on them, with
`message_field_training: train`; TRL's `assistant_only_loss` takes its mask from the chat template and ignores
the member.
TRL reads files with `datasets`, so the limits of `datasets` on numbers apply.
"""

from collections.abc import Iterator
from typing import Any

from pydantic_core import to_json

from codegym_harness.export.chat_messages import chat_messages
from codegym_harness.export.conversion_counts import LossCounts, UnfitError
from codegym_harness.export.export_format import Format, Row
from codegym_harness.export.training_conversation import TrainingCall, converse
from codegym_harness.records.trajectory import Trajectory

DECIMALS = "steps.tool_calls.arguments (decimals beyond the tenth)"
"""Lost when `datasets` reads JSON Lines; in Parquet, numbers are exact."""

_WHOLE_NUMBERS_READ = range(-(2**63), 2**64)


def row(trajectory: Trajectory, counts: LossCounts) -> Row:
    """Returns the row of a trajectory.

    Raises:
        UnfitError: the trajectory holds an integer that `datasets` cannot read, or no turn of the agent.
    """

    def arguments(call: TrainingCall) -> dict[str, Any]:
        if call.raw is not None:
            counts.lost["steps.tool_calls.extra.raw_arguments"] += 1
        for number in _numbers(call.arguments):
            if isinstance(number, float):
                counts.lost[DECIMALS] += _as_read(number) != number
            elif number not in _WHOLE_NUMBERS_READ:
                raise UnfitError("whole numbers beyond 64 bits")
        return call.arguments

    conversation = converse(trajectory, counts)
    messages = chat_messages(conversation, arguments, mask={"train": False})
    return {"messages": messages, "tools": to_json(conversation.tools).decode()}


def _as_read(number: float) -> float:
    """Returns a number as `datasets` reads it: ten decimals, or ten digits if very large or small."""
    return round(number, 10) if 1e-16 <= abs(number) < 1e16 else float(f"{number:.10g}")


def _numbers(data: Any) -> Iterator[int | float]:
    match data:
        case dict():
            for value in data.values():
                yield from _numbers(value)
        case list():
            for value in data:
                yield from _numbers(value)
        case int() | float():
            yield data


FORMAT = Format(
    row,
    {"messages": "list of JSON", "tools": "text"},
    only_in_jsonl=frozenset({DECIMALS}),
    takes_metadata=True,
)
