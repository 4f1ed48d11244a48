import pytest
from pydantic import ValidationError

from codegym_mcp.episode_protocol import CallResult, CallStatus
from codegym_mcp.errors import ToolError


@pytest.mark.parametrize(
    ("structured", "value"),
    [
        (None, "the text"),
        ({"result": 3}, 3),
        ({"result": None}, None),
        ({"floor": 1, "sound": "above"}, {"floor": 1, "sound": "above"}),
        ({"result": 1, "more": 2}, {"result": 1, "more": 2}),
        ({}, {}),
    ],
)
def test_the_value_of_a_result_is_its_data_or_else_its_text(
    structured: dict[str, object] | None, value: object
) -> None:
    result = CallResult(text="the text", structured=structured)
    assert not result.is_error
    assert result.value == value


@pytest.mark.parametrize("status", [status for status in CallStatus if status is not CallStatus.OK])
def test_the_value_of_an_error_raises_what_the_agent_reads(status: CallStatus) -> None:
    result = CallResult(text="You cannot go there.", status=status)
    assert result.is_error
    with pytest.raises(ToolError) as caught:
        _ = result.value
    assert str(caught.value) == "You cannot go there."


def test_a_result_is_read_from_its_own_json_and_refuses_unknown_fields() -> None:
    result = CallResult(text="x", status=CallStatus.LIMIT, over=True)
    assert CallResult.model_validate_json(result.model_dump_json()) == result
    with pytest.raises(ValidationError, match="is_error"):
        CallResult.model_validate({"text": "x", "is_error": True})
