"""Environments as a set: one file for all of them, and a card that says what is in it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import file_digest
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from codegym_mcp import __version__
from codegym_mcp.errors import MissingExtraError, NotFoundError, SourceError, SynthesisError
from codegym_mcp.spec.catalog import Entry
from codegym_mcp.spec.environment import Environment
from codegym_mcp.spec.environment_sets import SUFFIXES
from codegym_mcp.spec.set_rows import PublishedEnvironment
from codegym_mcp.storage.atomic_files import atomic_file, write_atomically
from codegym_mcp.synthesis.dataset_card import UNKNOWN, Card, CardFigures, counted, counted_models, tool_count
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.audit_files import current_audit
from codegym_mcp.verification.audit.grades import Grade
from codegym_mcp.verification.gate_results import Verification

_HINT = "Name another file with -o."
_TOLD = 5
_ROW_GROUP = 64
"""Rows of a Parquet file that are read at once; environments are asked for one by one."""


@dataclass(frozen=True)
class Publishable:
    """An environment with what is known of it.

    Attributes:
        license: as the environment or its provenance states it; empty where neither does.
        provenance: how it came about; empty where nothing is known of that.
    """

    entry: Entry
    environment: Environment
    audit: Audit
    license: str
    provenance: dict[str, Any]

    @property
    def source(self) -> str:
        """The collection of its problem, or its origin."""
        return _text(self.provenance, "source") or self.environment.origin

    @property
    def model(self) -> str:
        """The model that wrote it; empty where none did."""
        return _text(self.provenance, "model")

    def row(self) -> PublishedEnvironment:
        """It as a row of a set."""
        return PublishedEnvironment.of(
            self.environment,
            license=self.license,
            audit=self.audit.model_dump_json(),
            grade=self.audit.grade,
            provenance=json.dumps(self.provenance, ensure_ascii=False) if self.provenance else "",
            model=self.model,
        )


def select(
    entries: Sequence[Entry],
    *,
    grade: Grade = Grade.D,
    licenses: Sequence[str] = (),
    mixed_licenses: bool = False,
) -> list[Publishable]:
    """The environments that are to be published.

    Args:
        grade: the worst that is taken.
        licenses: globs, upper and lower case alike; only environments whose licence matches one of them.
        mixed_licenses: whether they may be under several licences, or under an unknown one.

    Raises:
        SynthesisError: environments are broken, have no current audit, or are under several licences or an
            unknown one; or nothing is left.
        NotFoundError: a glob matches no licence.
    """
    _refuse_broken(entries)
    stated = {entry.name: _license(entry) for entry in entries}
    _check_globs(licenses, stated.values())
    chosen = [entry for entry in entries if _matches(stated[entry.name], licenses)]
    found = [each for each in _audited(chosen, stated) if each.audit.grade <= grade]
    if not found:
        raise SynthesisError(
            f"No environment has grade {grade} or better.",
            hint="See: codegym-mcp audit, or give another --grade.",
        )
    counts = counted(each.license for each in found)
    if not mixed_licenses and (len(counts) > 1 or UNKNOWN in counts):
        told = ", ".join(f"{name} ({count})" for name, count in counts.items())
        raise SynthesisError(
            f"The environments are not all under one known licence: {told}.",
            hint="Take those of one with --license, or state with --mixed-licenses that the mix is meant.",
        )
    return found


def check_verified(verifications: Iterable[Verification]) -> None:
    """Refuses what is not fit to be served.

    Raises:
        SynthesisError: an environment is not verified; the error names it.
    """
    refused = [each.environment for each in verifications if not each.verified]
    if refused:
        raise SynthesisError(
            f"Not verified: {_some(refused)}.",
            hint="See what is wrong with: codegym-mcp verify. Then leave them out.",
        )


def check_output(path: Path, entries: Iterable[Entry]) -> None:
    """Whether a set can be written there.

    Raises:
        SynthesisError: the suffix is of no set, or the file is one of those that are published.
        MissingExtraError: Parquet is asked for, and pyarrow is not installed.
    """
    if path.suffix not in SUFFIXES:
        raise SynthesisError(
            f"{path} is neither .jsonl nor .parquet.", hint="The suffix says what is written."
        )
    if path.suffix == ".parquet" and find_spec("pyarrow") is None:
        raise MissingExtraError("Parquet", "pip install 'codegym-mcp[parquet]'")
    for entry in entries:
        if entry.file is not None and entry.file.with_suffix(".jsonl").resolve() == path.resolve():
            raise SynthesisError(f"{path} holds the tasks of {entry.name}.", hint=_HINT)


def publish(publishables: Sequence[Publishable], path: Path) -> Card:
    """Writes a set, and beside it its card: `<path>.card.md` and `<path>.card.json`.

    The set comes last: where there is one, there is its card.

    Raises:
        UnwritableError: it cannot be written.
    """
    rows = (each.row() for each in publishables)
    with atomic_file(path, hint=_HINT) as unfinished:
        if path.suffix == ".parquet":
            _write_parquet(unfinished, rows)
        else:
            with unfinished.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(row.model_dump_json() + "\n" for row in rows)
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
        more = f" And {len(broken) - _TOLD} more." if len(broken) > _TOLD else ""
        raise SynthesisError(f"Broken: {' '.join(broken[:_TOLD])}{more}", hint="Mend them, or take them out.")


def _license(entry: Entry) -> str:
    own, theirs = entry.read().license.strip(), _text(_provenance(entry), "license")
    if own and theirs and own != theirs:
        raise SynthesisError(
            f"{entry.name} says that its licence is {own}, and its provenance says {theirs}.",
            hint="Correct the one that is wrong.",
        )
    return own or theirs


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
        raise SynthesisError(f"{path} cannot be read: {error}.", hint="Mend it, or remove it.") from None
    if not isinstance(data, dict):
        raise SynthesisError(f"{path} is not a JSON object.", hint="Mend it, or remove it.")
    return data


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value.strip() if isinstance(value, str) else ""


def _some(names: Sequence[str]) -> str:
    more = len(names) - _TOLD
    return ", ".join(names[:_TOLD]) + (f" and {more} more" if more > 0 else "")


# --- files


def _card(publishables: Sequence[Publishable], name: str, digest: str) -> Card:
    environments = [each.environment for each in publishables]
    licenses = counted(each.license for each in publishables)
    tasks = [task for environment in environments for task in environment.tasks]
    difficulties = counted(str(task.difficulty) for task in tasks if task.difficulty is not None)
    return Card(
        set=name,
        sha256=digest,
        version=__version__,
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
