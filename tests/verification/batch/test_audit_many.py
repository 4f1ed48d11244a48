"""Audits of many environments."""

import shutil
from pathlib import Path

import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.catalog.stored_grade import audit_path
from codegym_mcp.episode_limits import Limits
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.audit_files import AuditFiles, current_audit
from codegym_mcp.verification.audit.grading_rules import Grade
from codegym_mcp.verification.batch.audit_many import Unaudited, audit_environment, audit_many, stream_audits
from codegym_mcp.verification.verification_context import VerificationContext
from tests.verification.planting import PLANTED, planted_entry


async def test_audits_are_kept_beside_the_environments(
    context: VerificationContext, entries: list[Entry]
) -> None:
    unusable, audited = await audit_many(context, entries[:2], files=AuditFiles())
    assert isinstance(unusable, Unaudited)
    assert "import of time is not allowed" in unusable.problem
    assert isinstance(audited, Audit)
    assert entries[1].file is not None
    assert [path.name for path in entries[1].file.parent.glob("*.json")] == ["unseen_order.audit.json"]
    assert current_audit(entries[1]) == audited
    assert [task.task for task in audited.figures.by_task][:2] == ["row-7", "row-8"]


async def test_a_current_audit_is_not_made_again_and_a_stale_one_is(
    context: VerificationContext, entries: list[Entry]
) -> None:
    entry, files = entries[1], AuditFiles()
    (made,) = await audit_many(context, [entry], files=files)
    assert isinstance(made, Audit)
    marked = made.model_copy(update={"environment": "marked by the test"})
    files.write(entry, marked)
    assert await audit_many(context, [entry], files=files) == [marked]
    assert await audit_many(context, [entry], files=files, again=True) == [made]
    assert entry.file is not None
    entry.file.write_text(entry.file.read_text() + "\n# changed\n")
    (changed,) = Catalog.load([entry.file]).entries
    assert current_audit(changed) is None
    files.write(entry, marked)
    (fresh,) = await audit_many(context, [changed], files=files)
    assert isinstance(fresh, Audit)
    assert fresh.environment == "unseen_order"
    assert fresh.digest != made.digest
    assert fresh.figures == made.figures


def test_audit_files_are_beside_environments_and_sets(tmp_path: Path, entries: list[Entry]) -> None:
    assert audit_path(entries[1]) == tmp_path / "environments" / "unseen_order.audit.json"
    in_set = Entry("sound", "some.jsonl, row 3", entries[1].read, tmp_path / "some.jsonl")
    assert audit_path(in_set) == tmp_path / "some.audits" / "sound.audit.json"
    nowhere = Entry("sound", "made", entries[1].read)
    assert audit_path(nowhere) is None
    assert AuditFiles().read(nowhere) is None


@pytest.mark.parametrize("damage", ["", "{}", '{"environment": 3}'])
def test_a_damaged_audit_counts_as_none(entries: list[Entry], damage: str) -> None:
    path = audit_path(entries[1])
    assert path is not None
    path.write_text(damage)
    assert current_audit(entries[1]) is None


async def test_an_environment_that_cannot_be_audited_does_not_end_the_others(
    context: VerificationContext, tmp_path: Path
) -> None:
    broken = (PLANTED / "sound.py").read_text().replace("return sum(contents)", "return contents[99]")
    (tmp_path / "no_reference.py").write_text(broken)
    shutil.copy(PLANTED / "judge_raises.py", tmp_path)
    shutil.copy(PLANTED / "unused_tool.py", tmp_path)
    results = await audit_many(context, Catalog.load([tmp_path]).entries)
    assert [result.environment for result in results] == ["judge_raises", "no_reference", "unused_tool"]
    assert [result.ok for result in results] == [True, False, True]


async def test_audits_are_streamed_and_one_environment_is_audited_without_files(tmp_path: Path) -> None:
    entry = planted_entry("constant_answer")
    clock = planted_entry("clock")
    limits = Limits(call_seconds=0.3, start_seconds=1.0)
    results = [result async for result in stream_audits([entry, clock], limits=limits, jobs=2)]
    assert {result.environment: result.ok for result in results} == {"constant_answer": True, "clock": False}
    audited = await audit_environment(entry.read(), limits=limits, jobs=2)
    assert audited in results
    assert Grade.B < audited.grade <= Grade.D
