"""Training records."""

import json
from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.environment_definition.codegym_format.training_records import read_records, shared_question
from codegym_mcp.errors import SourceError

RECORDS = Path(__file__).parents[2] / "fixtures" / "codegym" / "records.jsonl"
KILN, ORCHARD = "Kiln_12__MeanHeatEnv", "Orchard_7__LightestBasketEnv"


def write(path: Path, *records: dict[str, Any] | str) -> Path:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_training_records_become_tasks_of_their_environments() -> None:
    tasks = read_records(RECORDS, [KILN, ORCHARD])
    assert tasks.keys() == {KILN, ORCHARD}
    (task,) = tasks[KILN]
    assert task.config == {"options": "{'readings': [500, 640.5, 700, 701], 'rounded': False}"}
    assert task.text == "A kiln logs its heat. What was the mean heat, to 0.05 degrees?"


def test_the_oracles_calls_do_not_include_the_submission() -> None:
    (task,) = read_records(RECORDS, [KILN])[KILN]
    assert task.oracle_calls == 9


def test_options_can_contain_the_separator() -> None:
    (task,) = read_records(RECORDS, [ORCHARD])[ORCHARD]
    assert "fay@hill@north" in task.config["options"]


def test_rules_for_another_call_syntax_are_removed() -> None:
    (task,) = read_records(RECORDS, [ORCHARD])[ORCHARD]
    assert task.text == "Who grew what fills the lightest basket?"


def test_a_question_of_several_parts_is_complete(tmp_path: Path) -> None:
    prompt = "Rules first.\n\nQuestion:\n\nHow deep?"
    path = write(tmp_path / "r.jsonl", {"ability": "v@Mill__MeanHeatEnv@{}", "prompt": prompt})
    (task,) = read_records(path, ["Mill__MeanHeatEnv"])["Mill__MeanHeatEnv"]
    assert task.text == prompt


def test_an_environment_with_the_name_of_the_class_gets_its_records() -> None:
    assert read_records(RECORDS, ["MeanHeatEnv"]).keys() == {"MeanHeatEnv"}


def test_an_ambiguous_class_name_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", {"ability": "v@a__TideEnv@{}"}, {"ability": "v@b__TideEnv@{}"})
    with pytest.raises(SourceError, match=r"r\.jsonl:2: .*a__TideEnv or b__TideEnv"):
        read_records(path, ["TideEnv"])
    assert read_records(path, ["TideEnv", "a__TideEnv", "b__TideEnv"]).keys() == {"a__TideEnv", "b__TideEnv"}


def test_a_record_that_repeats_options_is_the_same_task(tmp_path: Path) -> None:
    python, json_text = "v@a__TideEnv@{'n': 1}", 'v@a__TideEnv@{"n": 1}'
    path = write(tmp_path / "r.jsonl", {"ability": python}, {"ability": json_text})
    assert len(read_records(path, ["a__TideEnv"])["a__TideEnv"]) == 1


def test_a_code_id_is_matched_as_names_are_written(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", {"ability": "v@set 1/2__TideEnv@{}"})
    assert read_records(path, ["set_1_2__TideEnv"]).keys() == {"set_1_2__TideEnv"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "JSON"),
        ('{"code_id": "a"}', "ability"),
        ('{"ability": "v@a__TideEnv"}', "<class>@<options>"),
        ('{"ability": "v@a__TideEnv@{1"}', "literal"),
        ('{"ability": "v@a__TideEnv@[]"}', "dict"),
        ('{"ability": "v@a__TideEnv@{}", "extra_info": {"solve_fc_round": "many"}}', "solve_fc_round"),
    ],
)
def test_a_line_that_is_not_a_record_is_refused_with_its_number(
    tmp_path: Path, line: str, problem: str
) -> None:
    path = write(tmp_path / "r.jsonl", '{"ability": "v@a__TideEnv@{}"}', line)
    with pytest.raises(SourceError, match=problem) as caught:
        read_records(path, ["a__TideEnv"])
    assert caught.value.line == 2


def test_records_without_their_environments_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="none of the"):
        read_records(RECORDS, ["vault_protocol"])
    with pytest.raises(SourceError, match="cannot be read"):
        read_records(tmp_path / "absent.jsonl", [KILN])


def test_the_question_of_all_records_of_a_class_is_shared() -> None:
    (task,) = read_records(RECORDS, [KILN])[KILN]
    other = task.model_copy(update={"id": "other"})
    assert shared_question((task, other)) == task.text
    assert shared_question((task, other.model_copy(update={"text": "Another question?"}))) is None
    assert shared_question((task, other.model_copy(update={"text": None}))) is None
