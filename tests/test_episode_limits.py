import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from codegym_mcp.episode_limits import MIB, Limits


@pytest.mark.parametrize(
    "wrong",
    [
        {"calls": 0},
        {"calls": 100_001},
        {"call_seconds": 0},
        {"call_seconds": 601},
        {"call_seconds": float("nan")},
        {"start_seconds": -1},
        {"memory_bytes": 1},
        {"memory_bytes": 1 << 70},
        {"result_bytes": 10},
        {"result_bytes": 2 * MIB},
        {"argument_bytes": 10},
        {"argument_bytes": 2 * MIB},
        {"idle_seconds": 0},
        {"idle_seconds": float("inf")},
        {"idle_seconds": float("nan")},
        {"moves": 3},
    ],
    ids=str,
)
def test_a_limit_out_of_its_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Limits.model_validate(wrong)


def test_limits_do_not_change() -> None:
    limits = Limits()
    with pytest.raises(ValidationError):
        limits.calls = 3  # type: ignore[misc]


@given(
    st.builds(
        Limits,
        calls=st.integers(1, 100_000),
        call_seconds=st.floats(0.001, 600),
        idle_seconds=st.floats(0.001, 1e9),
        memory_bytes=st.integers(16 * MIB, 1 << 40),
    )
)
def test_limits_are_read_from_their_own_json(limits: Limits) -> None:
    assert Limits.model_validate(json.loads(limits.model_dump_json())) == limits
    assert Limits.model_validate(limits.model_dump(mode="json")) == limits
