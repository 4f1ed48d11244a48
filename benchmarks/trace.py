"""Measures synthesis without a model, and compares every reference answer with the untouched solution.

    python benchmarks/trace.py PROBLEMS [--sample N] [--seed S] [--out DIR] [--concurrency N] [--json]

PROBLEMS is a file of JSON Lines, as for `codegym-mcp synthesize`. Environments are made of a random sample of it, or
of the whole file; an `--out` that exists is continued. The shares of the tiers are of all problems. Then, in
sandboxed processes with another hash seed, the oracle plays every task again, and the solution as the file has it is
called with the arguments that the reference passes to its copy. A wrong answer makes the exit status 1.

Memory is that of all processes together, sampled twice a second; processor time includes that of every process (Linux
only).
"""

import argparse
import ast
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import anyio

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.synthesis.oracle_trials import try_oracle
from codegym_mcp.synthesis.output_folder import Provenance
from codegym_mcp.synthesis.problem_outcomes import Funnel
from codegym_mcp.synthesis.problem_reader import CodingProblem, read_problems
from codegym_mcp.synthesis.program_tracing.play_selection.oracle_player import same_answer
from codegym_mcp.synthesis.program_tracing.solution_execution.confined_programs import (
    ConfinedProgram,
    Failure,
)
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.program_tracing.typed_json_values import decode
from codegym_mcp.synthesis.program_tracing.value_shapes import json_form
from codegym_mcp.synthesis.synthesis_options import TRIAL_LIMITS, Tier
from codegym_mcp.verification.verification_context import VerificationContext, default_jobs

HASH_SEED = 20_231
"""Another seed than those with which environments are made."""
CPU_GRACE = 100.0
"""Wall-clock seconds for each second of processor time: a busy machine makes no answer wrong."""
COMMAND = [sys.executable, "-m", "codegym_mcp.cli", "synthesize"]
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
_RECORDED = """
GIVEN = []


def recorded_entry(*values):
    GIVEN.append([tag_value(value) for value in values])
    return {entry}(*values)


def handle(config):
    GIVEN.clear()
    answer = made_reference(**config)
    return [GIVEN[0], tag_value(answer)]
"""
_ORIGINAL = """
original = define_solution()


def handle(request):
    result = original(*[untag_value(value) for value in request])
    known = (bool, int, float, str, list, tuple, dict, set, frozenset)
    return tag_value(result if isinstance(result, known) or result is None else list(result))
"""


@dataclass
class Answers:
    """The comparison of all answers.

    Attributes:
        tasks: the tasks of all environments.
        compared: the tasks whose reference answer was compared with the untouched solution.
        wrong: the environments and tasks with another reference answer.
        not_replayed: the environments and tasks on which the oracle gives another answer.
        not_compared: the environments whose solution cannot run in the sandbox as it is, with the reasons.
    """

    tasks: int = 0
    compared: int = 0
    wrong: list[str] = field(default_factory=list)
    not_replayed: list[str] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)


def synthesize(problems: Path, out: Path, concurrency: int) -> dict[str, Any]:
    """Runs the command; returns its duration, processor time and greatest memory."""
    start, before, peak = time.perf_counter(), os.times(), 0
    command = [
        *COMMAND,
        str(problems),
        "--out",
        str(out),
        "--method",
        "trace",
        "--concurrency",
        str(concurrency),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, sum(resident_kib(pid) for pid in (process.pid, *descendants(process.pid))))
            time.sleep(0.5)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {
        "exit_status": process.returncode,
        "seconds": round(time.perf_counter() - start, 1),
        "processor_seconds": round(used, 1),
        "peak_mib": peak // 1024,
    }


def descendants(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield int(child)
                yield from descendants(int(child))


def resident_kib(pid: int) -> int:
    """Returns the memory of a process that it does not share, in KiB; 0 if it has ended."""
    with suppress(OSError):
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
        return (int(resident) - int(shared)) * PAGE_KIB
    return 0


async def check_answers(out: Path, problems: dict[str, CodingProblem]) -> Answers:
    """Replays and compares every task of every environment."""
    answers = Answers()
    async with (
        SandboxPool.open(hash_seed=HASH_SEED, cpu_grace=CPU_GRACE) as pool,
        SandboxPool.open(hash_seed=HASH_SEED + 1, cpu_grace=CPU_GRACE) as other_pool,
    ):
        context = VerificationContext(pool, other_pool, TRIAL_LIMITS, anyio.CapacityLimiter(default_jobs()))
        for entry in Catalog.load([out]).entries:
            environment = entry.read()
            provenance = Provenance.model_validate_json((out / f"{entry.name}.provenance.json").read_bytes())
            answers.tasks += len(environment.tasks)
            trial = await try_oracle(context, environment, environment.tasks)
            answers.not_replayed += [
                f"{entry.name} {play.task.id}" for play in trial.plays if not play.correct
            ]
            try:
                await compare(pool, environment, problems[provenance.problem], answers)
            except RefusedProblemError as error:
                answers.not_compared.append(f"{entry.name}: {error.reason}")
    return answers


async def compare(
    pool: SandboxPool, environment: Environment, problem: CodingProblem, answers: Answers
) -> None:
    """Compares the reference answers of an environment with the untouched solution of its problem.

    Raises:
        RefusedProblemError: one of both cannot be run.
    """
    made, entry = reference_program(environment.program.source)
    given = await ConfinedProgram(pool, made).run([task.config for task in environment.tasks])
    failed = next((each for each in given if isinstance(each, Failure)), None)
    if failed is not None:
        raise RefusedProblemError(f"The reference fails: {failed.reason}")
    program = ConfinedProgram(pool, original_program(problem.solution, entry))
    results = await program.run([arguments for arguments, _ in given])
    for task, (_, answer), result in zip(environment.tasks, given, results, strict=True):
        if isinstance(result, Failure):
            raise RefusedProblemError(f"The solution fails on {task.id}: {result.reason}")
        answers.compared += 1
        if not same_answer(json_form(decode(answer)), json_form(decode(result))):
            answers.wrong.append(f"{environment.name} {task.id}")


def reference_program(source: str) -> tuple[str, str]:
    """Returns an environment's reference as a program that also tells its arguments, and its function's name."""
    tree = ast.parse(source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    (reference,) = [node for node in functions if node.name == "reference"]
    names = {node.name for node in functions} - {"reference", "solve"}
    called = [each for each in ast.walk(reference) if isinstance(each, ast.Call)]
    (entry,) = {each.func.id for each in called if isinstance(each.func, ast.Name) and each.func.id in names}
    reference.name = "made_reference"
    for call in called:
        if isinstance(call.func, ast.Name) and call.func.id == entry:
            call.func.id = "recorded_entry"
    kept = [node for node in tree.body if not _is_of_environment(node)]
    module = ast.unparse(ast.Module(kept, []))
    return f"{module}\n\n{_RECORDED.format(entry=entry)}", entry


def _is_of_environment(node: ast.stmt) -> bool:
    match node:
        case ast.ClassDef(name="Environment") | ast.FunctionDef(name="solve") | ast.Expr():
            return True
        case ast.Assign(targets=[ast.Name(id="META")]):
            return True
    return False


def original_program(solution: str, name: str) -> str:
    """Returns a solution as a program that calls its function of this name; underscores may differ."""
    tree = ast.parse(solution)
    functions = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    original = next((each for each in functions if each.strip("_") == name.strip("_")), name)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    others = [node for node in tree.body if node not in imports]
    # A function around the solution keeps its names apart from those that the program has.
    returned = ast.Return(ast.Name(original, ast.Load()))
    around = ast.FunctionDef(
        "define_solution", ast.parse("lambda: 0", mode="eval").body.args, [*others, returned], []
    )
    made = ast.fix_missing_locations(ast.Module([*imports, around], []))
    return f"{ast.unparse(made)}\n\n{_ORIGINAL}"


def draw(problems: Path, count: int | None, seed: int, folder: Path) -> Path:
    """Returns a file with a random sample of the lines of another one, in their order."""
    lines = problems.read_bytes().splitlines(keepends=True)
    if count is None or count >= len(lines):
        return problems
    places = sorted(random.Random(seed).sample(range(len(lines)), count))  # noqa: S311 - repeatable, not secret
    sample = folder / "sample.jsonl"
    sample.write_bytes(b"".join(lines[place] for place in places))
    return sample


def shares(funnel: Funnel) -> dict[str, float]:
    """Returns the share of all problems that reach each tier."""
    reached = {tier: sum(n for each, n in funnel.tiers.items() if each.rank >= tier.rank) for tier in Tier}
    return {tier.value: round(count / funnel.problems, 4) for tier, count in reached.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("problems", type=Path, help="a file of JSON Lines")
    parser.add_argument("--sample", type=int, help="number of problems to draw; all if it is left out")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sample (default 1)")
    parser.add_argument(
        "--out", type=Path, help="folder of the environments; a temporary one if it is left out"
    )
    parser.add_argument("--concurrency", type=int, default=8, help="problems at once (default 8)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = options.out or Path(folder, "traced")
        sample = draw(options.problems, options.sample, options.seed, Path(folder))
        cost = synthesize(sample, out, options.concurrency)
        read = [each for each in read_problems(sample) if isinstance(each, CodingProblem)]
        funnel = Funnel.model_validate_json((out / "synthesis" / "funnel.json").read_bytes())
        answers = asyncio.run(check_answers(out, {each.id: each for each in read}))
    is_wrong = bool(answers.wrong or answers.not_replayed)
    rejected = {stage.value: len(each) for stage, each in funnel.rejected.items() if each}
    found = {"problems": funnel.problems, "shares": shares(funnel), "rejected": rejected, **cost}
    if options.json:
        print(json.dumps({**found, **asdict(answers), "missed": is_wrong}))
    else:
        for name, value in found.items():
            print(f"{name:18} {value}")
        print(
            f"{answers.tasks} tasks: {len(answers.not_replayed)} not replayed; {answers.compared} reference answers "
            f"compared, {len(answers.wrong)} wrong{'   MISSED' if is_wrong else ''}"
        )
        for text in (*answers.wrong, *answers.not_replayed, *answers.not_compared):
            print(f"  {text}")
    sys.exit(is_wrong)


if __name__ == "__main__":
    main()
