"""Finds the audits of the environments that runs played."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from codegym_harness.report.episode_excerpts import first_sentences
from codegym_harness.report.report_contents import ReportedEnvironment
from codegym_harness.runs.damaged_runs import ReadableRun
from codegym_harness.runs.run_directory_reader import ENVIRONMENTS
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.errors import CodegymError
from codegym_mcp.verification.audit.audit_files import AuditFiles

_SENTENCE_LENGTH = 20
"""So short that the first sentence alone fits, however long it is."""


def audited_environments(
    runs: Iterable[ReadableRun], played: Mapping[str, int]
) -> tuple[list[ReportedEnvironment], list[str]]:
    """Returns the environments that runs played, with their audits, and what went wrong in finding them.

    The audit of an environment is the one beside its file, or the one that was published with it. No code of
    an environment runs.

    Args:
        played: the number of tasks of which an episode was recorded, by environment.
    """
    entries: dict[str, Entry] = {}
    digests: dict[str, str] = {}
    problems: list[str] = []
    for run in runs:
        digests |= run.start.environments
        try:
            found = _catalog(run.path, run.configuration)
        except CodegymError as error:
            problems.append(f"The environments of {run.path} are not found any more: {error.message}")
            continue
        entries |= {entry.name: entry for entry in found.entries}
    reported = [_reported(name, entries.get(name), digests) for name in sorted({*played, *digests})]
    for each in reported:
        each.played_tasks = played.get(each.name, 0)
    return reported, problems


def _catalog(path: Path, configuration: Mapping[str, Any]) -> Catalog:
    if any(configuration.get(name) for name in ("server_url", "mcp_url", "mcp_command")):
        return Catalog()
    paths = configuration.get("paths")
    sources = [Path(str(each)) for each in paths] if isinstance(paths, list) else []
    in_memory = path / ENVIRONMENTS
    if in_memory.is_dir() and in_memory not in sources:
        sources.append(in_memory)
    return Catalog.load(sources)


def _reported(name: str, entry: Entry | None, digests: Mapping[str, str]) -> ReportedEnvironment:
    if entry is None:
        return ReportedEnvironment(name=name, grade=None, note="Its source is not here.")
    try:
        audit = AuditFiles().read(entry)
        environment = entry.read()
        title = _title(environment)
    except CodegymError as error:
        return ReportedEnvironment(name=name, grade=None, note=error.message)
    if audit is None:
        note = f"It was not audited. Run: codegym-mcp audit {name}"
        return ReportedEnvironment(name=name, title=title, grade=None, note=note)
    note = ""
    if digests.get(name, environment.digest) != environment.digest:
        note = "The environment has changed since a run played it."
    elif not audit.fits(environment):
        note = "The environment has changed since the audit."
    figures = audit.figures
    return ReportedEnvironment(
        name=name,
        title=title,
        grade=audit.grade,
        audited_tasks=len(figures.by_task) or None,
        note=note,
        findings=audit.findings,
        oracle=figures.oracle,
        constant=figures.constant,
        observe=figures.observe,
        random=figures.random,
        oracle_calls=figures.oracle_calls.median,
        adaptive=figures.adaptive,
    )


def _title(environment: Environment) -> str:
    """Returns the title of an environment and the first sentence of its tasks, if all have the same."""
    sentence = first_sentences(" ".join(environment.template.split()), _SENTENCE_LENGTH)
    return environment.title if "{" in sentence or not sentence else f"{environment.title}: {sentence}"
