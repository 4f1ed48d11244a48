"""The synthesized environments that are installed have current audits and figures that a set may ship with."""

from functools import cache

import pytest

from codegym_mcp.bundled_environments import SYNTHESIZED, installed_path
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.synthesis.output_folder import Provenance
from codegym_mcp.synthesis.synthesis_options import Tier
from codegym_mcp.verification.audit.audit_files import current_audit
from codegym_mcp.verification.audit.audit_measurements import Figures
from codegym_mcp.verification.audit.grading_rules import Grade
from codegym_mcp.verification.recorded_play import play_episode
from codegym_mcp.verification.verification_context import VerificationContext

ENTRIES = Catalog.load([SYNTHESIZED]).entries
_SAMPLED = 6
"""Every so many environments one is played; `codegym-mcp eval --agent oracle` plays all of them."""
each_of_them = pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])


@cache
def provenance_of(name: str) -> Provenance:
    return Provenance.model_validate_json(
        (installed_path(SYNTHESIZED) / f"{name}.provenance.json").read_bytes()
    )


def figures_of(entry: Entry) -> Figures:
    # Where this fails, the environment was changed: run `codegym-mcp audit --environments synthesized`.
    audit = current_audit(entry)
    assert audit is not None
    assert audit.grade is Grade.A
    assert not audit.findings
    return audit.figures


@each_of_them
def test_its_audit_is_current_and_finds_nothing(entry: Entry) -> None:
    figures = figures_of(entry)
    assert figures.oracle == 1
    assert figures.constant < 0.25
    assert figures.answers.best_constant < 0.25
    assert figures.observe == 0
    assert figures.answers.distinct * 8 >= figures.answers.tasks * 5
    assert figures.answers.tasks >= 8
    assert figures.oracle_calls.least >= 10
    assert figures.oracle_calls.most <= 256


@each_of_them
def test_its_origin_is_stated_and_its_calls_depend_on_results(entry: Entry) -> None:
    origin, environment = provenance_of(entry.name), entry.read()
    assert environment.license == origin.license == "MIT"
    assert origin.problem
    adaptive = figures_of(entry).adaptive
    if origin.tracing is None:
        assert origin.model == "maintainers"
        assert adaptive is not None
        assert adaptive >= 0.5
    else:
        assert origin.model == "trace"
        assert origin.tracing.tier is Tier.NOT_BYPASSABLE


def test_no_name_or_title_is_used_twice_or_by_a_bundled_environment() -> None:
    names = [entry.name for entry in (*ENTRIES, *Catalog.load().entries)]
    assert len(names) == len(set(names))
    titles = [entry.read().title for entry in ENTRIES]
    assert len(titles) == len(set(titles))


def test_every_file_of_the_folder_belongs_to_an_environment() -> None:
    suffixes = (".py", ".jsonl", ".audit.json", ".provenance.json")
    expected = {f"{entry.name}{suffix}" for entry in ENTRIES for suffix in suffixes}
    found = {path.name for path in installed_path(SYNTHESIZED).iterdir() if path.is_file()}
    assert found == expected | {"README.md"}


@pytest.mark.parametrize("entry", ENTRIES[::_SAMPLED], ids=[entry.name for entry in ENTRIES[::_SAMPLED]])
async def test_the_oracle_solves_the_shortest_and_the_median_task(
    context: VerificationContext, entry: Entry
) -> None:
    environment = entry.read()
    tasks = environment.tasks
    for task in (tasks[0], tasks[len(tasks) // 2]):
        oracle = OraclePolicy(context.pool, environment, context.limits)
        play = await play_episode(context.pool, environment, task, oracle, context.limits)
        assert play.correct, play
        assert len(play.steps) == task.oracle_calls
