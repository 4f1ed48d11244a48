"""The output folder of a synthesis: environments, their provenance, and the records of the synthesis.

OUT/<name>.py, .jsonl, .audit.json, .provenance.json    an environment that was kept
OUT/synthesis/answers.sqlite                            every response of the model, by request
OUT/synthesis/rejected/<problem>.json                   the outcome of a problem with rejected replies
OUT/synthesis/recipe.json, funnel.json                  the options of the synthesis, and the counts
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from codegym_mcp.errors import JournalError, SynthesisError
from codegym_mcp.storage.atomic_files import write_atomically
from codegym_mcp.storage.directory_lock import lock_directory
from codegym_mcp.synthesis.problem_outcomes import (
    AcceptedEnvironment,
    Candidate,
    Costs,
    Funnel,
    ProblemOutcome,
)
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.synthesis_options import SynthesisOptions, TracingFigures

_HINT = "Name another folder with --out."
_SUFFIXES = (".py", ".jsonl", ".audit.json", ".provenance.json")
_UNFINISHED = re.compile(r"\.(py|jsonl|json)\.\d+$")
"""Names of the temporary files of `atomic_files`."""


class Recipe(BaseModel):
    """The model, prompts and options with which a folder was made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: dict[str, object]
    """The model and its sampling options; its name is that of the method if there is no model."""
    prompts: str
    """The version of the prompts."""
    options: SynthesisOptions

    @property
    def digest(self) -> str:
        """SHA-256 of the recipe, in hexadecimal."""
        return sha256(self.model_dump_json(exclude_none=True).encode()).hexdigest()


class Provenance(BaseModel):
    """The origin of an environment."""

    model_config = ConfigDict(extra="forbid")

    problem: str
    """Id of the problem."""
    source: str
    """Collection of the problem."""
    license: str
    """Licence of the problem and the environment, or the empty string if it is not known."""
    model: str
    """Name of the model that wrote the environment."""
    prompts: str
    """The version of the prompts."""
    sample: int
    """Number of the candidate, starting at 0."""
    attempts: int
    """Number of rejected replies."""
    costs: Costs
    """Costs of this candidate."""
    tracing: TracingFigures | None = None
    """What tracing measured, or None if a model wrote the environment."""


class OutputFolder:
    """The output folder of a synthesis. Use `OutputFolder.open`."""

    def __init__(self, path: Path, recipe: Recipe) -> None:
        self.path = path
        self.recipe = recipe
        self._names: dict[str, list[str]] = {}
        for file in sorted(path.glob("*.provenance.json")):
            try:
                provenance = Provenance.model_validate_json(file.read_bytes())
            except (OSError, ValidationError):
                continue
            name = file.name.removesuffix(".provenance.json")
            self._names.setdefault(provenance.problem, []).append(name)

    @classmethod
    @contextmanager
    def open(cls, path: Path, recipe: Recipe) -> Iterator["OutputFolder"]:
        """Opens and locks a folder until the block is left.

        Raises:
            SynthesisError: the folder is locked, was made with another recipe, or cannot be created.
            UnwritableError: the recipe cannot be written.
        """
        own = path / "synthesis"
        try:
            with lock_directory(own, alone=True):
                _remove_unfinished(path)
                _check_recipe(own / "recipe.json", recipe)
                yield cls(path, recipe)
        except JournalError:
            raise SynthesisError(
                f"The folder {path} is locked by another run, or cannot be created.",
                hint="Wait for the other run, or name another --out.",
            ) from None

    @property
    def store(self) -> Path:
        """Path of the store of responses."""
        return self.path / "synthesis" / "answers.sqlite"

    def names(self, problem: str) -> list[str]:
        """Returns the names of the environments of a problem."""
        return self._names.get(problem, [])

    def names_of_others(self, problem: str) -> set[str]:
        """Returns the names of the environments of all other problems."""
        return {name for each, names in self._names.items() if each != problem for name in names}

    def put(self, problem: CodingProblem, environments: Sequence[tuple[str, Candidate]]) -> None:
        """Stores the environments of a problem and deletes earlier ones of the same problem.

        Args:
            environments: the candidates with the names of their environments.

        Raises:
            UnwritableError: a file cannot be written.
        """
        names = [name for name, _ in environments]
        for name in self.names(problem.id):
            if name not in names:
                for suffix in _SUFFIXES:
                    (self.path / f"{name}{suffix}").unlink(missing_ok=True)
        for name, candidate in environments:
            if candidate.accepted is not None:
                self._write(name, problem, candidate, candidate.accepted)
        self._names[problem.id] = names

    def _write(
        self, name: str, problem: CodingProblem, candidate: Candidate, accepted: AcceptedEnvironment
    ) -> None:
        provenance = Provenance(
            problem=problem.id,
            source=problem.source,
            license=problem.license,
            model=str(self.recipe.model["name"]),
            prompts=self.recipe.prompts,
            sample=candidate.sample,
            attempts=len(candidate.attempts),
            costs=candidate.costs,
            tracing=candidate.tracing,
        )
        audit = accepted.audit.model_copy(update={"environment": name})
        tasks = "".join(task.model_dump_json(exclude_none=True) + "\n" for task in accepted.tasks)
        contents = (
            accepted.source,
            tasks,
            audit.model_dump_json(indent=2) + "\n",
            _provenance_text(provenance),
        )
        # The source is written last: an environment with a source is complete.
        for suffix, content in sorted(zip(_SUFFIXES, contents, strict=True), reverse=True):
            write_atomically(self.path / f"{name}{suffix}", content, hint=_HINT)

    def put_rejected(self, outcome: ProblemOutcome) -> None:
        """Stores the outcome of a problem if a reply, a configuration or a candidate was rejected.

        Raises:
            UnwritableError: the file cannot be written.
        """
        candidates = outcome.candidates
        if not any(each.rejected_at or each.attempts or each.dropped_configurations for each in candidates):
            return
        name = re.sub(r"[^\w.-]+", "_", outcome.problem)[:80]
        if name != outcome.problem:
            name = f"{name}-{sha256(outcome.problem.encode()).hexdigest()[:8]}"
        path = self.path / "synthesis" / "rejected" / f"{name}.json"
        write_atomically(path, outcome.model_dump_json(indent=2) + "\n", hint=_HINT)

    def put_funnel(self, funnel: Funnel) -> None:
        """Stores the funnel.

        Raises:
            UnwritableError: the file cannot be written.
        """
        path = self.path / "synthesis" / "funnel.json"
        write_atomically(path, funnel.model_dump_json(indent=2) + "\n", hint=_HINT)


def _remove_unfinished(path: Path) -> None:
    """Deletes the parts of files that a killed run was writing; the folder is locked, so none is in use."""
    for file in (*path.glob("*.*"), *(path / "synthesis").rglob("*.json.*")):
        if _UNFINISHED.search(file.name):
            file.unlink(missing_ok=True)


def _check_recipe(path: Path, recipe: Recipe) -> None:
    if not path.exists():
        write_atomically(path, recipe.model_dump_json(indent=2, exclude_none=True) + "\n", hint=_HINT)
        return
    try:
        stored = Recipe.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise SynthesisError(f"{path} cannot be read: {error}.", hint=_HINT) from None
    if stored != recipe:
        new, old = (json.loads(each.model_dump_json()) for each in (recipe, stored))
        different = [key for key in new if new[key] != old[key]]
        raise SynthesisError(
            f"{path.parent.parent} was made with another recipe: {' and '.join(different)} differ.",
            hint=_HINT,
        )


def _provenance_text(provenance: Provenance) -> str:
    without = {"tracing"} if provenance.tracing is None else set()
    return provenance.model_dump_json(indent=2, exclude=without) + "\n"
