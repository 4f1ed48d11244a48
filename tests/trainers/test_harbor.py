"""Harbor, whose format ATIF is, reads what is exported in it."""

import json

import pytest

from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.evaluation_prompt import with_system_prompt
from tests.conversations import exchanges
from tests.trainers.reading import load
from tests.trainers.trainer_code import HarborTrajectory

pytestmark = pytest.mark.trainers


def read(trajectory):
    """The exchanges in Harbor's own model of a trajectory."""
    found = []
    for step in trajectory.steps:
        if step.source != "agent":
            found.append((step.source, step.message))
            continue
        calls = [(call.function_name, call.arguments) for call in step.tool_calls or []]
        found.append(("agent", step.message, step.reasoning_content, calls))
        results = step.observation.results if step.observation is not None else []
        found += [("result", result.content) for result in results]
    return found


def test_harbor_finds_every_message_call_argument_and_result(exported, recorded):
    path = exported("atif")
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    else:
        rows = load(path).to_list()
    assert len(rows) == len(recorded)
    for row, record in zip(rows, recorded, strict=True):
        prompted = with_system_prompt(record, LossCounts())
        assert read(HarborTrajectory.model_validate(row)) == exchanges(prompted)
