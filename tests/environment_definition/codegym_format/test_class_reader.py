"""Classes in the CodeGym format become environments."""

from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.environment_definition.codegym_format.class_reader import read_codegym_source
from codegym_mcp.environment_definition.codegym_format.environment_names import environment_name
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.environment_reader import dialect_of
from codegym_mcp.errors import InvalidArgumentsError, SourceError
from codegym_mcp.sandbox.language.environment_dialects import Dialect
from codegym_mcp.source_parsing import parse_source
from tests.environment_definition.codegym_format.reading import read_codegym_file

FIXTURES = Path(__file__).parents[2] / "fixtures"
ORCHARD = FIXTURES / "codegym" / "Orchard_7__LightestBasketEnv.py"
KILN = FIXTURES / "codegym" / "Kiln_12__MeanHeatEnv.py"


@pytest.fixture
def orchard() -> Environment:
    return read_codegym_file(ORCHARD)


@pytest.fixture
def kiln() -> Environment:
    return read_codegym_file(KILN)


def changed(path: Path, old: str, new: str) -> str:
    source = path.read_text(encoding="utf-8")
    assert old in source
    return source.replace(old, new)


def read(source: str, name: str = "changed") -> Environment:
    return read_codegym_source(source, name=name, path="changed.py")


@pytest.mark.parametrize(
    ("source", "dialect"),
    [
        (ORCHARD.read_text(encoding="utf-8"), Dialect.CODEGYM),
        ((FIXTURES / "counter.py").read_text(encoding="utf-8"), Dialect.NATIVE),
        ("# func_mapping\nclass Environment:\n    pass\n", Dialect.NATIVE),
        ("", Dialect.NATIVE),
    ],
    ids=["codegym", "native", "mention in a comment", "empty"],
)
def test_the_dialect_of_a_source_is_recognized(source: str, dialect: Dialect) -> None:
    assert dialect_of(parse_source(source, "path")) is dialect


def test_an_environment_has_the_name_of_its_file(orchard: Environment) -> None:
    assert orchard.name == "Orchard_7__LightestBasketEnv"
    assert orchard.title == "Lightest basket"
    assert orchard.license == "MIT"
    assert orchard.program.entry == "LightestBasketEnv"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Set 1/2__AEnv", "Set_1_2__AEnv"),
        ("plain_1", "plain_1"),
        ("a-b.c", "a_b_c"),
        ("\u00e9t\u00e9", "_t_"),
    ],
)
def test_names_are_letters_digits_and_underscores(text: str, name: str) -> None:
    assert environment_name(text) == name


def test_tools_are_those_of_func_mapping_and_done_is_the_submission(orchard: Environment) -> None:
    names = ["CountBaskets", "ReadBasket", "LighterOf", "MarkBasket", "Observe"]
    assert [tool.name for tool in orchard.tools] == names
    assert orchard.submission.name == "Done"
    assert orchard.submission.input_schema["properties"]["answer"]["type"] == "string"
    assert orchard.judge == "done"


def test_docstrings_describe_tools_and_parameters(orchard: Environment) -> None:
    tool = orchard.tool("ReadBasket")
    assert tool.title == "Read basket"
    assert (
        tool.description == "Read the label of one basket.\n\nReturns: The address and the weight, as a pair."
    )
    assert tool.input_schema["properties"]["position"]["description"] == "Where it stands, counted from 0."
    assert tool.input_schema["required"] == ["position"]
    assert tool.output_schema["properties"] == {"result": {"type": "string"}}


def test_types_come_from_docstrings_if_annotations_are_missing(kiln: Environment) -> None:
    assert kiln.tool("AddUp").input_schema == {
        "type": "object",
        "additionalProperties": False,
        "required": ["heats", "start"],
        "properties": {
            "heats": {"type": "array", "items": {"type": "number"}, "description": "The heats."},
            "start": {
                "anyOf": [{"type": "integer"}, {"type": "number"}],
                "description": "What to begin with, usually 0.",
            },
        },
    }


def test_a_set_is_a_list_that_can_contain_duplicates(kiln: Environment) -> None:
    kiln.tool("CountDistinct").validate_arguments({"heats": [1, 2.5, 1]})


def test_a_parameter_with_a_default_can_be_omitted(orchard: Environment) -> None:
    tool = orchard.tool("MarkBasket")
    assert tool.input_schema["required"] == ["position"]
    for arguments in ({"position": 1}, {"position": 1, "colour": None}, {"position": 1, "colour": "red"}):
        tool.validate_arguments(arguments)


@pytest.mark.parametrize("best", ["Infinity", "-Infinity", 3])
def test_the_string_infinity_is_a_number_if_the_class_uses_infinity(orchard: Environment, best: Any) -> None:
    orchard.tool("LighterOf").validate_arguments({"best": best, "weight": 2})


@pytest.mark.parametrize("best", [True, 1.5, "3", "infinity", None, [1]])
def test_no_other_string_is_a_number(orchard: Environment, best: Any) -> None:
    with pytest.raises(InvalidArgumentsError):
        orchard.tool("LighterOf").validate_arguments({"best": best, "weight": 2})


def test_a_class_without_infinity_refuses_the_string(kiln: Environment) -> None:
    with pytest.raises(InvalidArgumentsError):
        kiln.tool("HeatAt").validate_arguments({"index": "Infinity"})


def test_tasks_are_the_constant_ones_of_the_main_block(kiln: Environment) -> None:
    assert [task.config["options"] for task in kiln.tasks] == [
        "{'readings': [812.5, 840.25, 861.0]}",
        "{'readings': [7, 8], 'rounded': True}",
    ]


def test_options_keep_tuples_and_at_signs(orchard: Environment) -> None:
    assert [task.config["options"] for task in orchard.tasks] == [
        "{'baskets': [('ada@hill', 7), ('bo@ford', 4), ('cy@hill', 9)]}",
        "{'baskets': [['dee@moor', 12], ['eve@lake', 13]]}",
    ]


def test_the_task_text_lists_the_tools_and_the_expected_answer(
    orchard: Environment, kiln: Environment
) -> None:
    text = orchard.task_text(orchard.tasks[0])
    assert text.startswith("Baskets stand in a row, each with its grower's address {name@farm}.")
    assert "- CountBaskets: Count the baskets.\n" in text
    assert "submit it with Done. The answer is a string. The address on the lightest basket." in text
    assert kiln.task_text(kiln.tasks[0]).startswith("Mean heat.\n")


def test_nothing_of_the_configuration_is_public(orchard: Environment) -> None:
    assert orchard.public_values(orchard.tasks[0]) == {}


def test_the_environments_name_selects_one_of_several_classes() -> None:
    both = ORCHARD.read_text(encoding="utf-8") + KILN.read_text(encoding="utf-8")
    assert read(both, "set_1__MeanHeatEnv").program.entry == "MeanHeatEnv"
    with pytest.raises(SourceError, match="several environments: LightestBasketEnv, MeanHeatEnv"):
        read(both)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"AddUp": 2', '"AddThree": 2', "names AddThree, but the class has no such method"),
        ('"AddUp": 2', "2: 2", "is not a string"),
        ('"CountDistinct": 3, "Done": 4', '"CountDistinct": 3', "does not name Done"),
        ('"CountReadings": 0, "HeatAt": 1, "AddUp": 2, "CountDistinct": 3, ', "", "names no tool"),
        ("def Done(self, answer)", "def Done(self, answer, unit)", "has 2 parameters"),
        ("def Done(self, answer)", "def Finish(self, answer)", "no class in the CodeGym format"),
        ("def solve(self)", "def resolve(self)", "no method solve"),
        ("def get_ref_answer(self)", "def answer(self)", "no method get_ref_answer"),
        ("def HeatAt(self, index)", "def HeatAt(self, *index)", r"HeatAt has \* parameters"),
        ("import random", "import socket", "import of socket is not allowed"),
        ("import random", "import random, (", "not valid Python"),
    ],
)
def test_a_class_that_breaks_the_format_is_refused(old: str, new: str, problem: str) -> None:
    with pytest.raises(SourceError, match=problem) as caught:
        read(changed(KILN, old, new))
    assert caught.value.path == "changed.py"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_codegym_file(tmp_path / "absent.py")
