"""Environments of a catalog are found by name, tag, grade and text, page by page."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.environment_query import EnvironmentOrder, EnvironmentQuery, chosen_environments
from codegym_mcp.catalog.stored_grade import AUDIT_VERSION
from tests.conftest import FIXTURES

COUNTER = (FIXTURES / "counter.py").read_text()


def titled(title: str, *tags: str) -> str:
    source = COUNTER.replace('"title": "Bell in the lift shaft"', f'"title": {title!r}')
    assert title in source
    return source.replace('"tags": [', f'"tags": [{"".join(f"{tag!r}, " for tag in tags)}')


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environments")
    (folder / "beta.py").write_text(titled("The bell ringer", "music"))
    (folder / "alpha.py").write_text(titled("Counting house", "money", "music"))
    (folder / "gamma.py").write_text(titled("Third"))
    environment = Catalog.load([folder / "gamma.py"]).get("gamma")
    audit = {"version": AUDIT_VERSION, "digest": environment.content_digest, "grade": "B"}
    (folder / "gamma.audit.json").write_text(json.dumps(audit))
    return folder


@pytest.fixture(scope="module", params=["files", "set"])
def catalog(
    request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Catalog:
    if request.param == "files":
        return Catalog.load([folder])
    path = tmp_path_factory.mktemp("sets") / "set.jsonl"
    rows = []
    for file in sorted(folder.glob("*.py")):
        audit = folder / f"{file.stem}.audit.json"
        stored = audit.read_text() if audit.exists() else ""
        rows.append(json.dumps({"name": file.stem, "code": file.read_text(), "audit": stored}))
    path.write_text("\n".join(rows))
    return Catalog.load([path])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["alpha", "beta", "gamma"]),
        ({"name": ["b*", "gamma"]}, ["beta", "gamma"]),
        ({"tag": ["music"]}, ["alpha", "beta"]),
        ({"tag": ["music", "money"]}, ["alpha"]),
        ({"tag": ["musi"]}, []),
        ({"search": "BELL R"}, ["beta"]),
        ({"search": "mus"}, ["alpha", "beta"]),
        ({"search": "gam"}, ["gamma"]),
        ({"grade": "B"}, ["gamma"]),
        ({"grade": "A"}, []),
        ({"name": ["nothing"]}, []),
        ({"order": "grade"}, ["gamma", "alpha", "beta"]),
        ({"order": "name", "search": "t"}, ["alpha", "beta", "gamma"]),
    ],
)
def test_conditions_select_environments(catalog: Catalog, query: dict[str, object], names: list[str]) -> None:
    page = EnvironmentQuery.model_validate(query).page(catalog)
    assert [info.name for info in page.environments] == names
    assert page.total == len(names)
    assert page.grades == ({"gamma": "B"} if "gamma" in names else {})


@given(limit=st.integers(1, 5), order=st.sampled_from(EnvironmentOrder))
def test_pages_together_are_the_whole(limit: int, order: EnvironmentOrder) -> None:
    catalog = Catalog.load()
    whole = EnvironmentQuery(order=order, limit=None).page(catalog)
    assert whole.next_offset is None
    names: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = EnvironmentQuery(order=order, limit=limit, offset=offset).page(catalog)
        assert page.total == whole.total
        assert len(page.environments) <= limit
        names += [info.name for info in page.environments]
        offset = page.next_offset
    assert names == [info.name for info in whole.environments]


def test_globs_that_match_nothing_choose_everything_to_suggest_names(catalog: Catalog) -> None:
    assert [info.name for info in chosen_environments(catalog, ["b*"])] == ["beta"]
    assert len(chosen_environments(catalog, ["x*"])) == 3
