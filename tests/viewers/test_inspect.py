"""Inspect reads the logs that are exported for it."""

import pytest
from inspect_ai.log import list_eval_logs, read_eval_log, read_eval_log_samples
from inspect_ai.model import ContentReasoning, ContentText

from codegym_harness.export.export import export
from tests.conversations import exchanges

pytestmark = pytest.mark.viewers


def found_in(messages):
    """The exchanges in the messages of a sample."""
    found = []
    for message in messages:
        if message.role == "assistant":
            parts = message.content if isinstance(message.content, list) else []
            reasoning = next((part.reasoning for part in parts if isinstance(part, ContentReasoning)), None)
            text = next((part.text for part in parts if isinstance(part, ContentText)), None)
            calls = [(call.function, call.arguments) for call in message.tool_calls or []]
            found.append(("agent", message.content if text is None else text, reasoning, calls))
        elif message.role == "tool":
            found.append(("result", message.content))
        else:
            found.append((message.role, message.content))
    return found


def test_every_message_call_argument_and_result_is_in_the_log(exported, recorded, run):
    (listed,) = list_eval_logs(str(exported("inspect", "logs")))
    header = read_eval_log(listed, header_only=True)
    status = "cancelled" if run.name == "model" else "success"
    assert (header.status, header.results.total_samples) == (status, len(recorded))
    samples = list(read_eval_log_samples(listed, all_samples_required=False))
    assert len(samples) == len(recorded)
    for sample in samples:
        record = recorded[f"{sample.id}/{sample.epoch}"]
        assert found_in(sample.messages) == exchanges(record)
        expected = record.extra.verdict.reward if record.extra.verdict is not None else None
        if record.extra.outcome == "no_submission":
            expected = 0.0
        score = (sample.scores or {}).get("codegym")
        assert (score.value if score is not None else None) == expected
        assert (sample.error is not None) == (record.extra.error is not None)
        assert sample.metadata["key"] == record.extra.key
        results = [message for message in sample.messages if message.role == "tool"]
        flags = [
            result.extra.is_error
            for step in record.steps
            if step.observation is not None
            for result in step.observation.results
        ]
        assert [result.error is not None for result in results] == flags


def test_the_mean_reward_is_that_of_the_run(exported, run):
    from codegym_harness.runs.run_index import read_summary

    (listed,) = list_eval_logs(str(exported("inspect", "logs")))
    metrics = read_eval_log(listed, header_only=True).results.scores[0].metrics
    assert metrics["mean"].value == pytest.approx(read_summary(run).reward)


def test_raw_arguments_and_usage_are_kept(model_run, tmp_path):
    export([model_run], "inspect", tmp_path / "logs")
    (listed,) = list_eval_logs(str(tmp_path / "logs"))
    samples = {
        sample.metadata["key"]: sample for sample in read_eval_log_samples(listed, all_samples_required=False)
    }
    sample = samples["lift/priced/1"]
    turns = [message for message in sample.messages if message.role == "assistant"]
    assert turns[0].metadata["metrics"]["cost_usd"] == 0.25
    (kept,) = turns[1].metadata["tool_calls"].values()
    assert kept == {"raw_arguments": '{"floors": ', "invalid": "malformed_arguments"}
    assert turns[1].tool_calls[0].parse_error == "malformed_arguments"
    assert samples["lift/failed/1"].error.message.startswith("ModelError: <script>")
