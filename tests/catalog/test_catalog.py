import ast
import json
import pickle
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from codegym_mcp.bundled_environments import bundled_path
from codegym_mcp.catalog import environment_sets
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.stored_grade import AUDIT_VERSION
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.errors import NotFoundError, SourceError
from codegym_mcp.sandbox.process.process_messages import Role
from tests.conftest import FIXTURES
from tests.storage.special_files import SPECIAL_FILES

COUNTER = (FIXTURES / "counter.py").read_text()
CODEGYM = sorted((FIXTURES / "codegym").glob("*.py"))
TASKS = [
    {"id": "near", "config": {"start": 0, "bell": 1}, "difficulty": 1, "oracle_calls": 3},
    {"id": "far", "config": {"start": 0, "bell": 9}, "difficulty": 2},
]


def write_tasks(folder: Path, lines: list[Any], name: str = "counter") -> Path:
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "counter.py").write_text(COUNTER)
    return tmp_path


def problem(catalog: Catalog) -> SourceError:
    (error,) = catalog.problems()
    return error


# --- files and folders


def test_without_sources_the_bundled_environments_are_loaded() -> None:
    catalog = Catalog.load()
    assert len(catalog.names) >= 12
    assert catalog.problems() == []
    assert {environment.name for environment in catalog.environments()} == set(catalog.names)
    assert all(environment.tasks for environment in catalog.environments())
    assert bundled_path().is_dir()


def test_a_file_or_its_directory_gives_the_environment_with_its_tasks(folder: Path) -> None:
    write_tasks(folder, [TASKS[0], "", TASKS[1]])
    for path in (folder, folder / "counter.py"):
        counter = Catalog.load([path]).get("counter")
        assert [task.id for task in counter.tasks] == ["near", "far"]
        assert counter.tasks[0].oracle_calls == 3


def test_a_file_without_tasks_has_none(folder: Path) -> None:
    assert Catalog.load([folder]).get("counter").tasks == ()


def test_several_sources_give_one_catalog(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "lift.py"
    other.write_text(COUNTER)
    assert Catalog.load([folder, other]).names == ["counter", "lift"]


def test_files_that_begin_with_an_underscore_are_ignored(folder: Path) -> None:
    (folder / "__init__.py").write_text("")
    (folder / "_draft.py").write_text("garbage(")
    assert Catalog.load([folder]).names == ["counter"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"broken.py": b"garbage("}, "broken.py:1: not valid Python"),
        ({"broken.py": b""}, "META is missing"),
        ({"broken.py": b"x = 1\ny = '\xff'"}, "broken.py:2: is not UTF-8"),
        ({"Broken-One.py": COUNTER.encode()}, "is not a valid name for an environment"),
        ({"broken.py/inner": b""}, "broken.py: is a directory, not a regular file"),
        (
            {"broken.py": COUNTER.encode(), "broken.jsonl": b"garbage"},
            "broken.jsonl:1: the line is not a task",
        ),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_broken_environment_does_not_affect_others(
    folder: Path, files: dict[str, bytes], words: str
) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    catalog = Catalog.load([folder])
    assert len(catalog.names) == 2
    assert [environment.name for environment in catalog.environments()] == ["counter"]
    assert words in str(problem(catalog))
    broken = next(name for name in catalog.names if name != "counter")
    with pytest.raises(SourceError):
        catalog.get(broken)


def test_an_environment_is_read_once_even_if_it_is_broken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = folder / "broken.py"
    broken.write_text("garbage(")
    catalog = Catalog.load([folder])
    first, error = catalog.get("counter"), problem(catalog)
    broken.unlink()
    (folder / "counter.py").unlink()
    assert catalog.get("counter") is first
    assert problem(catalog) is error


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.py", None, "does not exist"),
        ("missing.jsonl", None, "does not exist"),
        ("missing.parquet", None, "does not exist"),
        ("missing", None, "does not exist"),
        ("text.txt", "x", "is not an environment"),
        ("empty.jsonl", "\n\n", "contains no environment"),
        ("garbage.parquet", "x", "is not a Parquet file"),
        ("garbage.jsonl", "{", "garbage.jsonl:1: the line is not JSON"),
        ("list.jsonl", "[]", "list.jsonl:1: the line is not a JSON object"),
        ("tasks.jsonl", json.dumps(TASKS[0]), "neither env_code and env_name"),
    ],
)
def test_a_path_without_environments_is_refused(
    tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(SourceError) as caught:
        Catalog.load([path])
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"the directory contains no environment. Name a \.py, "):
        Catalog.load([tmp_path])


# --- tasks


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        ([TASKS[0], "garbage"], 2, "the line is not a task: Invalid JSON"),
        ([TASKS[0], "[]"], 2, "the line is not a task"),
        ([TASKS[0], {"config": {}}], 2, "id: Field required"),
        ([{"id": "one"}], 1, "config: Field required"),
        ([{**TASKS[0], "answer": 3}], 1, "answer: Extra inputs are not permitted"),
        ([{**TASKS[0], "difficulty": 9}], 1, "difficulty: Input should be less than or equal to 5"),
        ([TASKS[0], "", {"id": "one", "config": {"start": 0}}], 3, "bell is required"),
        ([TASKS[0], {"id": "one", "config": {"start": 0, "bell": "a"}}], 2, "bell should be a valid integer"),
        ([TASKS[0], TASKS[1], TASKS[0]], 3, "the id 'near' is already used in line 1"),
    ],
    ids=str,
)
def test_an_invalid_task_is_refused_with_file_and_line(
    folder: Path, lines: list[Any], line: int, words: str
) -> None:
    path = write_tasks(folder, lines)
    error = problem(Catalog.load([folder]))
    assert (error.path, error.line) == (str(path), line)
    assert words in error.problem
    assert error.hint


# --- names


def test_two_environments_with_one_name_are_refused_with_both_paths(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other") / "counter.py"
    other.write_text(COUNTER)
    with pytest.raises(SourceError) as caught:
        Catalog.load([folder, other])
    assert caught.value.path == str(other)
    assert f"another environment is named counter: {folder / 'counter.py'}" in caught.value.problem
    assert caught.value.hint == "Rename one of them."


def test_an_unknown_name_suggests_known_ones(folder: Path) -> None:
    with pytest.raises(NotFoundError, match=r"named 'countr'. Did you mean counter\?"):
        Catalog.load([folder]).get("countr")
    with pytest.raises(NotFoundError, match=r"Known: counter\."):
        Catalog.load([folder]).get("zzz")
    with pytest.raises(NotFoundError, match="The catalog is empty"):
        Catalog().get("zzz")


def test_globs_select_in_the_order_of_the_catalog(folder: Path) -> None:
    for name in ("alpha", "beta", "gamma"):
        (folder / f"{name}.py").write_text(COUNTER)
    catalog = Catalog.load([folder])
    assert catalog.select("gamma", "alpha").names == ["alpha", "gamma"]
    assert catalog.select("*a", "beta").names == ["alpha", "beta", "gamma"]
    assert catalog.select("[ab]*").names == ["alpha", "beta"]
    assert catalog.select().names == catalog.names


@pytest.mark.parametrize("pattern", ["gama", "x*", "Gamma"])
def test_a_glob_that_matches_nothing_is_refused(folder: Path, pattern: str) -> None:
    (folder / "gamma.py").write_text(COUNTER)
    with pytest.raises(NotFoundError) as caught:
        Catalog.load([folder]).select("counter", pattern)
    assert caught.value.name == pattern
    assert "gamma" in caught.value.hint


# --- a catalog as a mapping of names


@pytest.fixture
def catalog(folder: Path) -> Catalog:
    (folder / "lift.py").write_text(COUNTER.replace('"tags": [', '"tags": ["lifts", '))
    (folder / "broken.py").write_text("garbage(")
    return Catalog.load([folder])


def test_a_catalog_has_a_length_and_names_in_their_order(catalog: Catalog) -> None:
    assert len(catalog) == 3
    assert list(catalog) == catalog.names == ["broken", "counter", "lift"]
    assert "lift" in catalog
    assert "lifts" not in catalog


def test_a_name_is_looked_up_with_brackets(catalog: Catalog) -> None:
    assert catalog["counter"] is catalog.get("counter")
    with pytest.raises(KeyError) as caught:
        catalog["countr"]
    assert isinstance(caught.value, NotFoundError)
    assert str(caught.value).endswith("Did you mean counter?")
    with pytest.raises(SourceError):
        catalog["broken"]


def test_environments_and_problems_divide_the_entries(catalog: Catalog) -> None:
    assert [environment.name for environment in catalog.environments()] == ["counter", "lift"]
    assert [Path(error.path).name for error in catalog.problems()] == ["broken.py"]


def test_catalogs_are_added_and_a_shared_name_is_refused(catalog: Catalog) -> None:
    assert (catalog.select("lift") + catalog.select("counter")).names == ["lift", "counter"]
    with pytest.raises(SourceError, match="another environment is named lift"):
        catalog + catalog.select("l*")


def test_environments_are_selected_by_their_tags(catalog: Catalog) -> None:
    tags = catalog["counter"].tags
    assert catalog.select(tags=tags).names == ["counter", "lift"]
    assert catalog.select("*t*", tags=[*tags, "lifts"]).names == ["lift"]
    with pytest.raises(NotFoundError, match="None has the tags boats"):
        catalog.select(tags=["boats"])


def write_audit(environment: Environment, folder: Path, **fields: Any) -> None:
    content = {"version": AUDIT_VERSION, "digest": environment.content_digest, "grade": "A", **fields}
    (folder / f"{environment.name}.audit.json").write_text(json.dumps(content))


def test_environments_are_selected_by_the_grade_of_their_audit(catalog: Catalog, folder: Path) -> None:
    write_audit(catalog["counter"], folder)
    write_audit(catalog["lift"], folder, grade="C")

    assert catalog.select(grade="A").names == ["counter"]
    assert catalog.select(grade="B").names == ["counter"]
    assert catalog.select(grade="C").names == ["counter", "lift"]


@pytest.mark.parametrize("changes", [{"version": AUDIT_VERSION - 1}, {"digest": "other"}, {"grade": None}])
def test_an_audit_that_is_not_current_gives_no_grade(
    catalog: Catalog, folder: Path, changes: dict[str, Any]
) -> None:
    write_audit(catalog["counter"], folder, **changes)
    with pytest.raises(NotFoundError, match="None has grade A or better"):
        catalog.select(grade="A")


def test_sources_are_paths_the_word_bundled_environments_and_catalogs(
    catalog: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    bundled = Catalog.load().names

    assert Catalog.of("bundled").names == bundled
    assert Catalog.of(Path("bundled")).names == bundled
    assert Catalog.of("lift.py").names == ["lift"]
    assert Catalog.of(catalog) is catalog
    assert Catalog.of(catalog["lift"]).names == ["lift"]
    mixed = [catalog["lift"], "bundled", folder / "counter.py", Catalog.of("broken.py")]
    assert Catalog.of(mixed).names == ["lift", *bundled, "counter", "broken"]


def test_the_word_synthesized_names_the_installed_set_which_is_not_used_by_default() -> None:
    found = Catalog.of("synthesized").names

    assert found
    assert Catalog.of(Path("synthesized")).names == found
    assert not set(found) & set(Catalog.load().names)
    assert Catalog.of(["bundled", "synthesized"]).names == [*Catalog.load().names, *found]


def test_a_folder_named_bundled_is_meant_by_its_path_but_not_by_the_word(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "bundled").mkdir()
    (folder / "counter.py").rename(folder / "bundled" / "counter.py")
    monkeypatch.chdir(folder)

    assert Catalog.of(Path("bundled")).names == ["counter"]
    assert Catalog.of("bundled").names == Catalog.load().names


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_catalog_can_be_pickled(catalog: Catalog, tmp_path: Path, kind: str) -> None:
    (tmp_path / "sets").mkdir()
    everything = catalog + Catalog.load([write_set(tmp_path / "sets", kind, rows())])
    read = {environment.name: environment.digest for environment in everything.environments()}
    copy = pickle.loads(pickle.dumps(everything))

    assert copy.names == everything.names
    assert {environment.name: environment.digest for environment in copy.environments()} == read
    assert len(pickle.dumps(everything)) < 20_000


@pytest.mark.parametrize("suffix", [".py", ".jsonl", ".parquet"])
@pytest.mark.parametrize("kind", SPECIAL_FILES)
def test_a_source_that_is_a_special_file_is_refused_at_once(tmp_path: Path, kind: str, suffix: str) -> None:
    path = tmp_path / f"special{suffix}"
    SPECIAL_FILES[kind](path)

    with pytest.raises(SourceError) as caught:
        Catalog.load([path])["special"]
    assert caught.value.path.startswith(str(path))


@pytest.mark.parametrize("kind", SPECIAL_FILES)
def test_a_task_file_that_is_a_special_file_is_refused_at_once(folder: Path, kind: str) -> None:
    SPECIAL_FILES[kind](folder / "counter.jsonl")

    with pytest.raises(SourceError, match=r"counter\.jsonl: (is a|cannot be read)"):
        Catalog.load([folder])["counter"]


# --- one parse


def test_a_source_is_parsed_once_for_the_reader_and_all_roles(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    original = ast.parse

    def parse(source: str, *arguments: Any, **options: Any) -> ast.AST:
        parsed.append(source)
        return original(source, *arguments, **options)

    monkeypatch.setattr(ast, "parse", parse)
    environment = Catalog.load([folder])["counter"]
    assert all(environment.program.code(role) for role in Role)

    assert [source for source in parsed if len(source) > 100] == [COUNTER]


# --- CodeGym: files, sets, training records


def rows() -> list[dict[str, Any]]:
    found = []
    for path in CODEGYM:
        source, name = path.stem.split("__")
        found.append({"env_code": path.read_text(), "env_name": name, "source": source})
    return found


NAMES = [path.stem for path in CODEGYM]


def write_set(folder: Path, kind: str, rows: list[Any]) -> Path:
    path = folder / f"set.{kind}"
    if kind == "parquet":
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def test_a_directory_can_contain_both_dialects(folder: Path) -> None:
    for path in CODEGYM:
        (folder / path.name).write_text(path.read_text())
    catalog = Catalog.load([folder])
    assert sorted(catalog.names) == sorted([*NAMES, "counter"])
    assert catalog.problems() == []
    assert catalog.get(NAMES[0]).judge == "done"


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_each_row_of_a_set_is_an_environment(tmp_path: Path, kind: str) -> None:
    catalog = Catalog.load([write_set(tmp_path, kind, rows())])
    assert catalog.names == NAMES
    assert catalog.problems() == []
    for name in NAMES:
        environment = catalog.get(name)
        assert environment.name == name
        assert environment.origin == name.split("__")[0]
        assert environment.tasks


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_row_without_a_source_has_the_name_of_its_class(tmp_path: Path, kind: str) -> None:
    bare = [{key: value for key, value in row.items() if key != "source"} for row in rows()]
    assert Catalog.load([write_set(tmp_path, kind, bare)]).names == [row["env_name"] for row in rows()]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_broken_row_is_reported_with_its_number_and_does_not_affect_others(
    tmp_path: Path, kind: str
) -> None:
    good, other = rows()
    path = write_set(tmp_path, kind, [good, {**other, "env_code": "x = 1\ngarbage(", "source": "B"}, other])
    catalog = Catalog.load([path])
    assert [environment.name for environment in catalog.environments()] == NAMES
    assert str(problem(catalog)).startswith(f"{path}, row 2:2: not valid Python")


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_row_without_code_or_name_does_not_affect_others(tmp_path: Path, kind: str) -> None:
    good, other = rows()
    path = write_set(tmp_path, kind, [good, {**other, "env_code": None}, {**other, "env_name": None}, other])
    catalog = Catalog.load([path])
    assert [environment.name for environment in catalog.environments()] == NAMES
    assert [str(error).split(": ")[0] for error in catalog.problems()] == [f"{path}, row 2", f"{path}, row 3"]
    assert all("neither env_code and env_name" in str(error) for error in catalog.problems())


def test_a_line_that_is_not_json_does_not_affect_others(tmp_path: Path) -> None:
    good, other = rows()
    path = write_set(tmp_path, "jsonl", [good, "garbage", "[]", "", other])
    catalog = Catalog.load([path])
    assert [environment.name for environment in catalog.environments()] == NAMES
    first, second = catalog.problems()
    assert (first.line, second.line) == (2, 3)
    assert "is not JSON" in str(first)
    assert "is not a JSON object" in str(second)


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_set_without_the_required_columns_is_refused(tmp_path: Path, kind: str) -> None:
    path = write_set(tmp_path, kind, [{"code": "x"}, {"code": "y"}])
    with pytest.raises(
        SourceError, match="A set has the columns env_code, env_name and source, or name, code and tasks"
    ):
        Catalog.load([path])


# --- published sets


def published(**changes: Any) -> dict[str, Any]:
    tasks = [{**task, "config": json.dumps(task["config"])} for task in TASKS]
    return {"name": "counter", "code": COUNTER, "tasks": tasks, "audit": "{}", **changes}


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_published_environment_equals_its_original(folder: Path, kind: str) -> None:
    write_tasks(folder, TASKS)
    catalog = Catalog.load([write_set(folder, kind, [published(), published(name="other")])])
    assert catalog.names == ["counter", "other"]
    assert catalog.get("counter").digest == Catalog.load([folder / "counter.py"]).get("counter").digest
    assert catalog.get("other").tasks[1].config == {"start": 0, "bell": 9}
    assert [entry.published_audit() for entry in catalog.entries] == ["{}", "{}"]


def test_a_published_set_can_be_written_by_hand(tmp_path: Path) -> None:
    row = published(tasks=TASKS, audit={"grade": "A"})
    backwards = dict(reversed(published(name="other", tasks=json.dumps(TASKS), audit=None).items()))
    catalog = Catalog.load([write_set(tmp_path, "jsonl", [row, backwards])])
    assert catalog.names == ["counter", "other"]
    assert catalog.get("counter").tasks == catalog.get("other").tasks
    assert [entry.published_audit() for entry in catalog.entries] == ['{"grade": "A"}', ""]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_published_class_in_the_codegym_format_is_read_as_one(tmp_path: Path, kind: str) -> None:
    (path, *_) = CODEGYM
    alone = Catalog.load([path]).get(NAMES[0])
    row = published(name=NAMES[0], code=path.read_text(), tasks=[], origin="7")
    row["tasks"] = [{"id": task.id, "config": json.dumps(task.config)} for task in alone.tasks]
    found = Catalog.load([write_set(tmp_path, kind, [row])]).get(NAMES[0])
    assert (found.judge, found.origin) == ("done", "7")
    assert found.digest == alone.digest


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"code": "x = 1"}, "row 2: META is missing"),
        ({"tasks": [{"id": "near", "config": "{"}]}, "row 2: the configuration of a task is not JSON"),
        ({"tasks": [{"id": "near", "config": "{}"}]}, "is not valid"),
        ({"tasks": [{"id": None, "config": "{}"}]}, "row 2: the row is not an environment: tasks.0.id"),
    ],
)
def test_a_broken_published_row_does_not_affect_others(
    tmp_path: Path, kind: str, broken: dict[str, Any], words: str
) -> None:
    rows = [published(), published(name="broken", **broken), published(name="other")]
    catalog = Catalog.load([write_set(tmp_path, kind, rows)])
    assert catalog.names == ["counter", "broken", "other"]
    assert [environment.name for environment in catalog.environments()] == ["counter", "other"]
    assert words in str(problem(catalog))


@pytest.mark.parametrize("rest", ["", "garbage", '", "tasks": 3}'])
def test_a_truncated_published_line_does_not_affect_others(tmp_path: Path, rest: str) -> None:
    rows = [published(), '{"name": "broken", "code": "' + rest, published(name="other")]
    catalog = Catalog.load([write_set(tmp_path, "jsonl", rows)])
    assert [environment.name for environment in catalog.environments()] == ["counter", "other"]
    assert len(catalog.problems()) == 1


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_the_first_usable_row_of_a_name_is_its_environment(tmp_path: Path, kind: str) -> None:
    rows = [published(code="x = 1"), published(), published(title="third"), published(name="other")]
    catalog = Catalog.load([write_set(tmp_path, kind, rows)])
    assert catalog.names == ["row_1_counter", "counter", "row_3_counter", "other"]
    assert [environment.name for environment in catalog.environments()] == ["counter", "other"]
    assert [str(error).split(": ")[1] for error in catalog.problems()] == [
        "row 2 has an environment of the same name, counter. Rename one of them."
    ] * 2


def test_a_line_that_changed_since_its_set_was_opened_is_not_used(tmp_path: Path) -> None:
    catalog = Catalog.load([write_set(tmp_path, "jsonl", [published(), published(name="another")])])
    write_set(tmp_path, "jsonl", [published(name="another"), published()])
    assert all("changed since it was opened" in str(error) for error in catalog.problems())
    assert len(catalog.problems()) == 2


def test_rows_of_a_parquet_file_are_found_in_all_its_groups(tmp_path: Path) -> None:
    rows = [published(name=f"counter_{number}") for number in range(7)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "set.parquet", row_group_size=3)
    catalog = Catalog.load([tmp_path / "set.parquet"])
    for name in reversed(catalog.names):
        assert catalog.get(name).name == name
    assert len(list(catalog.environments())) == 7


def test_a_parquet_file_whose_rows_need_too_much_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment_sets, "MAX_ROW_GROUP", 100_000)
    path = tmp_path / "set.parquet"
    # Compressed, the row takes a few kilobytes.
    table = pyarrow.table({"name": ["zeros"], "code": ["x" * 100_000]})
    parquet.write_table(table, path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 10_000

    with pytest.raises(SourceError, match=r"a row group has 100,\d+ bytes; at most 100,000 are allowed"):
        Catalog.load([path])


def test_training_records_add_tasks_to_the_other_environments() -> None:
    records = FIXTURES / "codegym" / "records.jsonl"
    without = Catalog.load([FIXTURES / "codegym"])
    # In whatever order they are named.
    for paths in ([FIXTURES / "codegym", records], [records, FIXTURES / "codegym"]):
        catalog = Catalog.load(paths)
        assert catalog.names == without.names
        assert catalog.problems() == []
        more = {name: len(catalog.get(name).tasks) - len(without.get(name).tasks) for name in catalog.names}
        assert any(count > 0 for count in more.values())


def test_a_question_of_training_records_is_that_of_all_tasks_of_its_class() -> None:
    catalog = Catalog.load([FIXTURES / "codegym", FIXTURES / "codegym" / "records.jsonl"])
    kiln = catalog.get("Kiln_12__MeanHeatEnv")
    assert len(kiln.tasks) > 1
    assert {task.text for task in kiln.tasks} == {
        "A kiln logs its heat. What was the mean heat, to 0.05 degrees?"
    }


def test_training_records_without_environments_are_refused() -> None:
    with pytest.raises(SourceError, match="belongs to a loaded environment"):
        Catalog.load([FIXTURES / "codegym" / "records.jsonl"])
