"""Publishes environments as a set: one file for all of them, and a card that describes it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import file_digest
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.catalog.environment_set_rows import PublishedEnvironment
from codegym_mcp.catalog.environment_sets import SUFFIXES
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.errors import MissingExtraError, NotFoundError, SourceError, SynthesisError
from codegym_mcp.json_line_escapes import json_line
from codegym_mcp.storage.atomic_files import atomic_file, write_atomically
from codegym_mcp.synthesis.dataset_card import UNKNOWN, Card, CardFigures, counted, counted_models, tool_count
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.audit_files import current_audit
from codegym_mcp.verification.audit.grading_rules import Grade
from codegym_mcp.verification.gate_results import Verification
from codegym_mcp.version import VERSION

_HINT = "Name another file with -o."
_MAX_NAMES = 5
_ROW_GROUP = 64
"""Rows of a row group; small, because readers request environments one by one."""


@dataclass(frozen=True)
class Publishable:
    """An environment with its audit, licence and provenance.

    Attributes:
        entry: its entry in a catalog.
        environment: the environment.
        audit: its current audit.
        license: licence from the environment or its provenance, or the empty string.
        provenance: content of the provenance file, or empty.
    """

    entry: Entry
    environment: Environment
    audit: Audit
    license: str
    provenance: dict[str, Any]

    @property
    def source(self) -> str:
        """Collection of its problem, or its origin."""
        return _text(self.provenance, "source") or self.environment.origin

    @property
    def model(self) -> str:
        """Name of the model that wrote it, or the empty string."""
        return _text(self.provenance, "model")

    def row(self) -> PublishedEnvironment:
        """Returns the environment as a row of a set."""
        return PublishedEnvironment.of(
            self.environment,
            license=self.license,
            audit=self.audit.model_dump_json(),
            grade=self.audit.grade,
            provenance=json.dumps(self.provenance, ensure_ascii=False) if self.provenance else "",
            model=self.model,
        )


def select_publishable(
    entries: Sequence[Entry],
    *,
    grade: Grade = Grade.D,
    adaptive: float = 0.0,
    licenses: Sequence[str] = (),
    mixed_licenses: bool = False,
) -> list[Publishable]:
    """Returns the environments to publish.

    Args:
        grade: the lowest grade.
        adaptive: the least share of tasks in which later calls depend on earlier results, 0 to 1;
            environments for which it is not known count as 0.
        licenses: globs without regard to case; only environments whose licence matches one of them.
        mixed_licenses: whether several licences, or unknown ones, are allowed.

    Raises:
        SynthesisError: environments cannot be read, have no current audit, or have several or unknown
            licences; or no environment is left.
        NotFoundError: a glob matches no licence.
    """
    _refuse_broken(entries)
    stated = {entry.name: _license(entry) for entry in entries}
    _check_globs(licenses, stated.values())
    chosen = [entry for entry in entries if _matches(stated[entry.name], licenses)]
    found = [
        each
        for each in _audited(chosen, stated)
        if each.audit.grade <= grade and (each.audit.figures.adaptive or 0.0) >= adaptive
    ]
    if not found:
        raise SynthesisError(
            f"No environment has grade {grade} or better and an adaptive share of at least {adaptive:g}.",
            hint="Run codegym-mcp audit to see the figures, or lower --grade or --adaptive.",
        )
    counts = counted(each.license for each in found)
    if not mixed_licenses and (len(counts) > 1 or UNKNOWN in counts):
        listed = ", ".join(f"{name} ({count})" for name, count in counts.items())
        raise SynthesisError(
            f"The environments are not all under one known licence: {listed}.",
            hint="Select one licence with --license, or allow several with --mixed-licenses.",
        )
    return found


def check_verified(verifications: Iterable[Verification]) -> None:
    """Checks that all environments are verified.

    Raises:
        SynthesisError: an environment is not verified; the error names it.
    """
    refused = [each.environment for each in verifications if not each.verified]
    if refused:
        raise SynthesisError(
            f"Not verified: {_some(refused)}.",
            hint="Run codegym-mcp verify to see why, and correct or remove them.",
        )


def check_output(path: Path, entries: Iterable[Entry]) -> None:
    """Checks that a set can be written to a path.

    Raises:
        SynthesisError: the suffix is neither .jsonl nor .parquet, or the file holds tasks of an environment.
        MissingExtraError: a Parquet file is requested and pyarrow is not installed.
    """
    if path.suffix not in SUFFIXES:
        raise SynthesisError(f"{path} is neither .jsonl nor .parquet.", hint="The suffix decides the format.")
    if path.suffix == ".parquet" and find_spec("pyarrow") is None:
        raise MissingExtraError("Parquet", "pip install 'codegym-mcp[parquet]'")
    for entry in entries:
        if entry.file is not None and entry.file.with_suffix(".jsonl").resolve() == path.resolve():
            raise SynthesisError(f"{path} holds the tasks of {entry.name}.", hint=_HINT)


def publish(publishables: Sequence[Publishable], path: Path) -> Card:
    """Writes a set and its card, `<path>.card.md` and `<path>.card.json`.

    The set is written last, so that a set always has a card.

    Raises:
        UnwritableError: a file cannot be written.
    """
    rows = (each.row() for each in publishables)
    with atomic_file(path, hint=_HINT) as unfinished:
        if path.suffix == ".parquet":
            _write_parquet(unfinished, rows)
        else:
            with unfinished.open("wb") as file:
                file.writelines(json_line(row.model_dump_json().encode()) for row in rows)
        card = _card(publishables, path.name, _digest(unfinished))
        for suffix, text in (
            (".card.md", card.markdown()),
            (".card.json", card.model_dump_json(indent=2) + "\n"),
        ):
            write_atomically(path.with_name(path.name + suffix), text, hint=_HINT)
    return card


# --- what is published


def _refuse_broken(entries: Sequence[Entry]) -> None:
    broken = []
    for entry in entries:
        try:
            entry.read()
        except SourceError as error:
            broken.append(str(error))
    if broken:
        more = f" And {len(broken) - _MAX_NAMES} more." if len(broken) > _MAX_NAMES else ""
        raise SynthesisError(f"Broken: {' '.join(broken[:_MAX_NAMES])}{more}", hint="Correct or remove them.")


def _license(entry: Entry) -> str:
    own, recorded = entry.read().license.strip(), _text(_provenance(entry), "license")
    if own and recorded and own != recorded:
        raise SynthesisError(
            f"{entry.name} states the licence {own}, but its provenance file states {recorded}.",
            hint="Correct the one that is wrong.",
        )
    return own or recorded


def _check_globs(globs: Sequence[str], licenses: Iterable[str]) -> None:
    known = {each or UNKNOWN for each in licenses}
    for glob in globs:
        if not any(_matches(each, [glob]) for each in known):
            raise NotFoundError("licence", glob, known)


def _matches(license: str, globs: Sequence[str]) -> bool:
    name = (license or UNKNOWN).casefold()
    return not globs or any(fnmatchcase(name, glob.casefold()) for glob in globs)


def _audited(entries: Sequence[Entry], licenses: dict[str, str]) -> list[Publishable]:
    found = []
    unaudited = []
    for entry in entries:
        audit = current_audit(entry)
        if audit is None:
            unaudited.append(entry)
        else:
            found.append(Publishable(entry, entry.read(), audit, licenses[entry.name], _provenance(entry)))
    if unaudited:
        folders = sorted({str(Path(entry.path).parent) for entry in unaudited})
        raise SynthesisError(
            f"Without a current audit: {_some([entry.name for entry in unaudited])}.",
            hint=f"Run: codegym-mcp audit {' '.join(folders)}",
        )
    return found


def _provenance(entry: Entry) -> dict[str, Any]:
    if entry.file is None:
        return {}
    path = entry.file.with_suffix(".provenance.json")
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise SynthesisError(f"{path} cannot be read: {error}.", hint="Correct or remove it.") from None
    if not isinstance(data, dict):
        raise SynthesisError(f"{path} is not a JSON object.", hint="Correct or remove it.")
    return data


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value.strip() if isinstance(value, str) else ""


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MAX_NAMES
    return ", ".join(names[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


# --- files


def _card(publishables: Sequence[Publishable], name: str, digest: str) -> Card:
    environments = [each.environment for each in publishables]
    licenses = counted(each.license for each in publishables)
    tasks = [task for environment in environments for task in environment.tasks]
    difficulties = counted(str(task.difficulty) for task in tasks if task.difficulty is not None)
    return Card(
        set=name,
        sha256=digest,
        version=VERSION,
        environments=len(environments),
        tasks=len(tasks),
        endless=sum(environment.generates for environment in environments),
        tools=tool_count(environments),
        difficulties=dict(sorted(difficulties.items())),
        licenses=licenses,
        mixed_licenses=len(licenses) > 1,
        sources=counted(each.source for each in publishables),
        models=counted_models(each.model for each in publishables),
        grades=dict(sorted(counted(each.audit.grade for each in publishables).items())),
        figures=CardFigures.of([each.audit for each in publishables]),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _write_parquet(path: Path, rows: Iterator[PublishedEnvironment]) -> None:
    import pyarrow
    from pyarrow import parquet

    text, number, texts = pyarrow.string(), pyarrow.int64(), pyarrow.list_(pyarrow.string())
    task = {"id": text, "config": text, "difficulty": number, "oracle_calls": number, "text": text}
    types = {"tasks": pyarrow.list_(pyarrow.struct(list(task.items()))), "tags": texts, "tools": texts}
    schema = pyarrow.schema([(name, types.get(name, text)) for name in PublishedEnvironment.model_fields])
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        while group := [row.model_dump() for row in islice(rows, _ROW_GROUP)]:
            writer.write_table(pyarrow.Table.from_pylist(group, schema))
