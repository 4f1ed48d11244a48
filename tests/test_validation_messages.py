"""Tests of messages about validation errors."""

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from codegym_mcp.validation_messages import first_fault


class Shelf(BaseModel):
    model_config = ConfigDict(extra="forbid")

    boxes: list[int] = []

    @field_validator("boxes")
    @classmethod
    def _check_boxes(cls, boxes: list[int]) -> list[int]:
        if 13 in boxes:
            raise ValueError("13 is not allowed")
        assert 7 not in boxes, "7 is not allowed"
        return boxes


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        ({"boxes": ["a"]}, "int_parsing", "boxes.0: Input should be a valid integer"),
        ({"boxes": [13]}, "value_error", "boxes: 13 is not allowed"),
        ({"boxes": [7]}, "assertion_error", "boxes: 7 is not allowed"),
        ({"lid": 1}, "extra_forbidden", "lid: Extra inputs are not permitted"),
        (5, "model_type", "Input should be a valid dictionary or instance of Shelf"),
    ],
)
def test_the_first_fault_has_its_place_and_no_prefix(data: Any, kind: str, text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Shelf.model_validate(data)
    fault = first_fault(caught.value)

    assert fault.kind == kind
    assert str(fault).startswith(text)
