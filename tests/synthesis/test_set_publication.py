"""Sets as they are written, refused, and read back."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from codegym_mcp.bundled_environments import bundled_path
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.cli import main
from codegym_mcp.errors import CodegymError, NotFoundError, SynthesisError, UnwritableError
from codegym_mcp.synthesis.dataset_card import Card
from codegym_mcp.synthesis.set_publication import Publishable, check_output, publish, select_publishable
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.audit_files import current_audit
from codegym_mcp.verification.audit.grading_rules import Grade

KINDS = pytest.mark.parametrize("kind", ["jsonl", "parquet"])
ORIGINAL = "parcel_hunt"


def put(
    folder: Path,
    name: str,
    *,
    license: str = "MIT",
    grade: str = "A",
    audited: bool = True,
    lazy: bool = False,
    provenance: dict[str, Any] | None = None,
    adaptive: float | None = None,
) -> None:
    """Writes an environment with the files that a synthesis writes."""
    source = (bundled_path() / f"{ORIGINAL}.py").read_text()
    if lazy:
        source, replaced = re.subn(
            r"^def solve\(.*\):\n", r"\g<0>    return {}\n", source, flags=re.MULTILINE
        )
        assert replaced == 1
    (folder / f"{name}.py").write_text(source.replace('"license": "MIT"', f'"license": "{license}"'))
    (folder / f"{name}.jsonl").write_bytes((bundled_path() / f"{ORIGINAL}.jsonl").read_bytes())
    if provenance is not None:
        (folder / f"{name}.provenance.json").write_text(json.dumps(provenance))
    if audited:
        environment = Catalog.load([folder / f"{name}.py"]).get(name)
        kept = json.loads((bundled_path() / f"{ORIGINAL}.audit.json").read_bytes())
        kept["figures"]["adaptive"] = adaptive
        made = {**kept, "environment": name, "grade": grade, "digest": environment.content_digest}
        (folder / f"{name}.audit.json").write_text(Audit.model_validate(made).model_dump_json())


def chosen(folder: Path, **options: Any) -> list[Publishable]:
    return select_publishable(Catalog.load([folder]).entries, **options)


def names(publishables: list[Publishable]) -> list[str]:
    return [each.entry.name for each in publishables]


@KINDS
def test_a_published_set_equals_its_folder(tmp_path: Path, kind: str) -> None:
    folder = Catalog.load()
    path = tmp_path / f"set.{kind}"
    publish(select_publishable(folder.entries), path)
    found = Catalog.load([path])
    assert found.names == folder.names
    for ours, theirs in zip(found.entries, folder.entries, strict=True):
        environment, original = ours.read(), theirs.read()
        assert environment.digest == original.digest
        assert environment.tasks == original.tasks
        assert (environment.license, environment.origin) == (original.license, original.origin)
        audit = current_audit(ours)
        assert audit is not None
        assert audit == current_audit(theirs)


@KINDS
def test_a_newer_audit_replaces_the_published_one(tmp_path: Path, kind: str) -> None:
    put(tmp_path, "hunt")
    path = tmp_path / f"set.{kind}"
    publish(chosen(tmp_path), path)
    (entry,) = Catalog.load([path]).entries
    published = current_audit(entry)
    assert published is not None
    since = tmp_path / "set.audits" / "hunt.audit.json"
    since.parent.mkdir()
    since.write_text(published.model_copy(update={"grade": Grade.C}).model_dump_json())
    assert (current_audit(entry) or published).grade is Grade.C


def test_a_class_in_the_codegym_format_is_published_with_its_tasks(tmp_path: Path) -> None:
    from tests.conftest import FIXTURES

    (source, *_) = sorted((FIXTURES / "codegym").glob("*.py"))
    path = tmp_path / source.name
    path.write_text(source.read_text())
    (entry,) = Catalog.load([path]).entries
    made = json.loads((bundled_path() / f"{ORIGINAL}.audit.json").read_bytes())
    made["digest"] = entry.read().content_digest
    path.with_suffix(".audit.json").write_text(json.dumps(made))
    publish(select_publishable([entry], mixed_licenses=True), tmp_path / "set.jsonl")
    found = Catalog.load([tmp_path / "set.jsonl"]).get(entry.name)
    assert found.tasks
    assert found.digest == entry.read().digest


def test_the_card_describes_the_set(tmp_path: Path) -> None:
    put(
        tmp_path,
        "one",
        license="CC BY 4.0",
        provenance={"source": "MBPP", "model": "writer", "license": "CC BY 4.0"},
    )
    put(tmp_path, "two", license="", grade="B", provenance={"source": "MBPP", "license": "CC BY 4.0"})
    path = tmp_path / "out" / "set.jsonl"
    card = publish(chosen(tmp_path), path)
    assert (card.environments, card.tasks, card.tools, card.endless) == (2, 16, 8, 2)
    assert card.licenses == {"CC BY 4.0": 2}
    assert card.sources == {"MBPP": 2}
    assert card.models == {"none": 1, "writer": 1}
    assert card.grades == {"A": 1, "B": 1}
    assert sum(card.difficulties.values()) == 16
    assert card.sha256 == sha256(path.read_bytes()).hexdigest()
    assert Card.model_validate_json((tmp_path / "out" / "set.jsonl.card.json").read_bytes()) == card
    told = (tmp_path / "out" / "set.jsonl.card.md").read_text()
    assert "2 environments with 16 tasks and 8 tools" in told
    assert "Licence: CC BY 4.0" in told
    assert "| writer | 1 |" in told
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "set.jsonl",
        "set.jsonl.card.json",
        "set.jsonl.card.md",
    ]


def test_a_row_has_licence_origin_model_and_provenance(tmp_path: Path) -> None:
    provenance = {
        "problem": "7",
        "source": "MBPP",
        "model": "writer",
        "license": "MIT",
        "costs": {"tokens": 3},
    }
    put(tmp_path, "hunt", grade="B", provenance=provenance)
    publish(chosen(tmp_path), tmp_path / "set.jsonl")
    row = json.loads((tmp_path / "set.jsonl").read_text())
    assert (row["license"], row["model"], row["grade"], row["origin"]) == ("MIT", "writer", "B", "original")
    assert json.loads(row["provenance"]) == provenance
    assert json.loads(row["audit"])["grade"] == "B"


@pytest.mark.parametrize("other", ["CC BY-NC 4.0", ""])
def test_licences_are_mixed_only_with_the_option(tmp_path: Path, other: str) -> None:
    put(tmp_path, "one")
    put(tmp_path, "two")
    put(tmp_path, "three", license=other)
    with pytest.raises(SynthesisError, match=rf"MIT \(2\), {other or 'unknown'} \(1\)") as caught:
        chosen(tmp_path)
    assert "--mixed-licenses" in caught.value.hint
    assert names(chosen(tmp_path, licenses=["mit"])) == ["one", "two"]
    mixed = chosen(tmp_path, mixed_licenses=True)
    card = publish(mixed, tmp_path / "set" / "set.jsonl")
    assert card.mixed_licenses
    assert "different licences" in card.markdown()
    rows = [json.loads(line) for line in (tmp_path / "set" / "set.jsonl").read_text().splitlines()]
    assert [row["license"] for row in rows] == ["MIT", other, "MIT"]


def test_a_set_with_unknown_licences_only_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "one", license="")
    with pytest.raises(SynthesisError, match=r"unknown \(1\)"):
        chosen(tmp_path)
    with pytest.raises(SynthesisError, match=r"unknown \(1\)"):
        chosen(tmp_path, licenses=["unknown"])


def test_a_glob_that_matches_several_licences_does_not_mix_them(tmp_path: Path) -> None:
    for name, license in (("one", "CC BY 4.0"), ("two", "CC BY-NC 4.0"), ("three", "MIT")):
        put(tmp_path, name, license=license)
    with pytest.raises(SynthesisError, match=r"CC BY 4\.0 \(1\), CC BY-NC 4\.0 \(1\)"):
        chosen(tmp_path, licenses=["CC BY*"])
    assert names(chosen(tmp_path, licenses=["CC BY 4.0"])) == ["one"]
    with pytest.raises(NotFoundError, match="GPL"):
        chosen(tmp_path, licenses=["GPL"])


def test_an_environment_that_contradicts_its_provenance_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "one", license="MIT", provenance={"license": "CC BY-NC 4.0"})
    with pytest.raises(SynthesisError, match=r"one states the licence MIT, .* CC BY-NC 4\.0"):
        chosen(tmp_path, mixed_licenses=True)


@pytest.mark.parametrize("content", ["{", "[]", '"x"'])
def test_an_unreadable_provenance_is_an_error(tmp_path: Path, content: str) -> None:
    put(tmp_path, "one")
    (tmp_path / "one.provenance.json").write_text(content)
    with pytest.raises(SynthesisError, match=r"one\.provenance\.json"):
        chosen(tmp_path)


def test_broken_environments_are_refused_by_name(tmp_path: Path) -> None:
    put(tmp_path, "one")
    (tmp_path / "ruined.py").write_text("x = 1\n")
    with pytest.raises(SynthesisError, match=r"Broken: .*ruined\.py"):
        chosen(tmp_path)


def test_environments_without_a_current_audit_are_refused_with_the_command_to_run(
    tmp_path: Path,
) -> None:
    put(tmp_path, "one")
    put(tmp_path, "two", audited=False)
    put(tmp_path, "three")
    (tmp_path / "three.py").write_text((tmp_path / "three.py").read_text() + "\n# changed\n")
    with pytest.raises(SynthesisError, match=r"Without a current audit: three, two\.") as caught:
        chosen(tmp_path)
    assert caught.value.hint == f"Run: codegym-mcp audit {tmp_path}"


def test_lower_grades_are_left_out(tmp_path: Path) -> None:
    for name, grade in (("one", "A"), ("two", "B"), ("three", "D")):
        put(tmp_path, name, grade=grade)
    assert names(chosen(tmp_path, grade=Grade.B)) == ["one", "two"]
    assert names(chosen(tmp_path)) == ["one", "three", "two"]
    (tmp_path / "one.py").unlink()
    with pytest.raises(SynthesisError, match="No environment has grade A"):
        chosen(tmp_path, grade=Grade.A)


def test_environments_that_are_not_adaptive_enough_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, "scan", adaptive=0.0)
    put(tmp_path, "search", adaptive=0.75)
    put(tmp_path, "unknown", adaptive=None)
    assert names(chosen(tmp_path)) == ["scan", "search", "unknown"]
    assert names(chosen(tmp_path, adaptive=0.5)) == ["search"]
    with pytest.raises(SynthesisError, match=r"adaptive share of at least 0\.8.*--adaptive"):
        chosen(tmp_path, adaptive=0.8)


def test_a_set_does_not_overwrite_a_file_of_tasks(tmp_path: Path) -> None:
    put(tmp_path, "one")
    entries = Catalog.load([tmp_path]).entries
    with pytest.raises(SynthesisError, match="holds the tasks of one"):
        check_output(tmp_path / "one.jsonl", entries)
    with pytest.raises(CodegymError, match="neither"):
        check_output(tmp_path / "set.csv", entries)
    check_output(tmp_path / "one.parquet", entries)


@KINDS
def test_a_failed_write_leaves_no_file(tmp_path: Path, kind: str) -> None:
    put(tmp_path, "one")
    target = tmp_path / "out" / f"set.{kind}"
    target.mkdir(parents=True)
    with pytest.raises(UnwritableError):
        publish(chosen(tmp_path), target)
    assert [file.name for file in target.parent.iterdir() if file != target and "card" not in file.name] == []


# --- the command


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEGYM_MCP_CACHE", str(tmp_path / "cache"))


def run(*arguments: Any) -> Result:
    # In a thread of its own no event loop of the tests is in the way.
    with ThreadPoolExecutor(max_workers=1) as threads:
        command = ["publish", *(str(argument) for argument in arguments)]
        return threads.submit(CliRunner().invoke, main, command).result()


def test_the_command_writes_a_set_of_verified_environments_and_prints_its_card(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    put(tmp_path / "made", "hunt")
    path = tmp_path / "set.parquet"
    result = run(tmp_path / "made", "-o", path, "--json")
    assert result.exit_code == 0, result.output
    card = Card.model_validate_json(result.stdout)
    assert (card.set, card.environments) == ("set.parquet", 1)
    assert Catalog.load([path]).names == ["hunt"]
    told = run(tmp_path / "made", "-o", tmp_path / "set.jsonl").stdout
    assert "environments: 1\ntasks: 8\ntools: 4\n" in told
    assert "licences: MIT (1)" in told


def test_the_command_refuses_unverified_environments(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    put(tmp_path / "made", "hunt", lazy=True)
    result = run(tmp_path / "made", "-o", tmp_path / "set.jsonl")
    assert result.exit_code == 1
    assert "Not verified: hunt." in result.stderr
    assert not (tmp_path / "set.jsonl").exists()


def test_the_command_refuses_mixed_licenses_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    put(tmp_path / "made", "one")
    put(tmp_path / "made", "two", license="CC BY-NC 4.0")
    result = run(tmp_path / "made", "-o", tmp_path / "set.jsonl")
    assert result.exit_code == 1
    assert "CC BY-NC 4.0 (1), MIT (1)" in result.stderr
    assert "--mixed-licenses" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["made"]
