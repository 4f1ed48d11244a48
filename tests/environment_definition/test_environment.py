import json
import pickle
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import (
    Environment,
    Judge,
    Task,
    generated_id,
    template_names,
)
from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import NotFoundError, SourceError, TaskError
from codegym_mcp.sandbox.process.process_messages import Role
from tests.conftest import FIXTURES

SOURCE = '''"""%s"""
META = {"title": "Made", "public": ["first", "second"]}
class Environment:
    def __init__(self, first: str, second: list[int], secret: str):
        self.secret = secret
    def look(self) -> int:
        """Look."""
        return 1
def reference(first: str, second: list[int], secret: str) -> str:
    return secret
def solve(tools, first, second):
    return first
'''


def made(template: str = "Find it.") -> Environment:
    return read_environment_source(SOURCE % template, name="made", path="made.py")


def task(id: str = "task", first: str = "a", second: Any = (1, 2), secret: str = "zq") -> Task:
    return Task(id=id, config={"first": first, "second": list(second), "secret": secret})


def test_the_task_text_contains_public_values_and_literal_braces() -> None:
    text = made("From {first} by {second}: a set is {{1, 2}}.").task_text(task(first="{secret}"))
    assert text == "From {secret} by [1, 2]: a set is {1, 2}."


@given(st.text(st.sampled_from("ab {}\n"), max_size=20), st.text(max_size=5))
def test_literal_text_of_a_template_is_unchanged(literal: str, first: str) -> None:
    template = f"Go. {literal.replace('{', '{{').replace('}', '}}')}{{first}}"
    environment = made(template)
    expected = environment.template.replace("{{", "{").replace("}}", "}").removesuffix("{first}") + first
    assert environment.task_text(task(first=first)) == expected


@given(st.text(st.sampled_from("ab{}!:.[]0 "), max_size=12))
def test_a_template_contains_plain_names_or_is_refused(template: str) -> None:
    try:
        names = template_names(template)
    except ValueError:
        return
    assert all(name.isidentifier() for name in names)
    assert [name for _, name, _, _ in string.Formatter().parse(template) if name is not None] == names


def test_a_task_can_have_its_own_text() -> None:
    own = Task(id="own", config=task().config, text="Do {first}.")
    assert made().task_text(own) == "Do {first}."


def test_public_values_are_exactly_those_that_meta_lists() -> None:
    assert made().public_values(task()) == {"first": "a", "second": [1, 2]}


def test_tools_and_tasks_are_found_by_name_and_unknown_names_get_a_hint() -> None:
    environment = made().with_tasks((task("one"), task("two")))
    assert environment.tool("look").title == "Look"
    assert environment.task("two").id == "two"
    with pytest.raises(NotFoundError, match=r"tool named 'lok'. Did you mean look\?"):
        environment.tool("lok")
    with pytest.raises(NotFoundError, match=r"Known: look, submit_answer\."):
        environment.tool("zzz")
    with pytest.raises(NotFoundError, match=r"Known: one, two\."):
        environment.task("zzz")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "first is required; second is required; secret is required"),
        ({**task().config, "more": 1}, "more is not a parameter"),
        ({**task().config, "second": "a"}, 'second should be a valid array, not "a"'),
        ({**task().config, "second": [True]}, "second.0 should be a valid integer, not true"),
    ],
)
def test_a_task_with_an_invalid_configuration_is_refused_with_its_id(
    config: dict[str, Any], words: str
) -> None:
    wrong = Task(id="three", config=config)
    with pytest.raises(TaskError) as caught:
        made().check_task(wrong)
    assert caught.value.message.startswith("The configuration of task 'three' of made is not valid. ")
    assert words in caught.value.message
    with pytest.raises(TaskError):
        made().with_tasks((task(), wrong))


def test_two_tasks_with_one_id_are_refused() -> None:
    with pytest.raises(TaskError, match="Two tasks of made have the id 'one'"):
        made().with_tasks((task("one"), task("one")))


def test_other_tasks_give_another_environment_and_leave_the_first_unchanged() -> None:
    environment = made()
    assert len(environment.with_tasks((task(),)).tasks) == 1
    assert environment.tasks == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"difficulty": 0},
        {"difficulty": 6},
        {"oracle_calls": -1},
        {"config": []},
        {"answer": 3},
    ],
    ids=str,
)
def test_a_task_with_invalid_fields_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Task.model_validate({"id": "one", "config": {}, **wrong})


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), plain, max_size=4), st.none() | st.integers(1, 5))
def test_a_task_is_equal_after_json(config: dict[str, Any], difficulty: int | None) -> None:
    one = Task(id="one", config=config, difficulty=difficulty)
    assert Task.model_validate_json(one.model_dump_json()) == one
    assert Task.model_validate(json.loads(json.dumps(one.model_dump(mode="json")))) == one


@given(st.integers(1, 5), st.integers(), st.integers(1, 5), st.integers())
def test_generated_tasks_with_different_seeds_or_difficulties_have_different_ids(
    one: int, seed: int, other: int, another: int
) -> None:
    same = (one, seed) == (other, another)
    assert (generated_id(one, seed) == generated_id(other, another)) is same


def test_environments_tasks_and_limits_can_be_pickled() -> None:
    environment = made("Find {first}.").with_tasks((task("one"),))
    copy = pickle.loads(pickle.dumps(environment))

    assert (copy.name, copy.digest, copy.content_digest) == (
        environment.name,
        environment.digest,
        environment.content_digest,
    )
    assert copy.tasks == environment.tasks
    assert copy.tool("look").output_schema == environment.tool("look").output_schema
    assert copy.program.code(Role.TOOLS) == environment.program.code(Role.TOOLS)
    for value in (environment.tasks[0], Limits(calls=3)):
        assert pickle.loads(pickle.dumps(value)) == value


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("codegym/*.py")), ids=lambda path: path.stem)
def test_a_class_in_the_codegym_format_can_be_pickled_and_saved(path: Path, tmp_path: Path) -> None:
    environment = Catalog.load([path])[path.stem]
    copy = pickle.loads(pickle.dumps(environment))
    saved = environment.save(tmp_path)

    assert type(copy) is type(environment)
    assert copy.digest == environment.digest
    assert Catalog.load([saved])[path.stem].digest == environment.digest


def test_a_saved_environment_is_loaded_with_its_tasks(tmp_path: Path) -> None:
    environment = made().with_tasks((task("one"), task("two", second=[])))
    path = environment.save(tmp_path / "new")

    assert path == tmp_path / "new" / "made.py"
    assert Catalog.load([path])["made"].digest == environment.digest
    with pytest.raises(
        SourceError, match=r"other\.py: the file of the environment made must be named made\.py"
    ):
        environment.save(tmp_path / "other.py")


def test_source_text_becomes_an_environment_in_either_dialect() -> None:
    source = SOURCE % "Find it."
    assert Environment.from_source(source, name="made").digest == made().digest
    path = sorted(FIXTURES.glob("codegym/*.py"))[0]
    text = path.read_text(encoding="utf-8")
    assert Environment.from_source(text, name=path.stem).judge is Judge.DONE
    with pytest.raises(SourceError, match=r"<made>:1: not valid Python"):
        Environment.from_source("garbage(", name="made")


def test_hidden_values_are_all_that_meta_does_not_list() -> None:
    environment = made()
    assert environment.hidden_values(task()) == {"secret": "zq"}
    assert environment.with_values(task(), {"secret": "new", "unknown": 1}) == {
        **task().config,
        "secret": "new",
    }
