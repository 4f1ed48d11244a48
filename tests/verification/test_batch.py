"""Many environments, and what is not done a second time."""

import shutil
from pathlib import Path

import pytest

from codegym_mcp.limits import Limits
from codegym_mcp.spec.catalog import Catalog
from codegym_mcp.spec.catalog_entries import Entry
from codegym_mcp.spec.stored_grades import audit_path
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.audit_files import AuditFiles, current_audit
from codegym_mcp.verification.batch.audit_many import Unaudited, audit_many
from codegym_mcp.verification.batch.verify_many import verify_many
from codegym_mcp.verification.gate_results import Gate, GateProblem, GateState, Verification
from codegym_mcp.verification.verification_cache import VerificationCache
from codegym_mcp.verification.verification_context import VerificationContext
from tests.verification.planting import PLANTED

NAMES = ("clock", "unseen_order", "unused_tool")


@pytest.fixture
def entries(tmp_path: Path) -> list[Entry]:
    """Two environments that can be used and one that cannot, in a folder of their own."""
    folder = tmp_path / "environments"
    folder.mkdir()
    for name in NAMES:
        for file in PLANTED.glob(f"{name}.*"):
            shutil.copy(file, folder)
    return Catalog.load([folder]).entries


async def test_results_come_in_the_order_of_the_entries_with_progress(
    context: VerificationContext, entries: list[Entry]
) -> None:
    done: list[str] = []
    results = await verify_many(context, entries, on_result=lambda result: done.append(result.environment))
    assert [result.environment for result in results] == list(NAMES)
    assert [result.verified for result in results] == [False, True, False]
    assert sorted(done) == list(NAMES)


async def test_a_source_that_cannot_be_used_harms_nothing_but_itself(
    context: VerificationContext, entries: list[Entry]
) -> None:
    broken, *others = await verify_many(context, entries)
    assert broken.gates[Gate.LOADS] is GateState.FAILED
    assert "clock.py:3: import of time is not allowed" in broken.problems[0].message
    assert all(other.gates[Gate.LOADS] is GateState.PASSED for other in others)


async def test_what_is_in_the_cache_is_not_verified_again(
    context: VerificationContext, entries: list[Entry], tmp_path: Path
) -> None:
    cache = VerificationCache(tmp_path / "cache", Limits())
    first = await verify_many(context, entries, cache=cache)
    marked = Verification.of("unseen_order", [GateProblem(gate=Gate.SOLVED, message="Marked by the test.")])
    cache.put(entries[1].read(), marked)
    again = await verify_many(context, entries, cache=cache)
    assert again == [first[0], marked, first[2]]


async def test_verdicts_are_the_same_every_time(context: VerificationContext, entries: list[Entry]) -> None:
    assert await verify_many(context, entries) == await verify_many(context, entries)


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


def test_where_audits_are(tmp_path: Path, entries: list[Entry]) -> None:
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
