from collections.abc import Callable
from pathlib import Path

import pytest

from codegym_mcp.catalog import catalog_entries
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.stored_grade import AUDIT_VERSION
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from tests.conftest import FIXTURES

COUNTER = (FIXTURES / "counter.py").read_text()
TASK = '{"id": "near", "config": {"start": 0, "bell": 1}}\n'


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache is the test's own."""
    monkeypatch.setenv("CODEGYM_MCP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "counter.py").write_text(COUNTER)
    (folder / "counter.jsonl").write_text(TASK)
    return folder


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the environments that were read, in order."""
    found: list[str] = []
    read = catalog_entries.read_any_dialect

    def noted(source: str, *, name: str, path: str) -> object:
        found.append(name)
        return read(source, name=name, path=path)

    monkeypatch.setattr(catalog_entries, "read_any_dialect", noted)
    return found


LISTS: list[Callable[[Catalog], object]] = [
    Catalog.problems,
    lambda catalog: list(catalog.infos()),
    lambda catalog: catalog.grades(),
    lambda catalog: catalog.select(search="counter").names,
    lambda catalog: catalog.select(tags=["search"]).names,
]


@pytest.mark.parametrize("look", LISTS)
def test_an_unchanged_environment_is_not_read_again_for_a_list(
    folder: Path, reads: list[str], look: Callable[[Catalog], object]
) -> None:
    audit = f'{{"version": {AUDIT_VERSION}, "digest": "of other content", "grade": "A"}}'
    (folder / "counter.audit.json").write_text(audit)
    first = look(Catalog.load([folder]))
    assert reads == ["counter"]
    assert look(Catalog.load([folder])) == first
    assert reads == ["counter"]


def test_a_description_is_that_of_the_environment_with_its_grade(folder: Path) -> None:
    environment = Catalog.load([folder]).get("counter")
    audit = f'{{"version": {AUDIT_VERSION}, "digest": "{environment.content_digest}", "grade": "B"}}'
    (folder / "counter.audit.json").write_text(audit)
    for _ in range(2):
        catalog = Catalog.load([folder])
        assert list(catalog.infos()) == [EnvironmentInfo.of(environment)]
        assert catalog.grades() == {"counter": "B"}
        assert catalog.problems() == []


@pytest.mark.parametrize(("name", "text"), [("counter.py", COUNTER + "\n# more\n"), ("counter.jsonl", "")])
def test_a_changed_source_or_task_is_noticed(folder: Path, reads: list[str], name: str, text: str) -> None:
    (before,) = Catalog.load([folder]).infos()
    (folder / name).write_text(text)
    (after,) = Catalog.load([folder]).infos()
    assert after.digest != before.digest
    assert len(reads) == 2


def test_a_copy_under_another_name_is_another_environment(folder: Path) -> None:
    list(Catalog.load([folder]).infos())
    (folder / "counter.py").rename(folder / "other.py")
    assert [info.name for info in Catalog.load([folder]).infos()] == ["other"]


def test_broken_environments_are_read_and_explained_each_time(folder: Path, reads: list[str]) -> None:
    (folder / "counter.jsonl").write_text("garbage\n")
    for _ in range(2):
        (error,) = Catalog.load([folder]).problems()
        assert "counter.jsonl:1: the line is not a task" in str(error)
    assert len(reads) == 2


def test_what_is_read_while_it_changes_is_not_stored(
    folder: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = catalog_entries.read_any_dialect

    def changed_meanwhile(source: str, *, name: str, path: str) -> object:
        (folder / "counter.py").write_text(COUNTER + "\n# more\n")
        return read(source, name=name, path=path)

    monkeypatch.setattr(catalog_entries, "read_any_dialect", changed_meanwhile)
    list(Catalog.load([folder]).infos())
    (folder / "counter.py").write_text(COUNTER)
    list(Catalog.load([folder]).infos())
    assert len(reads) == 2


@pytest.mark.parametrize("content", ["", "{", '{"info": {}}'])
def test_a_damaged_cache_is_written_again(folder: Path, cache: Path, reads: list[str], content: str) -> None:
    (info,) = Catalog.load([folder]).infos()
    (file,) = cache.glob("environments/*/*.json")
    file.write_text(content)
    assert list(Catalog.load([folder]).infos()) == [info]
    assert list(Catalog.load([folder]).infos()) == [info]
    assert len(reads) == 2


def test_without_a_cache_that_can_be_written_environments_are_read(
    folder: Path, cache: Path, reads: list[str]
) -> None:
    cache.write_text("a file")
    for _ in range(2):
        assert [info.name for info in Catalog.load([folder]).infos()] == ["counter"]
    assert len(reads) == 2
