from typing import Any, Literal

import pytest
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from codegym_mcp.environment_definition.tools import plain_schema
from codegym_mcp.verification.gates.described_gate import check_described, open_places


class Point(TypedDict):
    x: int
    named: dict[str, list[str]]


class Loose(TypedDict):
    x: Any
    parts: list[dict[str, Any]]


@pytest.mark.parametrize(
    "annotation",
    [int, str | None, Literal["a", 1], list[list[int]], dict[str, float], tuple[int, str], Point],
)
def test_a_full_schema_is_open_nowhere(annotation: Any) -> None:
    assert not open_places(plain_schema(TypeAdapter(annotation)))


@pytest.mark.parametrize(
    ("annotation", "places"),
    [
        (Any, ["the top level"]),
        (list[Any], ["[]"]),
        (dict[str, Any], ["{}"]),
        (int | list[Any], ["[]"]),
        (tuple[int, Any], ["[1]"]),
        (list[dict[str, list[Any]]], ["[]{}[]"]),
        (Loose, ["x", "parts[]{}"]),
    ],
)
def test_an_open_schema_is_named_where_it_is_open(annotation: Any, places: list[str]) -> None:
    assert open_places(plain_schema(TypeAdapter(annotation))) == places


def test_results_and_answers_must_be_declared_as_well(declare) -> None:
    environment = declare(
        '''
        """Look."""

        META = {"title": "Open"}


        class Environment:
            def __init__(self, number: int):
                self.number = number

            def look(self) -> dict:
                """Look at the number."""
                return {"number": self.number}


        def reference(number: int) -> list:
            return [number]


        def solve(tools):
            return [tools.look()["number"]]
        '''
    )
    told = [problem.message for problem in check_described(environment)]
    assert told == [
        "The tool look: its result may be anything at {}.",
        "The tool submit_answer: its arguments may be anything at answer[].",
    ]
