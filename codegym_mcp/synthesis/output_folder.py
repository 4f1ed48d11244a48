"""The folder that a synthesis fills: environments, and beside them how they came about.

OUT/<name>.py, .jsonl, .audit.json, .provenance.json    an environment that was kept
OUT/synthesis/answers.sqlite                            every answer of the model, by its request
OUT/synthesis/rejected/<problem>.json                   what a problem came to that something was lost of
OUT/synthesis/recipe.json, funnel.json                  what was asked for, and the sums
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
from codegym_mcp.synthesis.funnel import AcceptedEnvironment, Candidate, Costs, Funnel, ProblemOutcome
from codegym_mcp.synthesis.problem_reader import CodingProblem
from codegym_mcp.synthesis.synthesis_options import SynthesisOptions

_HINT = "Name another folder with --out."
_SUFFIXES = (".py", ".jsonl", ".audit.json", ".provenance.json")


class Recipe(BaseModel):
    """What all that a folder holds was made with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: dict[str, object]
    """The model and how it is sampled."""
    prompts: str
    """The version of the prompts."""
    options: SynthesisOptions

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal."""
        return sha256(self.model_dump_json().encode()).hexdigest()


class Provenance(BaseModel):
    """Where an environment comes from."""

    model_config = ConfigDict(extra="forbid")

    problem: str
    """The id of the problem."""
    source: str
    """The collection that the problem is from."""
    license: str
    """The problem's, and so the environment's; empty where it is not known."""
    model: str
    """The model that wrote it."""
    prompts: str
    """The version of the prompts."""
    sample: int
    attempts: int
    """What did not do before it did."""
    costs: Costs
    """Of all candidates of this sample."""


class Folder:
    """The folder. Use `Folder.open`."""

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
    def open(cls, path: Path, recipe: Recipe) -> Iterator["Folder"]:
        """A folder until the block is left, and nobody else's.

        Raises:
            SynthesisError: it is in use, was made with another recipe, or cannot be made.
            UnwritableError: it cannot be written.
        """
        own = path / "synthesis"
        try:
            with lock_directory(own, alone=True):
                _check_recipe(own / "recipe.json", recipe)
                yield cls(path, recipe)
        except JournalError:
            raise SynthesisError(
                f"The folder {path} is in use, or cannot be made.",
                hint="Wait for the other run, or name another --out.",
            ) from None

    @property
    def store(self) -> Path:
        """Where answers are kept."""
        return self.path / "synthesis" / "answers.sqlite"

    def names(self, problem: str) -> list[str]:
        """The environments that were made of a problem earlier."""
        return self._names.get(problem, [])

    def names_of_others(self, problem: str) -> set[str]:
        """The environments that were made of all other problems."""
        return {name for each, names in self._names.items() if each != problem for name in names}

    def put(self, problem: CodingProblem, environments: Sequence[tuple[str, Candidate]]) -> None:
        """Keeps the environments made of a problem, instead of those that were made of it earlier.

        Args:
            environments: each with its name.

        Raises:
            UnwritableError: they cannot be written.
        """
        names = [name for name, _ in environments]
        for name in self.names(problem.id):
            if name not in names:
                for suffix in _SUFFIXES:
                    (self.path / f"{name}{suffix}").unlink(missing_ok=True)
        for name, candidate in environments:
            if candidate.made is not None:
                self._write(name, problem, candidate, candidate.made)
        self._names[problem.id] = names

    def _write(
        self, name: str, problem: CodingProblem, candidate: Candidate, made: AcceptedEnvironment
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
        )
        audit = made.audit.model_copy(update={"environment": name})
        tasks = "".join(task.model_dump_json(exclude_none=True) + "\n" for task in made.tasks)
        contents = (
            made.source,
            tasks,
            audit.model_dump_json(indent=2) + "\n",
            provenance.model_dump_json(indent=2) + "\n",
        )
        # The source comes last: what has one is complete.
        for suffix, content in sorted(zip(_SUFFIXES, contents, strict=True), reverse=True):
            write_atomically(self.path / f"{name}{suffix}", content, hint=_HINT)

    def put_rejected(self, outcome: ProblemOutcome) -> None:
        """Keeps what was written for a problem and did not do, with the reasons.

        Raises:
            UnwritableError: it cannot be written.
        """
        if all(candidate.lost is None and not candidate.attempts for candidate in outcome.candidates):
            return
        name = re.sub(r"[^\w.-]+", "_", outcome.problem)[:80]
        if name != outcome.problem:
            name = f"{name}-{sha256(outcome.problem.encode()).hexdigest()[:8]}"
        path = self.path / "synthesis" / "rejected" / f"{name}.json"
        write_atomically(path, outcome.model_dump_json(indent=2) + "\n", hint=_HINT)

    def put_funnel(self, funnel: Funnel) -> None:
        """Keeps the sums.

        Raises:
            UnwritableError: they cannot be written.
        """
        path = self.path / "synthesis" / "funnel.json"
        write_atomically(path, funnel.model_dump_json(indent=2) + "\n", hint=_HINT)


def _check_recipe(path: Path, recipe: Recipe) -> None:
    if not path.exists():
        write_atomically(path, recipe.model_dump_json(indent=2) + "\n", hint=_HINT)
        return
    try:
        known = Recipe.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise SynthesisError(f"{path} cannot be read: {error}.", hint=_HINT) from None
    if known != recipe:
        ours, theirs = (json.loads(each.model_dump_json()) for each in (recipe, known))
        different = [key for key in ours if ours[key] != theirs[key]]
        raise SynthesisError(
            f"{path.parent.parent} was made with another recipe: {' and '.join(different)} differ.",
            hint=_HINT,
        )
