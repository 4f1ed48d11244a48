"""The bundled environments are verified and have current audits."""

import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.verification.audit.audit_files import current_audit
from codegym_mcp.verification.audit.grading_rules import Grade
from codegym_mcp.verification.gates.all_gates import verify
from codegym_mcp.verification.verification_context import VerificationContext

ENTRIES = Catalog.load().entries
each_of_them = pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])


@each_of_them
async def test_it_is_verified(context: VerificationContext, entry) -> None:
    verification = await verify(context, entry.read())
    assert not verification.problems
    assert verification.verified


@each_of_them
def test_its_audit_is_beside_it_and_current(entry) -> None:
    # Where this fails, the environment was changed: run `codegym-mcp audit`.
    audit = current_audit(entry)
    assert audit is not None
    assert audit.grade is Grade.A
    assert not audit.findings
    figures = audit.figures
    assert figures.oracle == 1
    assert figures.constant < 0.25
    assert figures.answers.best_constant < 0.25
    assert figures.observe == 0
    assert figures.random < 0.25
    assert figures.answers.tasks == len(figures.by_task) == 8
    assert figures.answers.distinct >= 5
    assert figures.oracle_calls.least >= 10
    assert figures.oracle_calls.most <= 256
    assert figures.on_generated.agreed == figures.on_generated.tried == 15
    environment = entry.read()
    assert figures.answer_only == (None if environment.final_state is None else 0)
    assert bool(figures.mistakes) == environment.names_mistakes
