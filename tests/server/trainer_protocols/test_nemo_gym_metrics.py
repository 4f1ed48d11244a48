"""Metrics of many rollouts."""

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.server.trainer_protocols.nemo_gym_metrics import aggregate


def rollout(task: int, index: int, reward: float, **fields: Any) -> dict[str, Any]:
    return {"_ng_task_index": task, "_ng_rollout_index": index, "reward": reward, **fields}


def test_no_rollouts_have_no_metrics() -> None:
    assert aggregate([]).model_dump() == {"group_level_metrics": [], "agent_metrics": {}, "key_metrics": {}}


def test_numbers_are_described_by_task_and_together() -> None:
    metrics = aggregate(
        [rollout(1, 0, 1.0, calls=4, name="x"), rollout(0, 0, 0.0, calls=2), rollout(1, 1, 0.0, correct=True)]
    )
    first, second = metrics.group_level_metrics
    assert (first["_ng_task_index"], second["_ng_task_index"]) == (0, 1)
    assert second["mean/reward"] == 0.5
    assert second["std/reward"] == math.sqrt(0.5)
    assert first["std/reward"] == 0.0
    assert metrics.agent_metrics["max/calls"] == 4.0
    assert metrics.agent_metrics["median/reward"] == 0.0
    assert metrics.agent_metrics["num_repeats"] == 2
    assert metrics.agent_metrics["mean/correct"] == 1.0
    assert set(metrics.key_metrics) == {"mean/reward", "mean/calls", "mean/correct"}


def test_a_masked_rollout_is_counted_and_is_no_zero() -> None:
    metrics = aggregate(
        [rollout(0, 0, 1.0), rollout(0, 1, 0.0, mask_sample=True), rollout(1, 0, 0.0, mask_sample=True)]
    )
    assert metrics.agent_metrics["mean/reward"] == 1.0
    assert metrics.key_metrics["coverage/masked_rollouts"] == 2
    assert metrics.key_metrics["coverage/measured_rollouts"] == 1
    assert metrics.key_metrics["coverage/measured_tasks"] == 1
    assert metrics.key_metrics["coverage/fully_masked_tasks"] == 1


def test_of_masked_rollouts_alone_there_is_no_mean() -> None:
    metrics = aggregate([rollout(0, 0, 0.0, mask_sample=True)])
    assert "mean/reward" not in metrics.agent_metrics
    assert metrics.group_level_metrics == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["reward", "_ng_task_index", "_ng_rollout_index", "mask_sample"]) | st.text(
    max_size=3
)


@given(st.lists(st.dictionaries(NAMES, JSON, max_size=4), max_size=6))
def test_whatever_was_sent_the_metrics_are_json(rollouts: list[dict[str, Any]]) -> None:
    json.dumps(aggregate(rollouts).model_dump(), allow_nan=False)
